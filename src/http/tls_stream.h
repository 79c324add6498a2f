// TLS on a connection: an os::ByteStream over another one.
//
// Invariants: plain bytes pass only after the handshake. An end of the transport without the peer's
// orderly end is an error, never an end of the data.
// Thread rule: one reader and one writer at a time, as for every stream; the session inside is
// locked only while it computes, never while a thread waits. handshake(), or handshake_step() until
// it is done, before anything else, by one thread at a time.
#pragma once

#include <atomic>
#include <mutex>

#include "crypto/tls.h"
#include "os/net.h"

namespace warifu::http {

class TlsStream final : public os::ByteStream {
 public:
  // `host`: the name or address dialled by a client; ignored for a server.
  [[nodiscard]] static Result<std::unique_ptr<TlsStream>> wrap(
      std::unique_ptr<os::ByteStream> transport, std::shared_ptr<const crypto::TlsContext> context,
      const std::string& host);
  // Sends the orderly end if that is possible at once.
  ~TlsStream() override;

  // Completes within `limit` or fails. Errors: kRefused, kProtocol, kTimeout, kUnavailable.
  [[nodiscard]] Result<> handshake(std::chrono::milliseconds limit);
  // A server's, without waiting for the client: takes what is there to read, which must be
  // something, and answers it. False: the client has to say more. Errors: as handshake().
  [[nodiscard]] Result<bool> handshake_step(std::chrono::milliseconds limit);
  // The verified peer; valid after the handshake.
  [[nodiscard]] const crypto::PeerIdentity& peer() const { return peer_; }

  [[nodiscard]] Result<std::size_t> read_some(MutableBytes out) override;
  [[nodiscard]] Result<> write_all(ByteView bytes) override;
  [[nodiscard]] bool has_buffered() const override;
  [[nodiscard]] int descriptor() const override { return transport_->descriptor(); }
  void set_timeout(std::chrono::milliseconds timeout) override { transport_->set_timeout(timeout); }
  // The stream below: only for what happens after a failed handshake.
  [[nodiscard]] os::ByteStream& transport() { return *transport_; }
  void shutdown() override { transport_->shutdown(); }
  // Gives record memory back while the connection idles.
  void release_memory();

 private:
  TlsStream(std::unique_ptr<os::ByteStream> transport, std::unique_ptr<crypto::TlsSession> session)
      : transport_(std::move(transport)), session_(std::move(session)) {}
  Result<bool> answer_peer();
  Result<> fill();
  Result<> flush();

  std::unique_ptr<os::ByteStream> transport_;
  crypto::PeerIdentity peer_;
  bool complete_ = false;
  std::atomic<bool> broken_ = false;  // the record stream ended in the middle; no farewell

  mutable std::mutex session_mutex_;
  std::unique_ptr<crypto::TlsSession> session_;
  std::unique_ptr<Byte[]> incoming_;  // records that the session is fed with; the reader's

  std::mutex write_mutex_;  // held while records are on their way out, so that they stay in order
  Bytes outgoing_;
};

}  // namespace warifu::http
