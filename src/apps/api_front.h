// The API of a site as others see it: the socket, where operators are configured also a listener
// with TLS, where pages are configured one on loopback, and in front of all of them the gate that
// knows the operators; and where [htsget] says so a listener for views alone, which go by their
// tokens.
//
// Ownership: configuration, system and log must outlive it, and everything in `services` the time
// from start() to stop(). One thread.
#pragma once

#include "api/routes.h"
#include "operators/gate.h"
#include "web/edge_gate.h"

namespace warifu::apps {

class ApiFront {
 public:
  ~ApiFront();
  // Takes the addresses; nobody is served yet. The socket comes last: whoever finds it finds every
  // other port of the site too. Errors: those of listening, and of the certificate files.
  [[nodiscard]] static Result<std::unique_ptr<ApiFront>> open(const config::SiteConfig& config,
                                                              os::System system, audit::Log& log);
  ApiFront(const ApiFront&) = delete;
  ApiFront& operator=(const ApiFront&) = delete;

  void start(api::Services services);
  // Idempotent; without start() nothing happens.
  void stop();

 private:
  explicit ApiFront(const config::SiteConfig& config);
  Result<> listen_tls();
  Result<> listen_for_views();
  void start_views(const api::Services& services);
  http::Router router(const api::Services& services,
                      std::shared_ptr<http::Gatekeeper> keeper) const;

  const config::SiteConfig& config_;
  std::unique_ptr<operators::TwoPersons> two_persons_;   // nullptr: that rule is off
  std::unique_ptr<operators::Passphrases> passphrases_;  // nullptr: no second factor
  std::shared_ptr<operators::Gate> gate_;  // nullptr: everybody at the socket may do everything
  std::shared_ptr<const crypto::TlsContext> tls_;
  std::unique_ptr<os::Listener> tls_listener_;
  std::shared_ptr<const crypto::TlsContext> views_tls_;  // nullptr: on loopback only
  std::unique_ptr<os::Listener> views_listener_;
  std::unique_ptr<os::Listener> socket_listener_;
  std::unique_ptr<os::Listener> pages_listener_;
  std::unique_ptr<web::Sessions> sessions_;  // nullptr: no pages on loopback
  std::unique_ptr<api::EventHub> events_;
  std::unique_ptr<http::Server> pages_;
  std::unique_ptr<http::Server> socket_;
  std::unique_ptr<http::Server> remote_;
  std::unique_ptr<http::Server> views_;
};

// Where hashes of operators' passphrases stand.
[[nodiscard]] std::string passphrase_folder(const config::SiteConfig& config);
// What is to be said about a site that knows no operators.
[[nodiscard]] const char* single_operator_text();

}  // namespace warifu::apps
