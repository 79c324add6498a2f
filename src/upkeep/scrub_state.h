// How far this site has come with reading its shares over, and what it found damaged. Kept over
// restarts in one small file.
//
//   file   := "WRFSCRUB" version:u16=1 passes:u64 started_ms:i64 finished_ms:i64 at:16 record:u64
//             read_bytes:u64 count:u32 damage{count} crc32c:u32
//   damage := share:16 found_ms:i64 told:u8 why:text
//
// started 0: no pass is under way; at and record: where it goes on. A value; one thread at a time.
#pragma once

#include <map>
#include <string>

#include "base/ids.h"
#include "os/files.h"
#include "os/system.h"

namespace warifu::upkeep {

struct ShareDamage {
  std::string why;  // an error as a text, with its reason (base/reason.h)
  os::UnixMs found;
  bool told = false;  // share control knows
  bool operator==(const ShareDamage&) const = default;
};

struct ScrubState {
  std::uint64_t passes = 0;      // that reached the end
  os::UnixMs started;            // of the pass that is under way; 0: none is
  os::UnixMs finished;           // of the last whole pass; 0: never
  ShareId at;                    // the share that is being read
  std::uint64_t record = 0;      // and its next record
  std::uint64_t read_bytes = 0;  // by this pass
  std::map<ShareId, ShareDamage> damage;

  bool operator==(const ScrubState&) const = default;
};

inline constexpr std::size_t kMaxDamages = 10'000;

[[nodiscard]] Bytes encode(const ScrubState& state);
// Errors: kCorrupt.
[[nodiscard]] Result<ScrubState> decode_scrub_state(ByteView bytes);
// What the file says; a new state when there is none, or it is damaged: what it lost is found
// again. Errors: kIo.
[[nodiscard]] Result<ScrubState> load_scrub_state(os::FileSystem& files, const std::string& path);
// Durable on return. Errors: kNoSpace, kIo.
[[nodiscard]] Result<> save_scrub_state(os::FileSystem& files, const std::string& path,
                                        const ScrubState& state);

}  // namespace warifu::upkeep
