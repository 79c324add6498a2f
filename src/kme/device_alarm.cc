// Comparing reports with the limits.
#include "kme/device_alarm.h"

#include <fmt/format.h>

#include "base/reason.h"
#include "base/units.h"

namespace warifu::kme {
namespace {
constexpr std::chrono::seconds kSlowFor(60);
}

std::vector<std::string> DeviceAlarm::update(const DeviceReport& report,
                                             std::chrono::nanoseconds now) {
  std::vector<std::string> news;
  if (limits_.qber && report.qber) {
    const bool stop = *report.qber > *limits_.qber;
    if (stop != stopped_) {
      news.push_back(fmt::format("QBER {:.2f} %, the alarm is at {:.2f} %: intake {}",
                                 *report.qber * 100, *limits_.qber * 100,
                                 stop ? "STOPS" : "goes on"));
    }
    stopped_ = stop;
  }
  if (limits_.rate_bits_per_second && report.rate_bits_per_second) {
    const bool low = *report.rate_bits_per_second < *limits_.rate_bits_per_second;
    if (!low) slow_since_.reset();
    if (low && !slow_since_) slow_since_ = now;
    const bool slow = low && now - *slow_since_ >= kSlowFor;
    if (slow != slow_) {
      news.push_back(fmt::format("rate {}, the alarm is at {}: {}",
                                 human_bit_rate(*report.rate_bits_per_second),
                                 human_bit_rate(*limits_.rate_bits_per_second),
                                 slow ? "too low for a minute" : "high enough again"));
    }
    slow_ = slow;
  }
  return news;
}

std::vector<Error> DeviceAlarm::alarms() const {
  std::vector<Error> held;
  if (stopped_) {
    held.push_back({Code::kRefused,
                    fmt::format("QBER above {:.2f} %: intake is stopped", *limits_.qber * 100),
                    Reason::kQberHigh});
  }
  if (slow_) {
    held.push_back({Code::kOutOfKey, "rate below " + human_bit_rate(*limits_.rate_bits_per_second),
                    Reason::kKeyRateLow});
  }
  return held;
}

}  // namespace warifu::kme
