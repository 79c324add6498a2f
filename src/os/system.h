// The rest of the seam to the operating system: clock and randomness, and the bundle that main()
// wires.
//
// No component calls clock or random functions of the system by itself, so that a test can run
// a whole site on simulated time, chance and disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "os/files.h"

namespace warifu::os {

// Milliseconds since 1970-01-01 UTC.
struct UnixMs {
  std::int64_t value = 0;
  auto operator<=>(const UnixMs&) const = default;
};

// "2026-11-24T01:02:03Z".
[[nodiscard]] std::string utc_text(UnixMs time);

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixMs now() = 0;
  // Never goes back; unrelated to the calendar.
  [[nodiscard]] virtual std::chrono::nanoseconds monotonic() = 0;
  virtual void sleep(std::chrono::milliseconds duration) = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  // Fills with uniform bytes; aborts if the source fails.
  virtual void fill(MutableBytes out) = 0;
};

[[nodiscard]] Clock& real_clock();
// The kernel's generator (getrandom): computational, and labelled so wherever it is used.
[[nodiscard]] Random& kernel_random();

// What a component may ask of the system. References must outlive the component.
struct System {
  FileSystem& files;
  Clock& clock;
  Random& random;
};

[[nodiscard]] System real_system();

template <typename Id>
[[nodiscard]] Id random_id(Random& random) {
  Id id;
  random.fill(id.bytes);
  return id;
}

}  // namespace warifu::os
