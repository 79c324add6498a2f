// The devices of a link, as the leading end asks them: in turn, with back-off and alarms.
#include <algorithm>

#include "base/log.h"
#include "base/reason.h"
#include "kme/intake.h"

namespace warifu::kme {
namespace {

constexpr std::size_t kRoundBytes = 4 << 20;
constexpr std::chrono::seconds kLookInterval(1);
constexpr std::chrono::milliseconds kFirstPause(1000);
constexpr std::chrono::milliseconds kLongestPause(8000);
constexpr std::chrono::seconds kLongestWait(600);  // whatever a device asks for

// What a device said, or that it said nothing, as people are told it.
Error of_device(Error error) {
  if (error.reason != Reason::kNone) return error;
  switch (error.code) {
    case Code::kUnavailable:
    case Code::kTimeout: error.reason = Reason::kDeviceSilent; break;
    case Code::kRefused: error.reason = Reason::kDeviceRefuses; break;
    case Code::kProtocol:
    case Code::kCorrupt: error.reason = Reason::kDeviceOdd; break;
    default: break;
  }
  return error;
}

}  // namespace

void Intake::set_state(Source& source, const Error& error) {
  source.state = error.message;
  source.trouble = error.code;
  source.reason = error.reason;
}

void Intake::set_delivering(Source& source) {
  source.state = "delivering";
  source.reason = Reason::kNone;
}

Result<Intake::Batch> Intake::take_from_next() {
  std::optional<Error> worst;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::size_t at = (turn_ + i) % sources_.size();
    Source& source = sources_[at];
    auto keys = take_from(source);
    if (keys) {
      turn_ = at + 1;
      return Batch{at, std::move(*keys)};
    }
    // That one has no key now says less than that another is broken.
    if (!worst || worst->code == Code::kOutOfKey) worst = keys.error();
  }
  return std::unexpected(*worst);
}

Result<std::vector<DeviceKey>> Intake::take_from(Source& source) {
  const auto now = system_.clock.monotonic();
  if (source.problem && now < source.not_before) return std::unexpected(*source.problem);
  auto keys = [&]() -> Result<std::vector<DeviceKey>> {
    TRY(look_at(source));
    if (source.alarm.stopped()) {
      return fail_in(source.name, source.alarm.alarms().front());
    }
    return source.device->fresh(kRoundBytes);
  }();
  if (!keys) {
    note_problem(source, keys.error());
    return keys;
  }
  if (!source.logged.empty()) {
    log_info("link to " + link_.peer().text() + ": device " + source.name + " delivers again");
  }
  source.logged.clear();
  source.problem.reset();
  source.pause = {};
  return keys;
}

void Intake::note_problem(Source& source, const Error& error) {
  const auto now = system_.clock.monotonic();
  source.problem = error;
  source.not_before = now;
  if (error.code == Code::kOutOfKey) {
    set_delivering(source);
    source.not_before = now + std::min(source.device->retry_after(), kLongestWait);
    return;
  }
  set_state(source, of_device(error));
  // With others to take from nobody waits for this one; alone, run() makes the pause.
  if (sources_.size() > 1) {
    source.pause = source.alarm.stopped()
                       ? kFirstPause
                       : std::clamp(source.pause * 2, kFirstPause, kLongestPause);
    source.not_before = now + source.pause;
  }
  if (sources_.size() > 1 && source.logged != error.message) {
    log_warning("link to " + link_.peer().text() + ": device " + source.name + ": " +
                error.message);
  }
  source.logged = error.message;
}

Result<> Intake::look_at(Source& source) {
  const auto now = system_.clock.monotonic();
  TRY_ASSIGN(const DeviceReport report, source.device->look());
  const double seconds =
      source.looked ? std::chrono::duration<double>(now - *source.looked).count() : 0;
  const bool was_full = source.last.full;
  source.looked = now;
  source.last = report;
  for (const std::string& news : source.alarm.update(report, now)) {
    log_error("link to " + link_.peer().text() + ": ALARM of device " + source.name + ": " + news);
  }
  if (report.discarded_bits) {
    // The count starts anew with the device.
    const std::uint64_t before = source.discarded_before.value_or(*report.discarded_bits);
    const std::uint64_t more =
        *report.discarded_bits >= before ? *report.discarded_bits - before : *report.discarded_bits;
    if (more > 0) link_.note_lost({more / 8}, false);
    source.discarded_before = *report.discarded_bits;
  } else if (was_full && report.full && report.rate_bits_per_second) {
    const double bytes = *report.rate_bits_per_second / 8 * seconds;
    link_.note_lost({static_cast<std::uint64_t>(bytes)}, true);
  }
  return {};
}

// The pool is full: nothing is taken, but alarms and losses are still watched.
void Intake::look_while_full() {
  const auto now = system_.clock.monotonic();
  for (Source& source : sources_) {
    if (source.looked && now - *source.looked < kLookInterval) continue;
    source.looked = source.looked.value_or(now);
    if (const auto seen = look_at(source); !seen) {
      source.looked = now;
      note_problem(source, seen.error());
    } else {
      set_delivering(source);
      if (source.alarm.stopped()) set_state(source, source.alarm.alarms().front());
      source.problem.reset();
      source.logged.clear();
    }
  }
}

void Intake::tell_link() {
  std::vector<DeviceStatus> devices;
  for (const Source& source : sources_) {
    devices.push_back({.name = source.name,
                       .state = source.state,
                       .trouble = source.trouble,
                       .reason = source.reason,
                       .qber = source.last.qber,
                       .rate_bits_per_second = source.last.rate_bits_per_second,
                       .alarms = source.alarm.alarms()});
  }
  link_.note_devices(std::move(devices));
}

}  // namespace warifu::kme
