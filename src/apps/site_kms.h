// What a site serves to applications where its configuration has [kms]: keys by ETSI GS QKD 014,
// random numbers, and key streams at a socket of this machine.
//
// Ownership: the site's parts must outlive it. Thread rule: the owner's thread.
#pragma once

#include "assembly/share_parts.h"
#include "control/sae_channel.h"
#include "control/stream_channel.h"
#include "http/server.h"
#include "kme/sae_keys.h"
#include "kme/stream_server.h"

namespace warifu::apps {

class SiteKms {
 public:
  struct Listeners {
    std::unique_ptr<os::Listener> keys;
    std::unique_ptr<os::Listener> streams;  // nullptr: no key streams
  };
  // Takes the addresses; nobody is served yet. Errors: those of listening.
  [[nodiscard]] static Result<Listeners> listen(const kme::SaeSettings& settings);
  // Adds the handlers by which sites tell one another of applications' keys. Errors: those of the
  // certificate files and of the stores of keys.
  [[nodiscard]] static Result<std::unique_ptr<SiteKms>> open(assembly::ShareParts& site,
                                                             const kme::SaeSettings& settings,
                                                             Listeners listeners);
  SiteKms(const SiteKms&) = delete;
  SiteKms& operator=(const SiteKms&) = delete;

  void start();
  // Applications are served no more; their keys and streams stay for the handlers.
  void stop();

  [[nodiscard]] kme::SaeKeys& keys() { return *keys_; }
  // nullptr: no key streams.
  [[nodiscard]] kme::KeyStreams* streams() { return streams_.get(); }

 private:
  explicit SiteKms(assembly::ShareParts& site);
  void open_streams(std::unique_ptr<os::Listener> listener);
  Result<> open_server(const kme::SaeSettings& settings, std::unique_ptr<os::Listener> listener);

  assembly::ShareParts& site_;
  // Later ones use earlier ones and go first.
  control::SaeChannel key_channel_;
  control::StreamChannel stream_channel_;
  std::unique_ptr<kme::SaeKeys> keys_;
  std::unique_ptr<kme::KeyStreams> streams_;
  std::unique_ptr<kme::StreamServer> stream_server_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace warifu::apps
