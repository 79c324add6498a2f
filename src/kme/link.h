// A link as the key manager sees it: the two pools of one pair of sites at this end, the leases on
// the sending pool, and the inflow.
//
// A lease promises pad of the sending direction to a job before a byte moves. A job may draw what
// is available above the floor and above the leases of jobs before it; so two plans never count the
// same key, and the most urgent job is served first, then the oldest. The emergency reserve lies
// between the floor and the leases: only urgent jobs draw it, and leases do not reach down into it.
// Thread-safe. Ownership: the KeyManager owns links for the life of the process.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "keypool/pool.h"
#include "kme/key_report.h"
#include "kme/relay_ways.h"
#include "kme/switches.h"

namespace warifu::kme {

// kRelayed: no link of its own; its key comes over other sites (kme/relay_device.h).
enum class LinkClass : std::uint8_t { kQkd = 1, kPreshared = 2, kRelayed = 3 };
[[nodiscard]] std::string_view link_class_name(LinkClass link_class);
// Errors: kInvalidArgument unless "qkd", "preshared" or "relayed".
[[nodiscard]] Result<LinkClass> parse_link_class(std::string_view text);

struct LinkStatus {
  SiteName peer;
  LinkClass link_class = LinkClass::kPreshared;
  keypool::PoolStatus send;
  keypool::PoolStatus receive;
  std::uint64_t leased_bytes = 0;
  // Available to new jobs: send minus floor, emergency reserve and leases.
  std::uint64_t residual_bytes = 0;
  double inflow_bits_per_second = 0;  // moving average of the sending pool
  bool carries_shares = true;
  std::string device_state;  // of a qkd link: "delivering", "unreachable: ..."; else empty
  // Of a relayed link: over how many paths each key comes, and the relays that ever handled some.
  unsigned relay_paths = 0;
  std::set<SiteName> relays;
};

class Link {
 public:
  Link(SiteName peer, LinkClass link_class, std::unique_ptr<keypool::Pool> send,
       std::unique_ptr<keypool::Pool> receive, os::Clock& clock, const KeyLimits& limits = {});

  [[nodiscard]] const SiteName& peer() const { return peer_; }
  [[nodiscard]] LinkClass link_class() const { return link_class_; }
  // Of a relayed link, before it is used: over how many paths, and where the record is kept.
  void set_relay(unsigned paths, std::unique_ptr<RelayWays> ways) {
    relay_paths_ = paths;
    relay_ways_ = std::move(ways);
  }
  // Before it is used: the switches that it heeds. They must outlive it.
  void follow(const Switches& switches) { switches_ = &switches; }
  // False: no share of a new job may travel or be drawn over this direction (switches.h).
  [[nodiscard]] bool carries_shares() const;
  // Whether key of it may become shares, by the switch or else as configured.
  [[nodiscard]] bool key_becomes_shares(bool configured) const;
  // nullptr on other links.
  [[nodiscard]] RelayWays* relay_ways() const { return relay_ways_.get(); }
  // What relaying for others may take of the sending pool now: above the control floor, the
  // emergency reserve, all leases and the reserve that relaying leaves; nothing while shares may
  // not travel.
  [[nodiscard]] std::uint64_t relayable() const;
  [[nodiscard]] LinkId id() const { return send_->link(); }
  [[nodiscard]] keypool::Pool& send() { return *send_; }
  [[nodiscard]] keypool::Pool& receive() { return *receive_; }

  // Promises `size` bytes of the sending pool to a job; replaces an earlier lease of that job but
  // keeps its place in the queue. Leases of a higher priority (0 low, 1 usual, 2 urgent) stand
  // before older ones.
  void lease(const JobId& job, ByteCount size, unsigned priority = 1);
  void release(const JobId& job);
  // Lowers a job's lease by what it has drawn.
  void draw(const JobId& job, ByteCount size);
  enum class Urgency : std::uint8_t { kUsual, kUrgent };
  // Bytes that a job may draw now (0 when it has to wait).
  [[nodiscard]] std::uint64_t drawable(const JobId& job, Urgency urgency = Urgency::kUsual) const;
  // Waits until drawable() >= size or the time is over.
  [[nodiscard]] bool wait_drawable(const JobId& job, ByteCount size,
                                   std::chrono::milliseconds limit,
                                   Urgency urgency = Urgency::kUsual);

  // The intake tells what came in and how the device is.
  void note_inflow(ByteCount size);
  void note_devices(std::vector<DeviceStatus> devices);
  // Key that a device threw away or could have given, because the pool was full.
  void note_lost(ByteCount size, bool estimated);
  [[nodiscard]] LinkStatus status() const;

  // Once a second: averages and states. Says what changed, for the log.
  [[nodiscard]] std::vector<std::string> sample();
  [[nodiscard]] LinkReport report() const;

  // Held by whoever changes the set of segments together with the far end: a round of the intake,
  // reconciling, retiring.
  [[nodiscard]] std::mutex& sync_mutex() { return sync_mutex_; }
  // The same for those who come seldom; the intake gives way to them. Errors: kBusy after 30 s.
  [[nodiscard]] Result<std::unique_lock<std::mutex>> lock_sync();
  [[nodiscard]] bool sync_wanted() const { return sync_waiters_ > 0 || sync_paused(); }
  // No round of the intake begins before that time is over; 0 ends the pause. The caller holds
  // sync_mutex(), so none is under way either.
  void pause_sync(std::chrono::milliseconds duration);
  [[nodiscard]] bool sync_paused() const { return clock_.monotonic() < pause_end_.load(); }
  // While an operator reconciles: greetings may burn any amount of key to catch up.
  void allow_catch_up(bool any) { catch_up_any_ = any; }
  [[nodiscard]] bool may_catch_up() const { return catch_up_any_; }

 private:
  struct Lease {
    JobId job;
    std::uint64_t remaining;
    unsigned priority;
  };
  [[nodiscard]] double inflow_now() const;
  DirectionReport report_of(const keypool::PoolStatus& status, const DirectionMeter& meter) const;

  SiteName peer_;
  LinkClass link_class_;
  const Switches* switches_ = nullptr;
  std::unique_ptr<keypool::Pool> send_;
  std::unique_ptr<keypool::Pool> receive_;
  unsigned relay_paths_ = 0;
  std::unique_ptr<RelayWays> relay_ways_;
  os::Clock& clock_;
  const KeyLimits limits_;
  std::mutex sync_mutex_;
  std::atomic<int> sync_waiters_ = 0;
  std::atomic<std::chrono::nanoseconds> pause_end_{};
  std::atomic<bool> catch_up_any_ = false;

  mutable std::mutex mutex_;
  std::vector<Lease> leases_;  // the highest priority first, then the oldest
  double inflow_bytes_per_second_ = 0;
  std::chrono::nanoseconds last_inflow_{0};
  std::vector<DeviceStatus> devices_;
  Saturation saturation_;
  DirectionMeter send_meter_, receive_meter_;
};

}  // namespace warifu::kme
