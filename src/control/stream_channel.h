// Key streams over the channel: the way out, and the handlers for what comes in.
#pragma once

#include "channel/server.h"
#include "kme/key_streams.h"

namespace warifu::control {

// Thread-safe. `caller` must outlive it.
class StreamChannel final : public kme::StreamCarrier {
 public:
  StreamChannel(channel::Caller& caller, os::Random& random)
      : caller_(caller), job_(os::random_id<JobId>(random)) {}

  [[nodiscard]] Result<kme::DrawnFrames> draw(const SiteName& peer,
                                              const kme::StreamBlockHead& head, std::size_t frames,
                                              std::size_t frame_bytes) override;
  [[nodiscard]] Result<> tell(const SiteName& peer, kme::StreamMethod method, Bytes body) override;

 private:
  channel::Caller& caller_;
  JobId job_;  // has no lease: what leases promise stays
};

// `streams` must outlive the server.
void add_stream_handlers(channel::Server& server, kme::KeyStreams& streams);

}  // namespace warifu::control
