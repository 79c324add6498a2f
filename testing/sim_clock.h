// A clock that moves only when a test says so; sleep() moves it at once.
//
// Not thread-safe: a simulated site runs in one thread.
#pragma once

#include "os/system.h"

namespace warifu::sim {

class SimClock final : public os::Clock {
 public:
  explicit SimClock(os::UnixMs start = {1'800'000'000'000}) : now_(start) {}

  os::UnixMs now() override { return now_; }
  std::chrono::nanoseconds monotonic() override { return monotonic_; }
  void sleep(std::chrono::milliseconds duration) override { advance(duration); }

  // Time passes: both clocks move.
  void advance(std::chrono::milliseconds duration) {
    WARIFU_CHECK(duration.count() >= 0);
    now_.value += duration.count();
    monotonic_ += duration;
  }
  // Somebody sets the calendar, back or forward; the monotonic clock does not see it.
  void set_calendar(os::UnixMs now) { now_ = now; }

 private:
  os::UnixMs now_;
  std::chrono::nanoseconds monotonic_{0};
};

}  // namespace warifu::sim
