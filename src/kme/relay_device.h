// Relayed key: what stands in the place of a key device on a link between sites that have none.
//
// The leading end draws fresh random numbers, a part for each of k node-disjoint paths, and sends
// each part over its path, from site to site under one-time pad. The key is the XOR of the parts:
// with k >= 2 no single relay knows anything about it; with k = 1, which must be configured, each
// relay on the path knows all of it. At the far end the parts wait in memory until the leading end
// offers the transfer (kme/intake.h), whose comparison, order and crash rules are those of any
// device. Nothing of a part ever touches a disk.
//
// Invariants: a transfer becomes key only when all of its parts are there, over disjoint paths, as
// many as the link is configured for; the far end keeps one transfer at a time. Thread rule:
// fresh() by the intake's thread, take_part() by the channel's, by_ids() by either.
#pragma once

#include <map>
#include <mutex>

#include "kme/intake.h"
#include "kme/random_source.h"
#include "kme/relay_part.h"

namespace warifu::kme {

// The way over other sites: the channel, or a test.
class PartCarrier {
 public:
  virtual ~PartCarrier() = default;
  // The links over which key for `peer` may travel, with what is known of them now.
  [[nodiscard]] virtual std::vector<RelayEdge> edges(const SiteName& peer) = 0;
  // Would every site of the path pass such a part on? Costs a few hundred bytes of key a hop.
  [[nodiscard]] virtual PartVerdict ask(const PartHead& head) = 0;
  // Sends it; accepted means that the far end holds it and every relay has wiped it.
  [[nodiscard]] virtual PartVerdict carry(const PartHead& head, const secret::Buffer& part) = 0;
};

struct RelaySettings {
  SiteName self, peer;
  unsigned paths = 2;                          // 1..kMaxRelayPaths; fewer are never used
  std::uint32_t part_bytes = kRelayPartBytes;  // the channel carries this size only
};

class RelayDevice final : public KeyDevice {
 public:
  RelayDevice(os::System system, RelaySettings settings, RandomSource& random, PartCarrier& carrier)
      : system_(system), settings_(std::move(settings)), random_(random), carrier_(carrier) {}

  // One transfer. Errors: kUnavailable when there are not enough disjoint paths with key, naming
  // who refused; those of the random source.
  [[nodiscard]] Result<std::vector<DeviceKey>> fresh(std::size_t most) override;
  [[nodiscard]] Result<std::vector<DeviceKey>> by_ids(const std::vector<std::string>& ids) override;
  [[nodiscard]] keypool::Origin origin() const override { return keypool::Origin::kRelayed; }

  // Ways for messages about a transfer: those of its parts, then any other path that does not
  // refuse. For the intake's thread.
  [[nodiscard]] std::vector<RelayPath> letter_paths();

  // The far end: whether a part would be taken, and taking it. `from` is the last relay. Errors:
  // kRefused with the reason.
  [[nodiscard]] Result<> check_part(const PartHead& head) const;
  [[nodiscard]] Result<> take_part(const PartHead& head, secret::Buffer part);

 private:
  using Hop = std::pair<SiteName, SiteName>;
  Result<std::vector<PartHead>> agree();
  Result<std::vector<RelayPath>> plan();
  std::vector<RelayEdge> usable_edges();
  void avoid(const PartHead& head, const PartVerdict& verdict);

  os::System system_;
  RelaySettings settings_;
  RandomSource& random_;
  PartCarrier& carrier_;

  // Of the leading end: hops that refused, until when, and why.
  struct Refusal {
    std::chrono::nanoseconds until{0};
    std::string why;
  };
  std::map<Hop, Refusal> refusals_;
  std::vector<RelayPath> last_paths_;

  struct Arrived {
    RelayPath path;
    secret::Buffer bytes;
  };
  mutable std::mutex mutex_;
  TransferId arriving_;
  std::uint8_t expected_ = 0;
  std::map<std::uint8_t, Arrived> arrived_;
};

}  // namespace warifu::kme
