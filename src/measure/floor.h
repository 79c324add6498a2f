// What the machine needs at least for the bytes of a store: the floor of six_site_store.
#pragma once

#include "measure/process.h"

namespace warifu::measure {

// How often a job moves the bytes of its file.
struct Traffic {
  double written = 0, read = 0, sent = 0, copied = 0;
};

// Seconds for the bytes of a file, each way once.
struct Floor {
  double write_seconds = 0, read_seconds = 0, loopback_seconds = 0, memory_seconds = 0;
  [[nodiscard]] double seconds(const Traffic& times) const {
    return times.written * write_seconds + times.read * read_seconds +
           times.sent * loopback_seconds + times.copied * memory_seconds;
  }
};

// For a file of `bytes`: written in pieces of 1 MiB with a sync after every 8 MiB, read back, sent
// over loopback TCP, copied in memory; two threads at once do half of it each. The rates are
// measured with `sample` bytes and scaled.
[[nodiscard]] Result<Floor> measure_floor(const Settings& settings, const std::string& dir,
                                          std::uint64_t bytes, std::uint64_t sample);

}  // namespace warifu::measure
