// Making a genome ready at the site when all of it has come: its index, other slices, its lead.
//
// The sealed staging is opened chunk by chunk into a pipe to the sandboxed process, and what that
// writes is sealed again: no plaintext is on a disk, and memory does not grow with the file. In
// other slices the file takes the first one's place only when a digest over all records in
// canonical form says that they are the same before and after. Any thread; the upload is the
// caller's meanwhile.
#pragma once

#include <atomic>
#include <functional>

#include "control/kept_upload.h"

namespace warifu::control {

inline constexpr std::uint32_t kLeastReadsPerSlice = 50;
inline constexpr std::uint32_t kMostReadsPerSlice = 100'000;

struct PrepareWish {
  std::uint32_t reads_per_slice = 0;  // of a CRAM; 0: the slices that it has
  std::string reference;              // FASTA, of a CRAM without its own; empty: none
  std::string assembly;               // empty: the upload's own, or its references tell
};

struct PrepareSettings {
  os::System system;
  const std::atomic<bool>& stop;  // ends it when it turns true
  // "digest", "reslice", "prove", "index"; bytes of the file of this step.
  std::function<void(const char* step, std::uint64_t done, std::uint64_t total)> progress;
};

// The upload has all bytes and no lead. Errors: kInvalidArgument (no CRAM for slices; no genome;
// its assembly is unknown), kNotFound (the reference), kCorrupt (damaged; other records in other
// slices), kTimeout, kCancelled, kNoSpace, kIo: then the upload is as before.
[[nodiscard]] Result<> prepare_upload(KeptUpload& upload, const PrepareWish& wish,
                                      const PrepareSettings& settings);

}  // namespace warifu::control
