// On-disk formats of a pool (docs/formats/keypool.md), version 1; of mark and index, version 2. All
// numbers little-endian.
//
//   identity := "WRFPOOL1" link:16 direction:u8 pad:7 created:i64
//               wrap_domain:u32 wrap_index:u64 wrapped_pool_key:48 crc32c:u32
//   mark     := slot slot       (4,096 bytes each, written in turn; the kernel writes whole blocks
//               of that size, so a torn write of one slot cannot harm the other)
//   slot     := "WRFMARK3" sequence:u64 mark:u64 payload:u64 tag:u64 hash_key:u64 bulk:u64
//               share:u64 application:u64 crc32c:u32 zeros
//   index    := "WRFINDX2" next_number:u64 stream_end:u64 count:u32 entry* crc32c:u32
//   entry    := number:u64 base:u64 length:u32 state:u8 origin:u8 parts:u16 created:i64
//               wrap_index:u64 wrapped_segment_key:48      (WRFINDX1, still read: without parts)
//   segment  := sealed block of 65,536 bytes of pad (the last may be shorter) + 16, repeated
//
// The pool key is sealed under the site's root key; each segment key under the pool key; each block
// under its segment key. wrap_index is drawn at random: a number comes again after a crash or a
// restored backup, and the same place under one key must not. Dropping an entry from the index
// forgets its segment.
#pragma once

#include <vector>

#include "base/ids.h"
#include "base/units.h"
#include "crypto/crypto.h"
#include "os/system.h"

namespace warifu::keypool {

// kLocal: a site's own random numbers, with no other end.
enum class Direction : std::uint8_t { kSend = 1, kReceive = 2, kLocal = 3 };

// Where one-time bytes came from. Numbers stand in files and on the wire.
enum class Origin : std::uint8_t {
  kHardware = 1,         // a real QKD device
  kSimulatedClicks = 2,  // post-processing of a simulated optical channel
  kRateModel = 3,        // kernel randomness handed out at a modelled rate
  kPreshared = 4,        // random files made beforehand and brought to both ends
  kRelayed = 5,
  kKernelGenerator = 6,  // a generator of this site, seeded by the kernel
  kCpu = 7,  // RDSEED: the processor's own word that it is random, which nobody can check
};
[[nodiscard]] std::string_view origin_name(Origin origin);
[[nodiscard]] Result<Origin> origin_from_number(std::uint8_t number);
[[nodiscard]] inline std::uint16_t origin_bit(Origin origin) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(origin));
}

enum class SegmentState : std::uint8_t {
  kIngested = 1,     // at this end only; not usable
  kSynced = 2,       // confirmed equal at both ends; usable, has a base
  kQuarantined = 3,  // the ends differ; never usable
};

inline constexpr std::size_t kWrappedKeyBytes = crypto::kSealKeyBytes + crypto::kSealOverhead;

struct SegmentEntry {
  SegmentNumber number;
  PadOffset base;  // meaningful when synced
  std::uint32_t length = 0;
  SegmentState state = SegmentState::kIngested;
  // Of a mixture: what it is at least as good as.
  Origin origin = Origin::kRateModel;
  std::uint16_t parts = 0;  // bit n: origin n went into it; never 0 in the index
  os::UnixMs created;
  std::uint64_t wrap_index = 0;  // where under the pool key the segment's key is sealed
  Bytes wrapped_key;

  [[nodiscard]] PadOffset end() const { return {base.value + length}; }
};

struct Index {
  std::uint64_t next_number = 0;
  PadOffset stream_end;  // end of the last segment that was ever synced
  std::vector<SegmentEntry> entries;
};

struct Identity {
  LinkId link;
  Direction direction = Direction::kSend;
  os::UnixMs created;
  std::uint32_t wrap_domain = 0;
  std::uint64_t wrap_index = 0;
  Bytes wrapped_pool_key;
};

// The durable high-water mark and the account of what was taken below it.
struct Mark {
  std::uint64_t sequence = 0;
  PadOffset mark;
  std::uint64_t payload_bytes = 0;   // pad that covered payload
  std::uint64_t tag_bytes = 0;       // pad that masked tags
  std::uint64_t hash_key_bytes = 0;  // pad that became hash keys
  std::uint64_t bulk_bytes = 0;      // the part of payload_bytes that carried share data
  std::uint64_t share_bytes = 0;     // bytes that became shares themselves
  std::uint64_t application_bytes = 0;  // bytes that became keys of applications
};

inline constexpr std::size_t kMarkSlotBytes = 4096;

// Where the two ends of a pool agreed to stand (Pool::align).
struct Alignment {
  PadOffset mark;
  PadOffset end;
  SegmentNumber next;
};

[[nodiscard]] Bytes encode(const Identity& identity);
[[nodiscard]] Result<Identity> decode_identity(ByteView bytes, const std::string& path);
[[nodiscard]] Bytes encode(const Index& index);
[[nodiscard]] Result<Index> decode_index(ByteView bytes, const std::string& path);
// One slot of kMarkSlotBytes.
[[nodiscard]] Bytes encode(const Mark& mark);
// Errors: kCorrupt when the slot is torn or damaged; kRefused when it is of version 1.
[[nodiscard]] Result<Mark> decode_mark(ByteView slot, const std::string& path);

}  // namespace warifu::keypool
