// The trail of a pool: who used which range of its stream, when and for what; never the bytes.
//
//   trail  := record*                 the files trail and trail.old; each at most half of the limit
//   record := time:i64 begin:u64 length:u64 job:16 use:u8 zero:3 crc32c:u32       48 bytes
//
// A note for people, not a rule of the pool: records are collected in memory and written a little
// later, without a sync, so a crash may leave out the last ones and a power cut more. What lies
// between the last record and the mark at the next opening is then told as kUntold. When the file
// is full it takes the place of the older one, whose records are gone. A damaged record is passed
// over; no fault of the trail ever keeps a pool from working. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "os/system.h"

namespace warifu::keypool {

// Numbers stand in files; the first five are those of Purpose.
enum class TrailUse : std::uint8_t {
  kControl = 1,
  kBulk = 2,
  kShare = 3,
  kRandom = 4,
  kApplication = 5,
  kBurnt = 6,   // skipped on purpose: catching up, reconciling, retiring
  kUntold = 7,  // below the mark, and no record says by whom: a crash, or from before the trail
};
[[nodiscard]] std::string_view trail_use_name(TrailUse use);

struct TrailRecord {
  os::UnixMs time;
  PadOffset begin;
  ByteCount length;
  JobId job;  // zero: none
  TrailUse use = TrailUse::kControl;
  bool operator==(const TrailRecord&) const = default;
};

struct TrailQuery {
  std::optional<JobId> job;
  os::UnixMs from;              // of this time and later
  std::size_t most = SIZE_MAX;  // the newest ones
};

class Trail {
 public:
  Trail(os::FileSystem& files, std::string dir, std::uint64_t limit_bytes);
  ~Trail();
  Trail(const Trail&) = delete;
  Trail& operator=(const Trail&) = delete;

  // After the pool is open: what the records do not tell up to `mark` becomes one of kUntold.
  void start(PadOffset mark, os::UnixMs now);
  void add(const TrailRecord& record);
  // Writes what was collected. Errors: kNoSpace, kIo; the records are then lost and counted.
  [[nodiscard]] Result<> flush();
  // In the order of writing. Errors: kIo.
  [[nodiscard]] Result<std::vector<TrailRecord>> read(const TrailQuery& query);
  // Records that could not be kept since start().
  [[nodiscard]] std::uint64_t lost() const;

 private:
  Result<> flush_locked();
  Result<> rotate();
  Result<std::vector<TrailRecord>> read_file(const std::string& path);

  os::FileSystem& files_;
  const std::string path_;
  const std::uint64_t half_bytes_;
  mutable std::mutex mutex_;
  std::vector<TrailRecord> waiting_;
  std::unique_ptr<os::File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace warifu::keypool
