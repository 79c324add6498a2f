// TLS 1.3 (and 1.2) with certificates on both sides, as a state machine without sockets: plain
// bytes on one side, records on the other. http/tls_stream.h puts it on a connection.
//
// Invariants: the peer's certificate is demanded and verified against the one CA file, for its use
// (server or client), and on the client also for the name that was dialled; only a server whose
// configuration says so (anonymous_clients) asks for none, and then knows nobody. No session is
// ever resumed, so that every connection verifies again. Plain copies inside OpenSSL are wiped.
// Ownership: a session keeps its context alive. Thread rule: a context may be shared; a session is
// used by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"

struct bio_st;
struct ssl_ctx_st;
struct ssl_st;

namespace warifu::crypto {

struct TlsConfig {
  std::string certificate_path;  // own certificate, PEM; a chain may follow it
  std::string key_path;          // its private key, PEM, not encrypted
  std::string ca_path;           // certificates that sign the peers', PEM
  // Servers only: clients show no certificate, ca_path is not read, and who they are must be shown
  // otherwise, in every request.
  bool anonymous_clients = false;
};

// Who the verified certificate of the other end names.
struct PeerIdentity {
  std::string common_name;        // empty when there is none
  std::vector<std::string> uris;  // URI names, in the certificate's order
  // SHA-256 of the certificate's DER form, 64 lower-case hexadecimal digits: what
  // `openssl x509 -fingerprint -sha256` prints without colons.
  std::string fingerprint = {};
};

// Public for tests: reads the names of a PEM certificate. Errors: kRefused for two common names,
// an embedded NUL or a character that is not printable; kCorrupt when it is no certificate.
[[nodiscard]] Result<PeerIdentity> identity_of_pem(const std::string& pem);

enum class TlsSide { kServer, kClient };

class TlsContext {
 public:
  // Errors: kNotFound, kCorrupt or kInvalidArgument, naming the file and the reason.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> load(TlsSide side,
                                                                      const TlsConfig& config);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] TlsSide side() const { return side_; }

 private:
  friend class TlsSession;
  TlsContext(TlsSide side, bool anonymous, ssl_ctx_st* context)
      : side_(side), anonymous_(anonymous), context_(context) {}

  TlsSide side_;
  bool anonymous_;  // clients
  ssl_ctx_st* context_;
};

class TlsSession {
 public:
  // `host` is the name or IP address that a client dialled; ignored on the server.
  [[nodiscard]] static Result<std::unique_ptr<TlsSession>> start(
      std::shared_ptr<const TlsContext> context, const std::string& host);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // One step of the handshake: true when it is complete, false when it needs records from the peer.
  // Take and send the output after every step, also after a failed one (it may hold an alert).
  // Errors: kRefused when either side does not accept the other's certificate, kProtocol.
  [[nodiscard]] Result<bool> handshake();
  // Up to out.size() plain bytes. 0: feed more records, unless closed(). Errors: kRefused (the
  // peer's alert; on TLS 1.3 it may come only now), kCorrupt (changed records), kProtocol.
  [[nodiscard]] Result<std::size_t> read(MutableBytes out);
  // Turns plain bytes into records in the output. Errors: kProtocol.
  [[nodiscard]] Result<> write(ByteView plain);
  // Puts the orderly end into the output.
  void close();

  // Records from the transport. The view must stay valid until a call returned "need more"; feed
  // only when all earlier records were taken (needs_input()).
  void feed(ByteView records);
  [[nodiscard]] bool needs_input() const { return input_.empty(); }
  // Replaces `into` by the records for the transport since the last call; reuses its memory.
  void take_output(Bytes& into);
  [[nodiscard]] bool has_output() const { return !output_.empty(); }

  // True when read() would return bytes without being fed.
  [[nodiscard]] bool has_plain();
  // The peer ended the session in order.
  [[nodiscard]] bool closed() const { return closed_; }
  // After the handshake; empty names and fingerprint of an anonymous client. Errors: see
  // identity_of_pem().
  [[nodiscard]] Result<PeerIdentity> peer_identity() const;

 private:
  friend struct TlsTransport;
  explicit TlsSession(std::shared_ptr<const TlsContext> context) : context_(std::move(context)) {}
  std::unexpected<Error> failure(const char* during);

  std::shared_ptr<const TlsContext> context_;
  ssl_st* ssl_ = nullptr;
  ByteView input_;
  Bytes output_;
  bool closed_ = false;
  bool complete_ = false;
};

}  // namespace warifu::crypto
