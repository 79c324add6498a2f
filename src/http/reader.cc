// Beast parses heads and chunk framing; bodies with a length are counted here, so that bulk
// data goes from the stream to its place without a copy.
#include "http/reader.h"

#include <algorithm>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/none.hpp>

namespace warifu::http {

namespace beast = boost::beast::http;
using ErrorCode = boost::beast::error_code;
using Text = boost::beast::string_view;

class MessageParser {
 public:
  virtual ~MessageParser() = default;
  virtual std::size_t parse(ByteView bytes, ErrorCode& error) = 0;
  [[nodiscard]] virtual bool head_done() const = 0;
  [[nodiscard]] virtual bool done() const = 0;
  virtual MessageHead take_head() = 0;

  // Where chunk data goes.
  MutableBytes out;
  std::size_t filled = 0;
};

namespace {

constexpr std::size_t kBufferBytes = 32 * 1024;
constexpr std::size_t kMaxFields = 100;

std::string_view view_of(Text text) {
  return {text.data(), text.size()};
}

template <bool kIsRequest>
class BeastParser final : public MessageParser, private beast::basic_parser<kIsRequest> {
  using Base = beast::basic_parser<kIsRequest>;

 public:
  explicit BeastParser(bool bodyless) {
    this->header_limit(kMaxHeadBytes);
    this->body_limit(boost::none);
    if (bodyless) this->skip(true);
  }
  std::size_t parse(ByteView bytes, ErrorCode& error) override {
    return Base::put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  }
  [[nodiscard]] bool head_done() const override { return this->is_header_done(); }
  [[nodiscard]] bool done() const override { return this->is_done(); }
  MessageHead take_head() override {
    head_.keep_alive = this->keep_alive();
    head_.chunked = this->chunked();
    if (const auto length = this->content_length()) head_.length = *length;
    head_.until_close = !kIsRequest && this->need_eof();
    return std::move(head_);
  }

 private:
  void on_request_impl(beast::verb, Text method, Text target, int version, ErrorCode&) override {
    head_.minor_version = version % 10;
    head_.method = view_of(method);
    head_.target = view_of(target);
  }
  void on_response_impl(int status, Text, int version, ErrorCode&) override {
    head_.status = status;
    head_.minor_version = version % 10;
  }
  void on_field_impl(beast::field, Text name, Text value, ErrorCode& error) override {
    if (this->is_header_done()) return;  // fields after the last chunk carry nothing for us
    if (head_.headers.all().size() >= kMaxFields) error = beast::error::header_limit;
    head_.headers.add(view_of(name), view_of(value));
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text, ErrorCode&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, ErrorCode&) override {
    const std::size_t count = std::min(body.size(), out.size() - filled);
    copy_bytes(out.subspan(filled), as_bytes(view_of(body.substr(0, count))));
    filled += count;
    return count;
  }
  void on_finish_impl(ErrorCode&) override {}

  MessageHead head_;
};

bool needs_more(const ErrorCode& error) {
  return error == beast::error::need_more;
}

}  // namespace

MessageReader::MessageReader(os::ByteStream& stream, Kind kind) : stream_(stream), kind_(kind) {}
MessageReader::~MessageReader() = default;

void MessageReader::limit_body(std::chrono::milliseconds pause, std::optional<Deadline> deadline) {
  pause_ = pause;
  body_deadline_ = deadline;
}

MessageReader::Deadline MessageReader::next_deadline() const {
  const Deadline next = std::chrono::steady_clock::now() + pause_;
  return body_deadline_ ? std::min(next, *body_deadline_) : next;
}

void MessageReader::release_memory() {
  if (start_ < end_) return;
  buffer_ = secret::Buffer();
  start_ = end_ = 0;
}

// More bytes behind those that are there; false at the orderly end of the stream.
Result<bool> MessageReader::receive(Deadline deadline) {
  if (buffer_.empty()) buffer_ = secret::Buffer(kBufferBytes);
  if (start_ > 0) {
    std::memmove(buffer_.bytes().data(), buffer_.bytes().data() + start_, end_ - start_);
    end_ -= start_;
    start_ = 0;
  }
  if (end_ == buffer_.size()) return fail(Code::kProtocol, "HTTP framing is too long");
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return fail(Code::kTimeout, "the peer is too slow");
  stream_.set_timeout(left);
  TRY_ASSIGN(const std::size_t got, stream_.read_some(buffer_.bytes().subspan(end_)));
  end_ += got;
  return got > 0;
}

Result<std::optional<MessageHead>> MessageReader::read_head(Deadline deadline, bool bodyless) {
  WARIFU_CHECK(body_done_);
  if (kind_ == Kind::kRequest) {
    parser_ = std::make_unique<BeastParser<true>>(false);
  } else {
    parser_ = std::make_unique<BeastParser<false>>(bodyless);
  }
  started_ = has_buffered();
  refusal_ = 400;
  ErrorCode error = beast::error::need_more;
  while (!parser_->head_done()) {
    if (start_ < end_) {
      error = {};
      start_ += parser_->parse(
          static_cast<const secret::Buffer&>(buffer_).bytes().subspan(start_, end_ - start_),
          error);
    }
    if (error && !needs_more(error)) {
      const bool large = error == beast::error::header_limit;
      refusal_ = large ? 431 : 400;
      return fail(Code::kProtocol, large ? std::string("HTTP head is larger than 16 KiB")
                                         : "malformed HTTP: " + error.message());
    }
    if (parser_->head_done()) break;
    TRY_ASSIGN(const bool more, receive(deadline));
    if (!more) {
      if (!started_) return std::nullopt;
      return fail(Code::kUnavailable, "connection closed in the middle of a message");
    }
    started_ = true;
  }
  MessageHead head = parser_->take_head();
  TRY(check_head(head, bodyless));
  return head;
}

// Refuses what has two readings and settles how the body ends.
Result<> MessageReader::check_head(MessageHead& head, bool bodyless) {
  const auto coding = head.headers.find("Transfer-Encoding");
  if (coding && (head.headers.count("Transfer-Encoding") > 1 || head.length.has_value() ||
                 !head.chunked || (*coding != "chunked" && *coding != "Chunked"))) {
    refusal_ = 400;
    return fail(Code::kProtocol, "malformed HTTP: transfer coding not understood");
  }
  if (kind_ == Kind::kRequest && head.minor_version >= 1 && head.headers.count("Host") != 1) {
    return fail(Code::kProtocol, "malformed HTTP: exactly one Host field is needed");
  }
  const bool informational = head.status >= 100 && head.status < 200;
  const bool never = bodyless || informational || head.status == 204 || head.status == 304;
  remaining_.reset();
  until_close_ = false;
  if (never) {
    body_done_ = true;
    head.until_close = false;
  } else if (head.chunked) {
    body_done_ = false;
  } else if (head.until_close && !head.length) {
    until_close_ = true;
    body_done_ = false;
  } else {
    remaining_ = head.length.value_or(0);
    body_done_ = *remaining_ == 0;
  }
  return {};
}

Result<std::size_t> MessageReader::read_body(MutableBytes out) {
  WARIFU_CHECK(!out.empty());
  if (body_done_) return 0;
  if (!remaining_ && !until_close_) return read_chunks(out);
  if (remaining_ && *remaining_ < out.size()) out = out.first(*remaining_);
  std::size_t got = std::min(out.size(), end_ - start_);
  if (got > 0) {
    copy_bytes(out, static_cast<const secret::Buffer&>(buffer_).bytes().subspan(start_, got));
    start_ += got;
  } else {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        next_deadline() - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(Code::kTimeout, "the peer is too slow");
    stream_.set_timeout(left);
    TRY_ASSIGN(got, stream_.read_some(out));
    if (got == 0 && remaining_) {
      return fail(Code::kUnavailable, "connection closed in the middle of a body");
    }
  }
  if (remaining_) {
    *remaining_ -= got;
    body_done_ = *remaining_ == 0;
  } else {
    body_done_ = got == 0;
  }
  return got;
}

Result<std::size_t> MessageReader::read_chunks(MutableBytes out) {
  parser_->out = out;
  parser_->filled = 0;
  for (;;) {
    ErrorCode error = beast::error::need_more;
    while (start_ < end_ && parser_->filled < out.size() && !parser_->done()) {
      error = {};
      start_ += parser_->parse(
          static_cast<const secret::Buffer&>(buffer_).bytes().subspan(start_, end_ - start_),
          error);
      if (needs_more(error)) break;
      if (error) return fail(Code::kProtocol, "malformed HTTP chunk: " + error.message());
    }
    if (parser_->done()) body_done_ = true;
    if (parser_->filled > 0 || body_done_) return parser_->filled;
    TRY_ASSIGN(const bool more, receive(next_deadline()));
    if (!more) return fail(Code::kUnavailable, "connection closed in the middle of a body");
  }
}

}  // namespace warifu::http
