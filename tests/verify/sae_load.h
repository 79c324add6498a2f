// One keep-alive connection of an application to a site's key server, driven by an event loop.
//
// Cheap, so that it can share a machine with what it measures: no thread, no allocation per
// request. Ownership: holds its socket. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "crypto/tls.h"

namespace warifu::verify {

class LoadConnection {
 public:
  using Clock = std::chrono::steady_clock;
  enum class State { kGreeting, kIdle, kWaiting, kBroken };

  // Connects to a port of 127.0.0.1 (the server is dialled as "localhost") and starts the TLS
  // handshake. Errors: kUnavailable.
  [[nodiscard]] static Result<std::unique_ptr<LoadConnection>> open(
      std::uint16_t port, std::shared_ptr<const crypto::TlsContext> tls);
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  [[nodiscard]] int descriptor() const { return socket_; }
  [[nodiscard]] State state() const { return state_; }
  // Why it is kBroken.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  // Sends a whole request; only when kIdle.
  void ask(std::string_view request);
  // Takes what has arrived. True when an answer has become whole; state() is kIdle again then.
  bool on_readable();
  [[nodiscard]] int status() const { return status_; }           // of the last answer
  [[nodiscard]] std::string_view body() const { return body_; }  // of the last answer
  [[nodiscard]] Clock::duration latency() const { return latency_; }

 private:
  LoadConnection(int socket, std::unique_ptr<crypto::TlsSession> session)
      : socket_(socket), session_(std::move(session)) {}
  void send_output();
  bool greet();
  bool take_answer();
  bool fail_with(std::string problem);

  int socket_;
  std::unique_ptr<crypto::TlsSession> session_;
  State state_ = State::kGreeting;
  std::string problem_;
  Bytes outgoing_;
  std::string answer_;  // bytes of the answer so far
  std::string body_;
  int status_ = 0;
  Clock::time_point asked_;
  Clock::duration latency_{};
};

}  // namespace warifu::verify
