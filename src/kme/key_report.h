// What operators are told about the key of a link, in one struct: how much there is in each
// direction, who holds it, how fast it comes and goes, and whether that is enough.
//
// Rates are moving averages of the pool's two ends: inflow of the stream's end, outflow of the mark
// (so burnt key counts as outflow). States follow the available key: READY from `ready` up; WARNING
// once it falls below by the hysteresis; EMPTY at or below `empty`; CHARGING on the way back up to
// `ready`. Meters belong to their Link and are guarded by it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "keypool/pool.h"
#include "kme/relay_ways.h"

namespace warifu::kme {

// Levels of a link's pools, from the configuration.
struct KeyLimits {
  // Above the control floor: what only urgent jobs (restores) may draw.
  std::uint64_t emergency_bytes = 0;
  std::uint64_t empty_bytes = limits::kControlFloorBytes;
  std::uint64_t ready_bytes = 64ULL << 20;
  unsigned hysteresis_percent = 10;
  std::uint64_t relay_reserve_bytes = 2ULL << 20;  // residual key that relaying for others leaves
  std::uint64_t trail_bytes = 16ULL << 20;  // most that the trail of a pool may fill; 0: none
};

enum class KeyState : std::uint8_t { kReady, kWarning, kCharging, kEmpty };
[[nodiscard]] std::string_view key_state_name(KeyState state);

// One direction of a link at one end.
struct DirectionReport {
  std::uint64_t available_bytes = 0;  // synced and not used
  std::uint64_t leased_bytes = 0;     // of these, promised to jobs (sending direction)
  std::uint64_t reserved_bytes = 0;   // taken out for connections and not used up yet
  std::uint64_t floor_bytes = 0;      // of the available: for control messages only
  std::uint64_t emergency_bytes = 0;  // of the available: for restores only (sending direction)
  std::uint64_t residual_bytes = 0;   // of the available: free for new jobs
  std::uint64_t unsynced_bytes = 0;   // sync lag: taken in here, not confirmed by both ends
  std::uint64_t quarantined_bytes = 0;
  double inflow_bits_per_second = 0;
  double outflow_bits_per_second = 0;
  std::optional<double> oldest_seconds;  // age of the oldest byte that is not used; none when empty
  KeyState state = KeyState::kEmpty;
};

// A key device as last seen.
struct DeviceStatus {
  std::string name;
  std::string state;                  // "delivering", or the problem in words
  Code trouble = Code::kUnavailable;  // what kind of problem, unless it delivers
  Reason reason{};
  std::optional<double> qber;
  std::optional<double> rate_bits_per_second;  // told by the device
  std::vector<Error> alarms;                   // that hold now
};

// Key that devices could have given while the pool was full.
struct Saturation {
  std::uint64_t lost_bytes = 0;
  bool estimated = false;  // not counted by the device but time at full times the rate
};

struct LinkReport {
  std::string peer;
  std::string link_class;
  DirectionReport send;
  DirectionReport receive;
  Saturation saturation;  // both directions together, since this process started
  std::vector<DeviceStatus> devices;
  // Of a relayed link: paths of each key, and the ways that key has come.
  unsigned relay_paths = 0;
  std::vector<RelayWaySet> ways;
};

class DirectionMeter {
 public:
  // To be called about once a second.
  void sample(const keypool::PoolStatus& status, const KeyLimits& limits,
              std::chrono::nanoseconds now);
  // Rates and state into a report.
  void fill(DirectionReport& report) const;
  [[nodiscard]] KeyState state() const { return state_; }

 private:
  void judge(std::uint64_t available, const KeyLimits& limits);

  bool started_ = false;
  std::chrono::nanoseconds last_{0};
  std::uint64_t last_end_ = 0;
  std::uint64_t last_mark_ = 0;
  double inflow_ = 0;  // bytes per second
  double outflow_ = 0;
  KeyState state_ = KeyState::kEmpty;
};

}  // namespace warifu::kme
