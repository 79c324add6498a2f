// One exchange at a time: send, read the head, read the body, keep or drop the connection.
#include "http/client.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>

#include "http/body_builder.h"

namespace warifu::http {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kOneSend = 16 * 1024;
constexpr std::size_t kFraming = 16;
constexpr std::chrono::milliseconds kLastWords(1000);  // an answer after a failed upload

bool idempotent(Method method) {
  return method == Method::kGet || method == Method::kHead || method == Method::kPut ||
         method == Method::kDelete || method == Method::kOptions;
}

Result<> check_text(const char* what, std::string_view text, bool spaces) {
  const bool good = std::ranges::all_of(text, [&](char c) {
    return (c > 0x20 && c < 0x7F) || (spaces && (c == ' ' || c == '\t' || c < 0));
  });
  if (good) return {};
  return fail(Code::kInvalidArgument, std::string("an HTTP ") + what + " has a bad character");
}

}  // namespace

std::string Endpoint::text() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  return (tls != nullptr ? "https://" : "http://") + address.text();
}

const crypto::PeerIdentity* Client::peer() const {
  return tls_ != nullptr ? &tls_->peer() : nullptr;
}

void Client::close() {
  reader_.reset();
  tls_ = nullptr;
  stream_.reset();
}

Result<> Client::connect() {
  if (endpoint_.unix_path.empty()) {
    TRY_ASSIGN(stream_, os::connect_tcp(endpoint_.address, options_.connect_timeout));
  } else {
    TRY_ASSIGN(stream_, os::connect_unix(endpoint_.unix_path));
  }
  if (endpoint_.tls != nullptr) {
    TRY_ASSIGN(auto secured,
               TlsStream::wrap(std::move(stream_), endpoint_.tls, endpoint_.address.host));
    TRY(secured->handshake(options_.connect_timeout));
    tls_ = secured.get();
    stream_ = std::move(secured);
  }
  reader_ = std::make_unique<MessageReader>(*stream_, MessageReader::Kind::kResponse);
  return {};
}

// False when the server has closed an idle connection, or sent what nobody asked for.
bool Client::alive() const {
  if (reader_ == nullptr || reader_->has_buffered() || stream_->has_buffered()) return false;
  pollfd entry{stream_->descriptor(), POLLIN | POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) == 0;
}

Result<Response> Client::request(const Request& request) {
  return perform(request, {});
}

Result<Response> Client::upload(const Request& request, std::optional<std::uint64_t> length,
                                const BodySource& source) {
  return perform(request, {&source, length, nullptr});
}

Result<Response> Client::download(const Request& request, const BodySink& sink) {
  return perform(request, {nullptr, std::nullopt, &sink});
}

Result<Response> Client::perform(const Request& request, const Transfer& transfer) {
  TRY(check_text("target", request.target, false));
  for (const auto& [name, value] : request.headers.all()) {
    TRY(check_text("field name", name, false));
    TRY(check_text("field value", value, true));
  }
  for (bool repeated = false;; repeated = true) {
    const bool reused = alive();
    if (!reused) {
      close();
      if (auto made = connect(); !made) {
        close();
        return fail_in(endpoint_.text(), std::move(made).error());
      }
    }
    answered_ = false;
    source_failed_ = false;
    auto response = exchange(request, transfer);
    if (response) return response;
    Error error = std::move(response).error();
    close();
    if (source_failed_) return std::unexpected(std::move(error));
    const bool lost = error.code == Code::kUnavailable && !answered_;
    const bool harmless = idempotent(request.method) && transfer.source == nullptr;
    if (lost && harmless && reused && !repeated) continue;
    if (lost && !harmless) error.code = Code::kUnknownOutcome;
    return fail_in(endpoint_.text(), std::move(error));
  }
}

Result<Response> Client::exchange(const Request& request, const Transfer& transfer) {
  if (const auto sent = send_request(request, transfer); !sent) {
    if (source_failed_ || sent.error().code != Code::kUnavailable) {
      return std::unexpected(sent.error());
    }
    // A server that does not want the rest of a body may have said why before it closed.
    const auto head = reader_->read_head(std::chrono::steady_clock::now() + kLastWords);
    if (!head || !*head || (*head)->status < 400) {
      if (!head && head.error().code == Code::kRefused) return std::unexpected(head.error());
      return std::unexpected(sent.error());
    }
    Response response{(*head)->status, "", {}, (*head)->headers};
    answered_ = true;
    reader_->limit_body(kLastWords, std::chrono::steady_clock::now() + kLastWords);
    (void)receive_body(response, **head, {});  // the status alone is worth telling
    close();
    return response;
  }
  return receive(request, transfer);
}

Result<> Client::send_request(const Request& request, const Transfer& transfer) {
  std::string head(method_name(request.method));
  head.append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ");
  head.append(endpoint_.unix_path.empty() ? endpoint_.address.text() : "localhost").append("\r\n");
  for (const auto& [name, value] : request.headers.all()) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  const bool bodied = request.method == Method::kPost || request.method == Method::kPut ||
                      request.method == Method::kPatch || request.body.size() > 0;
  if (transfer.source != nullptr && !transfer.length) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (transfer.source != nullptr || bodied) {
    const std::uint64_t length = transfer.length.value_or(request.body.size());
    head += "Content-Length: " + std::to_string(length) + "\r\n";
  }
  head += "\r\n";
  stream_->set_timeout(options_.io_timeout);
  const ByteView body = transfer.source == nullptr ? request.body.view() : ByteView();
  if (head.size() + body.size() <= kOneSend) {
    secret::Buffer all(head.size() + body.size());
    copy_bytes(all.bytes(), as_bytes(head));
    copy_bytes(all.bytes().subspan(head.size()), body);
    TRY(stream_->write_all(all.bytes()));
  } else {
    TRY(stream_->write_all(as_bytes(head)));
    TRY(stream_->write_all(body));
  }
  return transfer.source == nullptr ? Result<>() : send_source(transfer);
}

Result<> Client::send_source(const Transfer& transfer) {
  secret::Buffer piece(kPieceBytes + kFraming);
  std::uint64_t left = transfer.length.value_or(UINT64_MAX);
  while (left > 0) {
    const std::size_t most = std::min<std::uint64_t>(left, kPieceBytes);
    // Framing of a chunk stands around the data: room for the size line in front.
    const std::size_t front = transfer.length ? 0 : kFraming / 2;
    auto got = (*transfer.source)(piece.bytes().subspan(front, most));
    if (got && *got == 0 && transfer.length) {
      got = fail(Code::kInvalidArgument, "the upload ended before its announced length");
    }
    if (!got) {
      source_failed_ = true;
      return std::unexpected(got.error());
    }
    if (transfer.length) {
      TRY(stream_->write_all(piece.bytes().first(*got)));
      left -= *got;
      continue;
    }
    char size[kFraming] = {};
    const int digits = std::snprintf(size, sizeof size, "%zx\r\n", *got);
    const auto digit_count = static_cast<std::size_t>(digits);
    const std::size_t start = front - digit_count;
    copy_bytes(piece.bytes().subspan(start), as_bytes({size, digit_count}));
    copy_bytes(piece.bytes().subspan(front + *got), as_bytes("\r\n"));  // after "0": the last chunk
    TRY(stream_->write_all(piece.bytes().subspan(start, digit_count + *got + 2)));
    if (*got == 0) break;
  }
  return {};
}

Result<Response> Client::receive(const Request& request, const Transfer& transfer) {
  const auto deadline = std::chrono::steady_clock::now() + options_.answer_timeout;
  for (;;) {
    auto head = reader_->read_head(deadline, request.method == Method::kHead);
    answered_ = reader_->started();
    if (!head) return std::unexpected(head.error());
    if (!*head) return fail(Code::kUnavailable, "the server closed the connection");
    if ((*head)->status == 101) return fail(Code::kProtocol, "the server switched protocols");
    if ((*head)->status < 200) continue;
    Response response{(*head)->status, "", {}, (*head)->headers};
    response.content_type = response.headers.find("Content-Type").value_or("");
    reader_->limit_body(options_.io_timeout, std::nullopt);
    TRY(receive_body(response, **head, transfer));
    if (!(*head)->keep_alive || (*head)->until_close) close();
    return response;
  }
}

Result<> Client::receive_body(Response& response, const MessageHead& head,
                              const Transfer& transfer) {
  if (transfer.sink != nullptr && response.status >= 200 && response.status < 300) {
    secret::Buffer piece(kPieceBytes);
    for (;;) {
      TRY_ASSIGN(const std::size_t got, reader_->read_body(piece.bytes()));
      if (got == 0) return {};
      if (auto taken = (*transfer.sink)(std::as_const(piece).bytes().first(got)); !taken) {
        source_failed_ = true;
        return taken;
      }
    }
  }
  const auto too_large = [&] {
    return fail(Code::kNoSpace,
                "the answer is larger than " + std::to_string(options_.max_body) + " bytes");
  };
  if (reader_->body_done()) return {};  // also an answer to HEAD that tells a length
  if (head.length.value_or(0) > options_.max_body) return too_large();
  BodyBuilder body(options_.secret_bodies, head.length.value_or(0));
  while (!reader_->body_done()) {
    const MutableBytes room = body.room(options_.max_body + 1);
    if (room.empty()) return too_large();
    TRY_ASSIGN(const std::size_t got, reader_->read_body(room));
    body.filled(got);
  }
  if (body.size() > options_.max_body) return too_large();
  response.body = body.take();
  return {};
}

}  // namespace warifu::http
