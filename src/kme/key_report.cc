// Averages and states.
#include "kme/key_report.h"

#include <cmath>

namespace warifu::kme {
namespace {
constexpr double kAverageSeconds = 10.0;  // time constant of both averages
}

std::string_view key_state_name(KeyState state) {
  switch (state) {
    case KeyState::kReady: return "ready";
    case KeyState::kWarning: return "warning";
    case KeyState::kCharging: return "charging";
    case KeyState::kEmpty: return "empty";
  }
  return "empty";
}

void DirectionMeter::sample(const keypool::PoolStatus& status, const KeyLimits& limits,
                            std::chrono::nanoseconds now) {
  const std::uint64_t end = status.synced_end.value;
  const std::uint64_t mark = status.mark.value;
  if (started_) {
    const double seconds = std::chrono::duration<double>(now - last_).count();
    if (seconds <= 0) return;
    const double weight = 1 - std::exp(-seconds / kAverageSeconds);
    const auto grown = [&](std::uint64_t to, std::uint64_t from) {
      return to > from ? static_cast<double>(to - from) / seconds : 0;  // reconciling goes back
    };
    inflow_ += weight * (grown(end, last_end_) - inflow_);
    outflow_ += weight * (grown(mark, last_mark_) - outflow_);
  }
  judge(status.available_bytes, limits);
  started_ = true;
  last_ = now;
  last_end_ = end;
  last_mark_ = mark;
}

void DirectionMeter::judge(std::uint64_t available, const KeyLimits& limits) {
  const auto share = [&](std::uint64_t bytes) { return bytes / 100 * limits.hysteresis_percent; };
  if (available <= limits.empty_bytes) {
    state_ = KeyState::kEmpty;
  } else if (available >= limits.ready_bytes) {
    state_ = KeyState::kReady;
  } else if (!started_) {
    state_ = KeyState::kCharging;
  } else if (state_ == KeyState::kReady) {
    if (available < limits.ready_bytes - share(limits.ready_bytes)) state_ = KeyState::kWarning;
  } else if (state_ == KeyState::kEmpty) {
    if (available > limits.empty_bytes + share(limits.empty_bytes)) state_ = KeyState::kCharging;
  }
}

void DirectionMeter::fill(DirectionReport& report) const {
  report.inflow_bits_per_second = inflow_ * 8;
  report.outflow_bits_per_second = outflow_ * 8;
  report.state = state_;
}

}  // namespace warifu::kme
