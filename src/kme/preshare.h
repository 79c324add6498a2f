// Preshared material: one file of random bytes for both directions of a link, made once and brought
// to both ends (docs/formats/preshare-file.md).
//
//   file   := header material(a to b) material(b to a) key:16 tag:16
//   header := "WRFPRESH" version:u16 link:16 a:site b:site base_ab:u64 base_ba:u64
//             length_ab:u64 length_ba:u64 created:i64                          (98 bytes)
//   tag    := h_key(header, material): finds damage; the key is as secret as the material
//
// The two files of a set are equal. `base` is where the material continues each direction's stream,
// so both ends must have taken in the same sets before. Origin of the key: PRESHARED.
#pragma once

#include <functional>

#include "keypool/pool.h"
#include "kme/link.h"

namespace warifu::kme {

struct PresharePlan {
  LinkId link;
  SiteName a, b;
  PadOffset base_ab, base_ba;
  std::uint64_t length_ab = 0;  // bytes of material for the direction a to b
  std::uint64_t length_ba = 0;
};

// Called with bytes done and total.
using FileProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Draws the material and writes both files, durably, mode 0600; existing files are not replaced.
// Errors: kAlreadyExists, kNoSpace, kIo. After an error neither file is left.
[[nodiscard]] Result<> make_preshare(os::System system, const PresharePlan& plan,
                                     const std::string& path_a, const std::string& path_b,
                                     const FileProgress& progress);

// Reads and checks the header only.
[[nodiscard]] Result<PresharePlan> read_preshare_plan(os::System system, const std::string& path);

// Reads the whole file against its tag. Errors: kCorrupt naming what is wrong, kNotFound, kIo.
[[nodiscard]] Result<> verify_preshare(os::System system, const std::string& path);

// Takes the file into the two pools of `self`. The whole file is verified first; an import that a
// crash cut short is continued by calling it again. Errors: kCorrupt (damage), kInvalidArgument
// (another link or site), kRefused (does not continue the streams), kNoSpace.
[[nodiscard]] Result<> import_preshare(os::System system, const std::string& path,
                                       const SiteName& self, keypool::Pool& send,
                                       keypool::Pool& receive, const FileProgress& progress);

// Overwrites a set's file with zeros and removes it. Says nothing about copies or SSD remnants.
[[nodiscard]] Result<> wipe_preshare(os::System system, const std::string& path);

}  // namespace warifu::kme
