// What an end remembers of the disk set that it takes in: DIR/pools/PEER/disk/state, replaced whole
// at each step, and beside it a copy of the set's manifest, which tells nothing about key material.
//
//   state := "WRFDISKJ" version:u16 set:16 flags:u8 until:u32 agreed:u32 finished:16 path:text
//            crc32c:u32                         flags: bit 0 wipe, bit 1 done
//
// How much of the set is in the pools is not written here: the pools tell it. `agreed` counts the
// pieces that both ends compared and found equal; it is durable before a byte of them is usable.
#pragma once

#include <optional>

#include "kme/disk_manifest.h"

namespace warifu::kme {

struct DiskState {
  DiskSetId set;             // zero: none is under way
  bool wipe = false;         // pieces go from the disk once they are agreed
  bool done = false;         // every piece is agreed, wiped if so ordered, and the far end knows
  std::uint32_t until = 0;   // pieces to take in for now
  std::uint32_t agreed = 0;  // pieces
  DiskSetId finished;        // the last set that was agreed wholly
  std::string path;          // folder of the set
};

// Thread rule: the owner serialises calls.
class DiskJournal {
 public:
  // `folder` is made at the first begin(). Errors: kCorrupt, kIo.
  [[nodiscard]] static Result<DiskJournal> open(os::FileSystem& files, std::string folder);

  [[nodiscard]] const DiskState& state() const { return state_; }
  // Of the set under way; empty when there is none.
  [[nodiscard]] const DiskManifest& manifest() const { return manifest_; }
  // A folder on the disk of the pools.
  [[nodiscard]] std::string disk_of_pools() const { return os::parent_of(folder_); }
  // A new set: its manifest and state become durable. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> begin(const DiskManifest& manifest, const DiskState& state);
  // Errors: kNoSpace, kIo; memory then keeps the old state.
  [[nodiscard]] Result<> change(const DiskState& state);

 private:
  DiskJournal(os::FileSystem& files, std::string folder)
      : files_(&files), folder_(std::move(folder)) {}
  os::FileSystem* files_;
  std::string folder_;
  DiskState state_;
  DiskManifest manifest_;
};

}  // namespace warifu::kme
