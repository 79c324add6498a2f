// Seeded bugs of the pool's mark, made at the seam to files so that production code stays
// untouched: the negative controls of the crash tests.
#pragma once

#include "os/files.h"

namespace warifu::sim {

struct MarkBends {
  bool never_synced = false;  // sync() of a mark does nothing
  bool one_behind = false;   // a write reaches the file only with the next one: used before durable
  bool no_checksum = false;  // a damaged slot is read as if its checksum were right
  bool reads_one_slot = false;  // recovery looks at the second slot only
  bool one_slot = false;  // both slots lie in one place: a torn write takes the older one along

  [[nodiscard]] bool any() const {
    return never_synced || one_behind || no_checksum || reads_one_slot || one_slot;
  }
};

// Passes everything on to `below`, except for what `bends` does to files named "mark". `below` must
// outlive it.
[[nodiscard]] std::unique_ptr<os::FileSystem> bent_files(os::FileSystem& below, MarkBends bends);

}  // namespace warifu::sim
