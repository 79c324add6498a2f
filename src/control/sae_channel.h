// Keys of applications over the channel: the way out, and the handlers for what comes in.
#pragma once

#include "channel/server.h"
#include "kme/sae_keys.h"

namespace warifu::control {

// Thread-safe. `caller` must outlive it.
class SaeChannel final : public kme::SaeCarrier {
 public:
  SaeChannel(channel::Caller& caller, os::Random& random)
      : caller_(caller), job_(os::random_id<JobId>(random)) {}

  [[nodiscard]] Result<secret::Buffer> draw(const SiteName& peer, const kme::BlockHead& head,
                                            std::size_t bytes) override;
  [[nodiscard]] Result<> tell(const SiteName& peer, kme::SaeMethod method, Bytes body,
                              const secret::Buffer& keys) override;

 private:
  channel::Caller& caller_;
  JobId job_;  // has no lease: what leases promise stays
};

// `saes` must outlive the server.
void add_sae_handlers(channel::Server& server, kme::SaeKeys& saes);

}  // namespace warifu::control
