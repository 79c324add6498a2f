// What the two ends of a link tell each other about a disk set (request 107,
// docs/formats/disk-set.md). Pure functions.
//
//   request := order:u8 set:16 body
//   body    := 1 note: held:u32 agreed:u32           reply := held:u32 agreed:u32
//            | 2 compare: piece:u32 first:u32 count:u32 key:16    reply := hash:16
//            | 3 agreed: piece:u32                    reply := empty
//            | 4 differs: piece:u32                   reply := empty
#pragma once

#include "kme/disk_manifest.h"
#include "secret/secret.h"

namespace warifu::kme {

enum class DiskTalk : std::uint8_t { kNote = 1, kCompare = 2, kAgreed = 3, kDiffers = 4 };

struct DiskQuestion {
  DiskTalk order = DiskTalk::kNote;
  DiskSetId set;
  std::uint32_t held = 0, agreed = 0;  // kNote: pieces
  std::uint32_t piece = 0;             // all others
  std::uint32_t first = 0, count = 0;  // kCompare: units of the piece (units_of), 1 to kMostUnits
  secret::Buffer key = {};             // kCompare: of mac::kBlockBytes

  static constexpr std::uint32_t kMostUnits = 8;
};
[[nodiscard]] Bytes encode(const DiskQuestion& question);
// Errors: kProtocol.
[[nodiscard]] Result<DiskQuestion> decode_disk_question(ByteView body);

struct DiskNote {
  std::uint32_t held = 0, agreed = 0;
};
[[nodiscard]] Bytes encode(const DiskNote& note);
// Errors: kProtocol.
[[nodiscard]] Result<DiskNote> decode_disk_note(ByteView body);

}  // namespace warifu::kme
