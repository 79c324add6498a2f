// Leases and the inflow average.
#include "kme/link.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"

namespace warifu::kme {
namespace {
constexpr double kAverageSeconds = 5.0;  // time constant of the inflow average
}

std::string_view link_class_name(LinkClass link_class) {
  return link_class == LinkClass::kQkd ? "qkd" : "preshared";
}

Result<LinkClass> parse_link_class(std::string_view text) {
  if (text == "qkd") return LinkClass::kQkd;
  if (text == "preshared") return LinkClass::kPreshared;
  return fail(Code::kInvalidArgument,
              "link class '" + std::string(text) + "' must be \"qkd\" or \"preshared\"");
}

Link::Link(SiteName peer, LinkClass link_class, std::unique_ptr<keypool::Pool> send,
           std::unique_ptr<keypool::Pool> receive, os::Clock& clock)
    : peer_(std::move(peer)),
      link_class_(link_class),
      send_(std::move(send)),
      receive_(std::move(receive)),
      clock_(clock),
      last_inflow_(clock.monotonic()) {}

void Link::lease(const JobId& job, ByteCount size) {
  const std::lock_guard lock(mutex_);
  const auto it = std::ranges::find(leases_, job, &Lease::job);
  if (it != leases_.end()) {
    it->remaining = size.value;
  } else {
    leases_.push_back({job, size.value});
  }
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

std::uint64_t Link::drawable(const JobId& job) const {
  const std::uint64_t available = send_->status().available_bytes;
  const std::lock_guard lock(mutex_);
  std::uint64_t taken = limits::kControlFloorBytes;
  for (const Lease& lease : leases_) {
    if (lease.job == job) break;
    taken += lease.remaining;
  }
  return available > taken ? available - taken : 0;
}

bool Link::wait_drawable(const JobId& job, ByteCount size, std::chrono::milliseconds limit) {
  const auto end = clock_.monotonic() + limit;
  for (;;) {
    const std::uint64_t now = drawable(job);
    if (now >= size.value) return true;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - clock_.monotonic());
    if (left.count() <= 0) return false;
    // New material wakes us; a lease that another job gives back is seen after 100 ms.
    const std::uint64_t wanted = send_->status().available_bytes + (size.value - now);
    (void)send_->wait_available(wanted, std::min(left, std::chrono::milliseconds(100)));
  }
}

std::optional<double> Link::expected_wait(const JobId& job, ByteCount size) const {
  const std::uint64_t now = drawable(job);
  if (now >= size.value) return 0.0;
  const std::lock_guard lock(mutex_);
  const double rate = inflow_now();
  if (rate < 1) return std::nullopt;
  return static_cast<double>(size.value - now) / rate;
}

void Link::note_inflow(ByteCount size) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.monotonic();
  const double seconds = std::chrono::duration<double>(now - last_inflow_).count();
  last_inflow_ = now;
  const double fade = std::exp(-seconds / kAverageSeconds);
  inflow_bytes_per_second_ =
      inflow_bytes_per_second_ * fade + static_cast<double>(size.value) / kAverageSeconds;
}

double Link::inflow_now() const {
  const double seconds = std::chrono::duration<double>(clock_.monotonic() - last_inflow_).count();
  return inflow_bytes_per_second_ * std::exp(-seconds / kAverageSeconds);
}

void Link::note_device(std::string state) {
  const std::lock_guard lock(mutex_);
  device_state_ = std::move(state);
}

LinkStatus Link::status() const {
  LinkStatus status{.peer = peer_,
                    .link_class = link_class_,
                    .send = send_->status(),
                    .receive = receive_->status()};
  const std::lock_guard lock(mutex_);
  for (const Lease& lease : leases_) status.leased_bytes += lease.remaining;
  const std::uint64_t taken = status.leased_bytes + limits::kControlFloorBytes;
  status.residual_bytes =
      status.send.available_bytes > taken ? status.send.available_bytes - taken : 0;
  status.inflow_bits_per_second = inflow_now() * 8;
  status.device_state = device_state_;
  return status;
}

}  // namespace warifu::kme
