// Moving records between a session and its transport.
#include "http/tls_stream.h"

#include <algorithm>

namespace warifu::http {
namespace {
constexpr std::size_t kReadBytes = 32 * 1024;
constexpr std::size_t kWriteBytes = 64 * 1024;  // plain bytes of one send
constexpr std::chrono::milliseconds kFarewell(50);
}  // namespace

Result<std::unique_ptr<TlsStream>> TlsStream::wrap(
    std::unique_ptr<os::ByteStream> transport, std::shared_ptr<const crypto::TlsContext> context,
    const std::string& host) {
  TRY_ASSIGN(auto session, crypto::TlsSession::start(std::move(context), host));
  return std::unique_ptr<TlsStream>(new TlsStream(std::move(transport), std::move(session)));
}

TlsStream::~TlsStream() {
  if (!complete_ || broken_) return;
  session_->close();
  transport_->set_timeout(kFarewell);
  (void)flush();  // the peer may be gone; it then sees a cut connection, as it should
}

// Computes with what has been fed, and sends what comes of it; true when the handshake is complete.
Result<bool> TlsStream::answer_peer() {
  const auto step = session_->handshake();
  const auto sent = flush();  // also after a failed step: it may be an alert
  if (!step) {
    broken_ = true;
    return std::unexpected(step.error());
  }
  TRY(sent);
  if (!*step) return false;
  TRY_ASSIGN(peer_, session_->peer_identity());
  complete_ = true;
  return true;
}

Result<> TlsStream::handshake(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    TRY_ASSIGN(const bool done, answer_peer());
    if (done) return {};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(Code::kTimeout, "the TLS handshake took too long");
    transport_->set_timeout(left);
    TRY(fill());
  }
}

Result<bool> TlsStream::handshake_step(std::chrono::milliseconds limit) {
  transport_->set_timeout(limit);
  TRY(fill());
  return answer_peer();
}

// Reads records from the transport and feeds the session; the session must have none left.
Result<> TlsStream::fill() {
  // Not zeroed: the buffer is given back whenever the connection idles.
  if (incoming_ == nullptr) incoming_ = std::make_unique_for_overwrite<Byte[]>(kReadBytes);
  const MutableBytes records(incoming_.get(), kReadBytes);
  TRY_ASSIGN(const std::size_t got, transport_->read_some(records));
  if (got == 0) {
    return fail(Code::kUnavailable, complete_ ? "connection cut off without an orderly end"
                                              : "connection closed during the TLS handshake");
  }
  const std::lock_guard lock(session_mutex_);
  session_->feed(records.first(got));
  return {};
}

Result<> TlsStream::flush() {
  const std::unique_lock writing(write_mutex_, std::try_to_lock);
  if (!writing) return {};  // the writer at work takes it along
  {
    const std::lock_guard lock(session_mutex_);
    if (!session_->has_output()) return {};
    session_->take_output(outgoing_);
  }
  return transport_->write_all(outgoing_);
}

Result<std::size_t> TlsStream::read_some(MutableBytes out) {
  WARIFU_CHECK(complete_ && !out.empty());
  for (;;) {
    Result<std::size_t> got = 0;
    bool reply = false;
    {
      const std::lock_guard lock(session_mutex_);
      got = session_->read(out);
      if (got && *got == 0 && session_->closed()) return 0;
      reply = session_->has_output();
    }
    if (reply) {
      if (const auto sent = flush(); !sent && got) return std::unexpected(sent.error());
    }
    if (!got) broken_ = true;
    if (!got || *got > 0) return got;
    TRY(fill());
  }
}

Result<> TlsStream::write_all(ByteView bytes) {
  WARIFU_CHECK(complete_);
  const std::lock_guard writing(write_mutex_);
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min(bytes.size(), kWriteBytes));
    {
      const std::lock_guard lock(session_mutex_);
      TRY(session_->write(piece));
      session_->take_output(outgoing_);
    }
    if (const auto sent = transport_->write_all(outgoing_); !sent) {
      broken_ = true;
      return sent;
    }
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

bool TlsStream::has_buffered() const {
  const std::lock_guard lock(session_mutex_);
  return complete_ && session_->has_plain();
}

void TlsStream::release_memory() {
  const std::lock_guard writing(write_mutex_);
  const std::lock_guard lock(session_mutex_);
  Bytes().swap(outgoing_);
  if (session_->needs_input()) incoming_.reset();
}

}  // namespace warifu::http
