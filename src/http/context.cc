// Writing answers: small ones leave in one send, chunks with their framing too.
#include "http/context.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace warifu::http {
namespace {
constexpr std::size_t kOneSend = 16 * 1024;
constexpr std::size_t kChunkBytes = 60 * 1024;
constexpr std::size_t kFraming = 16;  // "f000\r\n" and "\r\n"
}  // namespace

const std::string& RequestContext::parameter(std::string_view name) const {
  const auto found = parameters_.find(name);
  WARIFU_CHECK(found != parameters_.end());
  return found->second;
}

Result<> RequestContext::continue_if_asked() {
  if (!std::exchange(expects_continue_, false) || reader_.has_buffered()) return {};
  return send(as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
}

Result<std::size_t> RequestContext::read_body_some(MutableBytes out) {
  if (reader_.body_done()) return 0;
  TRY(continue_if_asked());
  auto got = reader_.read_body(out);
  if (!got) broken_ = true;
  return got;
}

Result<> RequestContext::send(ByteView bytes) {
  if (broken_) return fail(Code::kUnavailable, "the client has gone");
  stream_.set_timeout(io_timeout_);
  auto sent = stream_.write_all(bytes);
  if (!sent) broken_ = true;
  return sent;
}

Result<> RequestContext::send_head_and(std::string_view head, ByteView body) {
  if (head.size() + body.size() > kOneSend) {
    TRY(send(as_bytes(head)));
    return send(body);
  }
  secret::Buffer all(head.size() + body.size());
  copy_bytes(all.bytes(), as_bytes(head));
  copy_bytes(all.bytes().subspan(head.size()), body);
  return send(all.bytes());
}

std::string RequestContext::head_text(int status, std::string_view content_type,
                                      const Headers& headers,
                                      std::optional<std::uint64_t> length) const {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head += reason_phrase(status);
  head += "\r\n";
  const auto field = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  if (!content_type.empty()) field("Content-Type", content_type);
  const bool bodyless = status == 204 || status == 304;
  if (length && !bodyless) field("Content-Length", std::to_string(*length));
  if (chunked_) field("Transfer-Encoding", "chunked");
  if (!headers.find("Cache-Control")) field("Cache-Control", "no-store");
  field("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : headers.all()) field(name, value);
  if (!keep_alive_) field("Connection", "close");
  if (old_client_ && keep_alive_) field("Connection", "keep-alive");
  return head + "\r\n";
}

void RequestContext::respond(Response response) {
  WARIFU_CHECK(state_ == State::kOpen);
  state_ = State::kAnswered;
  status_ = response.status;
  if (expects_continue_ && !reader_.body_done()) keep_alive_ = false;
  const bool bodyless =
      request_.method == Method::kHead || response.status == 204 || response.status == 304;
  const std::string head =
      head_text(response.status, response.content_type, response.headers, response.body.size());
  (void)send_head_and(head,
                      bodyless ? ByteView() : response.body.view());  // a lost client: broken_
  if (secret_) response.body.wipe();
}

Result<> RequestContext::begin_stream(int status, std::string_view content_type,
                                      const Headers& headers, std::optional<std::uint64_t> length) {
  WARIFU_CHECK(state_ == State::kOpen);
  state_ = State::kStreaming;
  status_ = status;
  if (expects_continue_ && !reader_.body_done()) keep_alive_ = false;
  left_ = length;
  chunked_ = !length && !old_client_;
  if (!length && old_client_) keep_alive_ = false;
  return send(as_bytes(head_text(status, content_type, headers, length)));
}

Result<> RequestContext::write(ByteView bytes) {
  WARIFU_CHECK(state_ == State::kStreaming);
  if (left_) {
    WARIFU_CHECK(bytes.size() <= *left_);
    *left_ -= bytes.size();
  }
  if (request_.method == Method::kHead || bytes.empty()) return {};
  if (!chunked_) return send(bytes);
  if (piece_.empty()) piece_ = secret::Buffer(kChunkBytes + kFraming);
  while (!bytes.empty()) {
    const ByteView part = bytes.first(std::min(bytes.size(), kChunkBytes));
    std::array<char, kFraming> size{};
    const int digits = std::snprintf(size.data(), size.size(), "%zx\r\n", part.size());
    const auto start = static_cast<std::size_t>(digits);
    copy_bytes(piece_.bytes(), as_bytes({size.data(), start}));
    copy_bytes(piece_.bytes().subspan(start), part);
    copy_bytes(piece_.bytes().subspan(start + part.size()), as_bytes("\r\n"));
    TRY(send(piece_.bytes().first(start + part.size() + 2)));
    bytes = bytes.subspan(part.size());
  }
  return {};
}

Result<> RequestContext::begin_feed(std::shared_ptr<Feed> feed, std::string_view content_type,
                                    const Headers& headers) {
  if (!room_for_feed_) return fail(Code::kBusy, "as many clients follow as this site serves");
  if (old_client_ || request_.method == Method::kHead) {
    return fail(Code::kBusy, "a feed is for GET with HTTP/1.1");
  }
  TRY(begin_stream(200, content_type, headers));
  state_ = State::kAnswered;
  feed_ = std::move(feed);
  return {};
}

Result<> RequestContext::finish() {
  WARIFU_CHECK(state_ == State::kStreaming && left_.value_or(0) == 0);
  piece_ = secret::Buffer();
  if (chunked_ && request_.method != Method::kHead) TRY(send(as_bytes("0\r\n\r\n")));
  state_ = State::kAnswered;
  return {};
}

}  // namespace warifu::http
