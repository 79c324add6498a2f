// Making a disk set: two equal copies in two folders, piece by piece, resumable.
//
// While a set is made its manifest stands in `manifest.part` of both folders, with the pieces that
// are durable in both. What a manifest does not count is removed and drawn anew, in both: it was
// never used. So a crash costs at most one piece, and the two copies are equal.
#pragma once

#include "kme/disk_piece.h"

namespace warifu::kme {

// Called with bytes of material done and total.
using DiskMakeProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct MadeDiskSet {
  DiskManifest manifest;
  std::uint32_t kept = 0;  // pieces that an earlier run had made
};
// Folders are made when they are missing. `plan` is from plan_disk_set(); a set that was begun in
// the two folders goes on under its own id if it is the same plan. Errors: kInvalidArgument (one
// folder twice), kAlreadyExists (another set), kNoSpace, kIo, kCorrupt.
[[nodiscard]] Result<MadeDiskSet> make_disk_set(os::System system, const DiskManifest& plan,
                                                const std::array<std::string, 2>& folders,
                                                const DiskMakeProgress& progress);

}  // namespace warifu::kme
