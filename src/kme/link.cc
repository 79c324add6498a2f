// Leases and the inflow average.
#include "kme/link.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"

namespace warifu::kme {
namespace {
constexpr double kInflowAverageSeconds = 5.0;  // time constant of the inflow average
constexpr std::chrono::seconds kSyncPatience(30);
constexpr std::chrono::milliseconds kSyncPause(5);
}  // namespace

std::string_view link_class_name(LinkClass link_class) {
  switch (link_class) {
    case LinkClass::kQkd: return "qkd";
    case LinkClass::kPreshared: return "preshared";
    case LinkClass::kRelayed: return "relayed";
  }
  return "preshared";
}

Result<LinkClass> parse_link_class(std::string_view text) {
  if (text == "qkd") return LinkClass::kQkd;
  if (text == "preshared") return LinkClass::kPreshared;
  if (text == "relayed") return LinkClass::kRelayed;
  return fail(Code::kInvalidArgument, "link class '" + std::string(text) +
                                          "' must be \"qkd\", \"preshared\" or \"relayed\"");
}

Link::Link(SiteName peer, LinkClass link_class, std::unique_ptr<keypool::Pool> send,
           std::unique_ptr<keypool::Pool> receive, os::Clock& clock, const KeyLimits& limits)
    : peer_(std::move(peer)),
      link_class_(link_class),
      send_(std::move(send)),
      receive_(std::move(receive)),
      clock_(clock),
      limits_(limits),
      last_inflow_(clock.monotonic()) {}

void Link::lease(const JobId& job, ByteCount size, unsigned priority) {
  const std::lock_guard lock(mutex_);
  const auto it = std::ranges::find(leases_, job, &Lease::job);
  if (it != leases_.end() && it->priority == priority) {
    it->remaining = size.value;
    return;
  }
  if (it != leases_.end()) leases_.erase(it);
  const auto behind =
      std::ranges::find_if(leases_, [&](const Lease& lease) { return lease.priority < priority; });
  leases_.insert(behind, {job, size.value, priority});
}

void Link::release(const JobId& job) {
  const std::lock_guard lock(mutex_);
  std::erase_if(leases_, [&](const Lease& lease) { return lease.job == job; });
}

void Link::draw(const JobId& job, ByteCount size) {
  const std::lock_guard lock(mutex_);
  const auto it = std::ranges::find(leases_, job, &Lease::job);
  if (it != leases_.end()) it->remaining -= std::min(it->remaining, size.value);
}

std::uint64_t Link::drawable(const JobId& job, Urgency urgency) const {
  const std::uint64_t all = send_->status().available_bytes;
  const std::uint64_t available =
      all > limits::kControlFloorBytes ? all - limits::kControlFloorBytes : 0;
  const std::lock_guard lock(mutex_);
  const bool urgent = urgency == Urgency::kUrgent;
  std::uint64_t taken = urgent ? 0 : limits_.emergency_bytes;
  for (const Lease& lease : leases_) {
    if (lease.job == job) break;
    taken += lease.remaining;
  }
  const std::uint64_t free = available > taken ? available - taken : 0;
  return urgent ? std::max(free, std::min(available, limits_.emergency_bytes)) : free;
}

bool Link::carries_shares() const {
  return switches_ == nullptr || !switches_->is_off(SwitchKind::kTransport, peer_.text());
}

bool Link::key_becomes_shares(bool configured) const {
  if (switches_ == nullptr) return configured;
  const auto found = switches_->find(SwitchKind::kSharing, peer_.text());
  return found ? found->value == SwitchValue::kKey : configured;
}

std::uint64_t Link::relayable() const {
  if (!carries_shares()) return 0;
  const std::uint64_t residual = status().residual_bytes;
  return residual > limits_.relay_reserve_bytes ? residual - limits_.relay_reserve_bytes : 0;
}

bool Link::wait_drawable(const JobId& job, ByteCount size, std::chrono::milliseconds limit,
                         Urgency urgency) {
  const auto end = clock_.monotonic() + limit;
  for (;;) {
    const std::uint64_t now = drawable(job, urgency);
    if (now >= size.value) return true;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - clock_.monotonic());
    if (left.count() <= 0) return false;
    // New material wakes us; a lease that another job gives back is seen after 100 ms.
    const std::uint64_t wanted = send_->status().available_bytes + (size.value - now);
    (void)send_->wait_available(wanted, std::min(left, std::chrono::milliseconds(100)));
  }
}

void Link::note_inflow(ByteCount size) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.monotonic();
  const double seconds = std::chrono::duration<double>(now - last_inflow_).count();
  last_inflow_ = now;
  const double fade = std::exp(-seconds / kInflowAverageSeconds);
  inflow_bytes_per_second_ =
      inflow_bytes_per_second_ * fade + static_cast<double>(size.value) / kInflowAverageSeconds;
}

double Link::inflow_now() const {
  const double seconds = std::chrono::duration<double>(clock_.monotonic() - last_inflow_).count();
  return inflow_bytes_per_second_ * std::exp(-seconds / kInflowAverageSeconds);
}

void Link::note_devices(std::vector<DeviceStatus> devices) {
  const std::lock_guard lock(mutex_);
  devices_ = std::move(devices);
}

void Link::note_lost(ByteCount size, bool estimated) {
  const std::lock_guard lock(mutex_);
  saturation_.lost_bytes += size.value;
  saturation_.estimated = saturation_.estimated || estimated;
}

std::vector<std::string> Link::sample() {
  const keypool::PoolStatus send = send_->status();
  const keypool::PoolStatus receive = receive_->status();
  const auto now = clock_.monotonic();
  std::vector<std::string> changes;
  const std::lock_guard lock(mutex_);
  const auto measure = [&](DirectionMeter& meter, const keypool::PoolStatus& status,
                           const char* direction) {
    const KeyState before = meter.state();
    meter.sample(status, limits_, now);
    if (meter.state() == before) return;
    changes.push_back("link to " + peer_.text() + ", " + direction + ": key is " +
                      std::string(key_state_name(meter.state())) + ", " +
                      std::to_string(status.available_bytes) + " bytes");
  };
  measure(send_meter_, send, "sending");
  measure(receive_meter_, receive, "receiving");
  return changes;
}

void Link::pause_sync(std::chrono::milliseconds duration) {
  pause_end_ = clock_.monotonic() + duration;
}

Result<std::unique_lock<std::mutex>> Link::lock_sync() {
  ++sync_waiters_;
  std::unique_lock lock(sync_mutex_, std::try_to_lock);
  const auto end = clock_.monotonic() + kSyncPatience;
  while (!lock && clock_.monotonic() < end) {
    clock_.sleep(kSyncPause);
    (void)lock.try_lock();
  }
  --sync_waiters_;
  if (!lock) return fail(Code::kBusy, "link to " + peer_.text() + ": its intake is at work");
  return lock;
}

DirectionReport Link::report_of(const keypool::PoolStatus& status,
                                const DirectionMeter& meter) const {
  DirectionReport report{.available_bytes = status.available_bytes,
                         .reserved_bytes = status.reserved_bytes,
                         .floor_bytes = limits::kControlFloorBytes,
                         .unsynced_bytes = status.ingested_bytes,
                         .quarantined_bytes = status.quarantined_bytes};
  if (status.oldest_unused) {
    report.oldest_seconds = std::max(
        0.0, static_cast<double>((clock_.now().value - status.oldest_unused->value)) / 1e3);
  }
  meter.fill(report);
  return report;
}

LinkReport Link::report() const {
  const LinkStatus state = status();
  LinkReport report{.peer = peer_.text(), .link_class = std::string(link_class_name(link_class_))};
  const std::lock_guard lock(mutex_);
  report.send = report_of(state.send, send_meter_);
  report.send.leased_bytes = state.leased_bytes;
  report.send.emergency_bytes = limits_.emergency_bytes;
  report.send.residual_bytes = state.residual_bytes;
  report.receive = report_of(state.receive, receive_meter_);
  const std::uint64_t received = state.receive.available_bytes;
  report.receive.residual_bytes =
      received > limits::kControlFloorBytes ? received - limits::kControlFloorBytes : 0;
  report.saturation = saturation_;
  report.devices = devices_;
  report.relay_paths = relay_paths_;
  if (relay_ways_ != nullptr) report.ways = relay_ways_->sets();
  return report;
}

LinkStatus Link::status() const {
  LinkStatus status{.peer = peer_,
                    .link_class = link_class_,
                    .send = send_->status(),
                    .receive = receive_->status(),
                    .carries_shares = carries_shares()};
  const std::lock_guard lock(mutex_);
  for (const Lease& lease : leases_) status.leased_bytes += lease.remaining;
  const std::uint64_t taken =
      status.leased_bytes + limits::kControlFloorBytes + limits_.emergency_bytes;
  status.residual_bytes =
      status.send.available_bytes > taken ? status.send.available_bytes - taken : 0;
  status.inflow_bits_per_second = inflow_now() * 8;
  status.relay_paths = relay_paths_;
  if (relay_ways_ != nullptr) status.relays = relay_ways_->relays();
  for (const DeviceStatus& device : devices_) {
    if (!status.device_state.empty()) status.device_state += "; ";
    if (devices_.size() > 1) status.device_state += device.name + ": ";
    status.device_state += device.state;
  }
  return status;
}

}  // namespace warifu::kme
