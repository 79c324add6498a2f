// The self-describing header of a share, and where the records of a share lie. docs/formats/
// share-file.md has the table of fields.
//
//   file    := slot slot (record check? gap)* record check?     all numbers little-endian
//   slot    := "WRFSHARE" version:u16 flags:u16 scheme:u16 threshold:u8 shares:u8 path:10
//              entropy_origins:u16 generation:u32 sequence:u64 share:16 object:16 parent:16
//              owner:16 chunk_bytes:u32 tag_bytes:u32 full_record_bytes:u32
//              last_record_bytes:u32 chunk_count:u64 object_length:u64 durable_chunks:u64
//              created_ms:i64 siblings:u32 sibling{32} policy_length:u16 policy:1024
//              check_key:16 lead_chunks:u32 zeros crc32c:u32   4096 bytes
//   path    := steps:u8 step:u8{9}                              sharing/share_path.h
//   sibling := index:u8 share:16 site:16                        unused ones are zeros
//   record  := the share of (data, zeros, tag)                  as `sharing` made it
//   check   := 16 bytes: the record's hash under check_key      (record_check.h)
//   gap     := zeros (a hole) up to the next multiple of 4096
//
// This is version 4; older ones, which could name a share by its index and its parent's alone, are
// refused. A check key of zeros says that there are no checks.
//
// Slots and records begin at multiples of 4096, because a write that a power loss tears may harm
// every byte of the disk blocks which it touches: no later write touches the block of a durable
// record.
//
// Invariants: one header has exactly one encoding; every byte of a slot is covered by the checksum
// or is the checksum. Magic, length of a slot and place of the checksum stay in every later
// version. The checksum is against accidents only; what shares mean is protected by the tags inside
// the records. Values only: no I/O, any thread.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "base/units.h"
#include "os/system.h"
#include "sharing/chunk.h"
#include "sharing/share_path.h"

namespace warifu::store {

inline constexpr std::size_t kHeaderBytes = 4096;
inline constexpr std::size_t kHeaderSlots = 2;
inline constexpr std::uint64_t kRecordsStart = kHeaderSlots * kHeaderBytes;
inline constexpr std::size_t kMaxSiblings = sharing::kMaxShares;
inline constexpr std::size_t kMaxPolicyBytes = 1024;
inline constexpr std::uint32_t kDiskBlockBytes = 4096;
inline constexpr std::uint32_t kWordBytes = 32;  // records are multiples of it

inline constexpr std::uint32_t kCheckBytes = 16;
// A holder's own secret for one share; zero: the file has no checks.
using CheckKey = std::array<Byte, kCheckBytes>;

// Another share that helps to restore, and where it was put.
struct Sibling {
  std::uint8_t index = 0;  // in the cut: 0 A, 1 B, ...
  ShareId share;
  SiteName site;
  bool operator==(const Sibling&) const = default;
};

struct ShareHeader {
  ShareId share;
  ObjectId object;
  ShareId parent;          // the share that was cut; zero when that is the object
  Pseudonym owner;         // the person at this site
  sharing::Scheme scheme;  // of the cut that made this share
  sharing::SharePath path{sharing::ShareIndex::kA};
  bool computational = false;  // some randomness of the cut came from a computational generator
  bool drawn = false;          // the share is one-time key that both ends of a link held, promoted
  // Bit n: random numbers of the cut came from origin number n of `keypool`; zero: not recorded.
  std::uint16_t entropy_origins = 0;
  std::uint32_t generation = 0;
  std::uint32_t chunk_bytes = limits::kChunkBytes;
  std::uint32_t tag_bytes = limits::kChunkTagBytes;
  std::uint64_t chunk_count = 0;
  std::uint64_t object_length = 0;
  std::uint32_t full_record_bytes = 0;  // records of this share: every one but the last
  std::uint32_t last_record_bytes = 0;
  os::UnixMs created;
  std::vector<Sibling> siblings;
  std::string policy;
  CheckKey check_key = {};  // never leaves the holder's store
  std::uint32_t lead_chunks = 0;  // of a genome object: manifest and index, before the file

  [[nodiscard]] bool has_checks() const { return check_key != CheckKey{}; }
  bool operator==(const ShareHeader&) const = default;
};

// What a slot of a file says: the header, which slot is the newer one, and how many leading records
// were durable when it was written.
struct HeaderSlot {
  ShareHeader header;
  std::uint64_t sequence = 0;
  std::uint64_t durable_chunks = 0;
  bool operator==(const HeaderSlot&) const = default;
};

// The number of chunks of an object of `object_length` bytes.
[[nodiscard]] std::uint64_t chunk_count_of(std::uint64_t object_length, std::uint32_t chunk_bytes);

// The records of the share itself. The header must have passed check_header, here and below.
[[nodiscard]] sharing::RecordLayout records_of(const ShareHeader& header);
// The records that were cut: the object's, or those of the parent.
[[nodiscard]] sharing::RecordLayout cut_records_of(const ShareHeader& header);

// Errors: kInvalidArgument naming the field that has no encoding.
[[nodiscard]] Result<> check_header(const ShareHeader& header);
// Exactly kHeaderBytes. `slot.header` must pass check_header.
[[nodiscard]] Bytes encode_slot(const HeaderSlot& slot);
// `bytes` is one slot. Errors: kCorrupt naming `path` and what is wrong.
[[nodiscard]] Result<HeaderSlot> parse_slot(ByteView bytes, const std::string& path);

// Where each record lies. The header must have passed check_header.
class ShareLayout {
 public:
  explicit ShareLayout(const ShareHeader& header);

  [[nodiscard]] std::uint64_t chunk_count() const { return chunk_count_; }
  // Where the record begins. `chunk` may be chunk_count(): the end of the file.
  [[nodiscard]] std::uint64_t record_offset(ChunkIndex chunk) const;
  [[nodiscard]] std::uint32_t record_length(ChunkIndex chunk) const;
  // Where the check of the record lies; only of a share that has checks.
  [[nodiscard]] std::uint64_t check_offset(ChunkIndex chunk) const;
  // Where the gap behind the record begins; it ends at the next record_offset().
  [[nodiscard]] std::uint64_t gap_offset(ChunkIndex chunk) const;
  // Bytes of the records [first, first + count) without the gaps between them.
  [[nodiscard]] std::uint64_t records_length(ChunkIndex first, std::uint64_t count) const;
  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }
  // How many leading records lie whole in a file of `file_bytes` bytes.
  [[nodiscard]] std::uint64_t whole_records(std::uint64_t file_bytes) const;

 private:
  std::uint64_t chunk_count_;
  std::uint32_t full_record_;
  std::uint32_t last_record_;
  std::uint32_t check_;   // behind each record
  std::uint32_t stride_;  // from one record's beginning to the next one's
  std::uint64_t file_bytes_;
};

}  // namespace warifu::store
