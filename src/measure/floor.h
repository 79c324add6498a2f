// What the machine needs at least for the bytes of a store: the floor of six_site_store.
#pragma once

#include "measure/process.h"

namespace warifu::measure {

struct Floor {
  double disk_seconds = 0, loopback_seconds = 0, memory_seconds = 0;
  [[nodiscard]] double seconds() const { return disk_seconds + loopback_seconds + memory_seconds; }
};

// For a file of `bytes`: written once in pieces of 1 MiB with a sync after every 8 MiB, read back,
// sent once over loopback TCP and copied once in memory; two threads at once do half of it each.
// The rates of the three parts are measured with `sample` bytes and scaled.
[[nodiscard]] Result<Floor> measure_floor(const Settings& settings, const std::string& dir,
                                          std::uint64_t bytes, std::uint64_t sample);

}  // namespace warifu::measure
