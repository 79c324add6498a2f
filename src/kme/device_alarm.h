// Alarms of one key device, from what it tells about itself.
//
// A high error rate (QBER) may be an eavesdropper: key is refused from the first report above the
// limit until one at or below it. A low rate only warns, once it has lasted a minute. A device that
// does not tell a figure raises no alarm on it. Belongs to the thread that leads the link, but for
// stopped().
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::kme {

// What a device tells beside its key.
struct DeviceReport {
  std::optional<double> qber;  // as a fraction: 0.03
  std::optional<double> rate_bits_per_second;
  std::optional<std::uint64_t> discarded_bits;  // thrown away since the device started
  bool full = false;                            // its own store holds no more
};

struct AlarmLimits {
  std::optional<double> qber;  // none: no alarm
  std::optional<double> rate_bits_per_second;
};

class DeviceAlarm {
 public:
  explicit DeviceAlarm(AlarmLimits limits) : limits_(limits) {}

  // What begins or ends with this report, in words for the log.
  [[nodiscard]] std::vector<std::string> update(const DeviceReport& report,
                                                std::chrono::nanoseconds now);
  // Key of this device must not be taken now. From any thread.
  [[nodiscard]] bool stopped() const { return stopped_; }
  // Alarms that hold now, each with its reason.
  [[nodiscard]] std::vector<Error> alarms() const;

 private:
  AlarmLimits limits_;
  std::atomic<bool> stopped_ = false;
  bool slow_ = false;
  std::optional<std::chrono::nanoseconds> slow_since_;
};

}  // namespace warifu::kme
