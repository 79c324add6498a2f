// Wiring of the key server.
#include "apps/site_kms.h"

#include <algorithm>

#include "kme/entropy_routes.h"
#include "kme/etsi014_server.h"

namespace warifu::apps {

Result<SiteKms::Listeners> SiteKms::listen(const kme::SaeSettings& settings) {
  Listeners listeners;
  TRY_ASSIGN(listeners.keys, os::listen_tcp(settings.listen));
  if (settings.streams.socket.empty()) return listeners;
  const bool shared = std::ranges::any_of(
      settings.saes, [](const kme::SaeEntry& sae) { return !sae.users.empty(); });
  TRY_ASSIGN(listeners.streams, os::listen_unix(settings.streams.socket, shared ? 0660 : 0600));
  return listeners;
}

Result<std::unique_ptr<SiteKms>> SiteKms::open(assembly::ShareParts& site,
                                               const kme::SaeSettings& settings,
                                               Listeners listeners) {
  std::unique_ptr<SiteKms> kms(new SiteKms(site));
  const control::SiteContext& context = site.context();
  TRY_ASSIGN(kms->keys_,
             kme::SaeKeys::open(context.system, context.config.data_dir + "/sae-keys",
                                context.config.name, settings, context.keys, kms->key_channel_));
  control::add_sae_handlers(site.server(), *kms->keys_);
  if (listeners.streams != nullptr) kms->open_streams(std::move(listeners.streams));
  TRY(kms->open_server(settings, std::move(listeners.keys)));
  return kms;
}

SiteKms::SiteKms(assembly::ShareParts& site)
    : site_(site),
      key_channel_(site.caller(), site.context().system.random),
      stream_channel_(site.caller(), site.context().system.random) {}

// For applications on this machine; the settings are those that `keys_` keeps.
void SiteKms::open_streams(std::unique_ptr<os::Listener> listener) {
  const control::SiteContext& context = site_.context();
  streams_ =
      std::make_unique<kme::KeyStreams>(context.system, context.config.name, keys_->settings(),
                                        context.keys, keys_->gate(), stream_channel_);
  control::add_stream_handlers(site_.server(), *streams_);
  stream_server_ = std::make_unique<kme::StreamServer>(std::move(listener), *streams_);
}

Result<> SiteKms::open_server(const kme::SaeSettings& settings,
                              std::unique_ptr<os::Listener> listener) {
  const control::SiteContext& context = site_.context();
  TRY_ASSIGN(auto tls, crypto::TlsContext::load(crypto::TlsSide::kServer,
                                                {settings.certificate, settings.key, settings.ca}));
  http::Router router;
  kme::add_etsi014_routes(router, *keys_, keys_->identities(), &keys_->gate().refusals());
  kme::add_entropy_routes(router, context.system, context.keys.random(), keys_->gate(),
                          keys_->identities());
  // A worker waits while its order is made durable at both ends; many share one message.
  const http::ServerOptions options{.workers = 64, .max_connections = 2048};
  server_ = std::make_unique<http::Server>(std::move(listener), std::move(tls), std::move(router),
                                           options);
  return {};
}

void SiteKms::start() {
  keys_->start();
  server_->start();
  if (stream_server_ != nullptr) stream_server_->start();
}

void SiteKms::stop() {
  server_->stop();
  if (streams_ == nullptr) return;
  streams_->stop();
  stream_server_->stop();
}

}  // namespace warifu::apps
