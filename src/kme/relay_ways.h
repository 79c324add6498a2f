// Which relays handled which key of a relayed link: one file for both directions at one end.
//
//   file  := "WRFWAYS1" sets:u16 set* count:u32 entry* crc32c:u32         numbers little-endian
//   set   := paths:u8 path{paths} segments:u64 bytes:u64 last:i64         path := count:u8
//   site{count} entry := direction:u8 number:u64 set:u16
//
// A set is the paths that one transfer went over; it stays when its key is used up, so that what
// the key protected can still be told. The record of a segment is durable before the segment is
// taken in, so there is never relayed key of which nobody knows the way. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "keypool/pool.h"
#include "kme/relay_paths.h"

namespace warifu::kme {

struct RelayWaySet {
  std::vector<RelayPath> paths;
  std::uint64_t segments = 0;  // that ever came this way, both directions
  std::uint64_t bytes = 0;
  os::UnixMs last;
};

class RelayWays {
 public:
  // Reads the file; none is an empty record. Errors: kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<RelayWays>> open(os::System system,
                                                               const std::string& path);

  // Records, durably, how segment `number` came. Records of segments that `pool` holds no more go.
  // Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> add(const keypool::Pool& pool, SegmentNumber number, std::uint64_t bytes,
                             const std::vector<RelayPath>& paths);
  // Empty when it did not come over relays (preshared key that was brought, for example).
  [[nodiscard]] std::vector<RelayPath> of(keypool::Direction direction, SegmentNumber number) const;
  [[nodiscard]] std::vector<RelayWaySet> sets() const;
  // Every relay of every set.
  [[nodiscard]] std::set<SiteName> relays() const;

 private:
  using Place = std::pair<keypool::Direction, std::uint64_t>;
  struct Record {
    std::vector<RelayWaySet> sets;
    std::map<Place, std::uint16_t> entries;
  };
  RelayWays(os::System system, std::string path) : system_(system), path_(std::move(path)) {}
  static Bytes encode(const Record& record);
  Result<Record> decode(ByteView bytes) const;
  static void make_room(Record& record);

  os::System system_;
  std::string path_;
  mutable std::mutex mutex_;
  Record record_;
};

}  // namespace warifu::kme
