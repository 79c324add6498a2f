// Relayed key over the channel: the way of its parts (request 105) and of the messages about them
// (request 106) from site to site, at the end that makes it, at relays, and at the far end.
//
// A relay opens a part under the pad of the link it came over, holds it in locked memory, seals it
// under the pad of the next link of the path, and wipes it when the next site has answered; it
// writes nothing. It refuses when its next link has too little key: relaying never touches the
// control floor, the emergency reserve, leases of jobs, or the link's relay_reserve. Thread-safe;
// handlers run on the channel's threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>

#include "control/share_service.h"
#include "kme/relay_device.h"
#include "planner/placement.h"

namespace warifu::control {

class KeyRelay final : public kme::PartCarrier {
 public:
  explicit KeyRelay(SiteContext& site) : site_(site) {}

  // What the intake of the link to `peer` answers.
  using Answer =
      std::function<Result<Bytes>(const SiteName& peer, kme::IntakeMethod method, ByteView body)>;

  // Makes what stands in the place of a device on the relayed link to `peer`. Before serving.
  kme::RelayDevice& add_link(const SiteName& peer);
  void add_handlers(channel::Server& server, Answer answer);

  // A message of the intake to the other end of the relayed link, along a path that works. Errors:
  // the far end's; kUnavailable, kOutOfKey when no path works.
  [[nodiscard]] Result<Bytes> tell(const SiteName& peer, kme::IntakeMethod method,
                                   const Bytes& body);

  [[nodiscard]] std::vector<kme::RelayEdge> edges(const SiteName& peer) override;
  [[nodiscard]] kme::PartVerdict ask(const kme::PartHead& head) override;
  [[nodiscard]] kme::PartVerdict carry(const kme::PartHead& head,
                                       const secret::Buffer& part) override;

 private:
  struct Told {
    std::vector<planner::EdgeState> edges;
    std::chrono::nanoseconds at{0};
  };
  Result<> serve(channel::Exchange& exchange);
  Result<> serve_letter(channel::Exchange& exchange);
  // This site's place on a path, when the request came from the neighbour before it.
  Result<std::size_t> place_in(const channel::Exchange& exchange, const kme::RelayPath& path) const;
  Result<kme::PartVerdict> answer(channel::Exchange& exchange, const kme::PartHead& head);
  // From this site, at `place` of the path, to the next; without a part it only asks.
  kme::PartVerdict pass_on(const kme::PartHead& head, std::size_t place,
                           const secret::Buffer* part);
  Result<kme::PartVerdict> send(const kme::PartHead& head, const SiteName& next,
                                const secret::Buffer* part);
  void look_at(const std::set<SiteName>& sites);

  SiteContext& site_;
  Answer answer_;
  std::map<SiteName, std::unique_ptr<kme::RelayDevice>> devices_;
  std::atomic<int> held_ = 0;  // parts of others in memory
  std::mutex mutex_;
  std::map<SiteName, Told> told_;  // what sites said of their links
};

}  // namespace warifu::control
