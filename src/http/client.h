// A blocking HTTP/1.1 client that keeps its one connection alive.
//
// A request is repeated by itself only when that cannot do harm: it is idempotent, its body can be
// sent again, and a connection that had been idle died before a byte of the answer. One thread at a
// time. Destroying the client closes the connection.
#pragma once

#include <functional>

#include "http/reader.h"
#include "http/tls_stream.h"

namespace warifu::http {

// Where a server is: a Unix socket, or host and port with TLS (plain without a context).
struct Endpoint {
  std::string unix_path;
  os::HostPort address;
  std::shared_ptr<const crypto::TlsContext> tls;

  // "https://host:port", "http://host:port" or "unix:PATH".
  [[nodiscard]] std::string text() const;
};

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};  // for the TLS handshake as well
  std::chrono::milliseconds answer_timeout{60'000};  // for the head of an answer
  std::chrono::milliseconds io_timeout{30'000};      // for each wait while a body moves
  std::size_t max_body = 64 * 1024 * 1024;           // of an answer held in memory
  bool secret_bodies = false;                        // answers live in secret memory
};

// Fills a buffer with the next bytes of an upload; 0 at the end.
using BodySource = std::function<Result<std::size_t>(MutableBytes)>;
// Takes the next bytes of a download.
using BodySink = std::function<Result<>(ByteView)>;

class Client {
 public:
  Client(Endpoint endpoint, ClientOptions options)
      : endpoint_(std::move(endpoint)), options_(options) {}

  // Any status is a value. Errors, all naming the endpoint: kUnavailable, kTimeout, kRefused (TLS),
  // kProtocol, kUnknownOutcome (the connection died after a request that is not idempotent was
  // sent), kInvalidArgument (a target or field that cannot be sent), kNoSpace (answer above
  // max_body).
  [[nodiscard]] Result<Response> request(const Request& request);
  // The body comes from `source`: exactly `length` bytes, or chunks when there is none.
  [[nodiscard]] Result<Response> upload(const Request& request, std::optional<std::uint64_t> length,
                                        const BodySource& source);
  // The body of a 2xx answer goes to `sink`; other answers come back whole.
  [[nodiscard]] Result<Response> download(const Request& request, const BodySink& sink);

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  // The verified server; nullptr without TLS or without a connection.
  [[nodiscard]] const crypto::PeerIdentity* peer() const;
  void close();

 private:
  struct Transfer {
    const BodySource* source = nullptr;
    std::optional<std::uint64_t> length;
    const BodySink* sink = nullptr;
  };
  Result<Response> perform(const Request& request, const Transfer& transfer);
  Result<> connect();
  [[nodiscard]] bool alive() const;
  Result<Response> exchange(const Request& request, const Transfer& transfer);
  Result<> send_request(const Request& request, const Transfer& transfer);
  Result<> send_source(const Transfer& transfer);
  Result<Response> receive(const Request& request, const Transfer& transfer);
  Result<> receive_body(Response& response, const MessageHead& head, const Transfer& transfer);

  Endpoint endpoint_;
  ClientOptions options_;
  std::unique_ptr<os::ByteStream> stream_;
  TlsStream* tls_ = nullptr;  // the same stream, when it is one
  std::unique_ptr<MessageReader> reader_;
  bool answered_ = false;       // a byte of the present answer has come
  bool source_failed_ = false;  // the caller's own source or sink gave the error
};

}  // namespace warifu::http
