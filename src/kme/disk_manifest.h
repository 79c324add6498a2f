// A set of preshared key on a disk, as a courier brings it: the manifest and what follows from it
// (docs/formats/disk-set.md). The two copies of a set are equal, one goes to each end.
//
//   manifest := header entry{pieces} key:16 tag:16
//   header   := "WRFDISKS" version:u16 set:16 link:16 a:site b:site base_ab:u64 base_ba:u64
//               created:i64 pieces:u32 made:u32                                       (106 bytes)
//   entry    := begin_ab:u64 begin_ba:u64 length_ab:u64 length_ba:u64 tag:16           (48 bytes)
//   tag      := h_key(header, entries): finds damage
//
// The tag of a piece is a one-time tag whose key and mask lie in the piece, so a manifest tells
// nothing about key material, also when the pieces are wiped and their key is still unused.
// `made` counts the pieces that are on the disk; a set is whole when it is `pieces`. Entries follow
// one another without gaps, in both directions. Pure functions.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/units.h"
#include "mac/mac.h"
#include "os/system.h"

namespace warifu::kme {

using DiskSetId = Id16<struct DiskSetTag>;

inline constexpr std::uint32_t kMaxDiskPieces = 1 << 16;
inline constexpr std::uint64_t kMaxPieceBytes = 1ULL << 36;  // of both directions
// A set begins with small pieces, of at most so many bytes per direction: two fit below the control
// floor, so a link without key can begin with one (kme/disk_intake.h).
inline constexpr std::uint64_t kStartPieceBytes = 256 * 1024;
inline constexpr std::uint32_t kStartPieces = 8;

// Index of a direction in the arrays below.
enum DiskWay : std::size_t { kAToB = 0, kBToA = 1 };
inline constexpr std::array kDiskWays = {kAToB, kBToA};

struct DiskPiece {
  std::array<PadOffset, 2> begin;         // in the stream of each direction
  std::array<std::uint64_t, 2> length{};  // bytes
  mac::Tag tag{};                         // of a piece that is made

  [[nodiscard]] PadOffset end(DiskWay way) const { return begin[way] + ByteCount{length[way]}; }
  [[nodiscard]] std::uint64_t bytes() const { return length[0] + length[1]; }
};

struct DiskManifest {
  DiskSetId set;
  LinkId link;
  SiteName a, b;
  os::UnixMs created;
  std::uint32_t made = 0;
  std::array<Byte, mac::kBlockBytes> key{};  // of the manifest's own tag
  std::vector<DiskPiece> pieces;             // 1 to kMaxDiskPieces

  [[nodiscard]] bool whole() const { return made == pieces.size(); }
  [[nodiscard]] PadOffset base(DiskWay way) const { return pieces.front().begin[way]; }
  // Bytes of both directions in the first `count` pieces.
  [[nodiscard]] std::uint64_t bytes_in(std::size_t count) const;
};

// What a set is to be.
struct DiskPlan {
  LinkId link;
  SiteName a, b;
  std::array<PadOffset, 2> bases;
  std::array<std::uint64_t, 2> lengths{};  // bytes per direction, not both 0
  std::uint64_t piece_bytes = 1ULL << 30;  // of both directions, at least 1 MiB
};
// Start pieces first, then pieces of about `piece_bytes` that share each direction evenly. Errors:
// kInvalidArgument (sizes out of range, too many pieces).
[[nodiscard]] Result<DiskManifest> plan_disk_set(const DiskPlan& plan, os::System system);
// True when both divide the same key of the same link in the same way, whatever their ids and tags.
[[nodiscard]] bool same_plan(const DiskManifest& x, const DiskManifest& y);

[[nodiscard]] Bytes encode(const DiskManifest& manifest);
// `path` is for messages. Errors: kCorrupt naming the file and what is wrong.
[[nodiscard]] Result<DiskManifest> decode_disk_manifest(ByteView bytes, const std::string& path);
// The manifest of a whole set in a folder. Errors: kNotFound, kCorrupt; kRefused when the set is
// not whole yet.
[[nodiscard]] Result<DiskManifest> read_disk_manifest(os::FileSystem& files,
                                                      const std::string& folder);
// The same of one file. Errors: kNotFound, kCorrupt.
[[nodiscard]] Result<DiskManifest> read_manifest_file(os::FileSystem& files,
                                                      const std::string& path);

// Files of a set in its folder.
[[nodiscard]] std::string manifest_path(const std::string& folder);
[[nodiscard]] std::string unfinished_manifest_path(const std::string& folder);
[[nodiscard]] std::string piece_path(const std::string& folder, std::uint32_t piece);

}  // namespace warifu::kme
