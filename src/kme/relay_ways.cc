// The record of ways as one small file that is replaced whole.
#include "kme/relay_ways.h"

#include <algorithm>

#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::string_view kMagic = "WRFWAYS1";
constexpr std::uint64_t kMostBytes = 64 << 20;
// More ways than this are not told apart for ever: the one that was used longest ago goes.
constexpr std::size_t kMostSets = 1024;

}  // namespace

Bytes RelayWays::encode(const Record& record) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.u16(static_cast<std::uint16_t>(record.sets.size()));
  for (const RelayWaySet& set : record.sets) {
    writer.u8(static_cast<std::uint8_t>(set.paths.size()));
    for (const RelayPath& path : set.paths) writer.sites(path);
    writer.u64(set.segments);
    writer.u64(set.bytes);
    writer.i64(set.last.value);
  }
  writer.u32(static_cast<std::uint32_t>(record.entries.size()));
  for (const auto& [place, set] : record.entries) {
    writer.u8(static_cast<std::uint8_t>(place.first));
    writer.u64(place.second);
    writer.u16(set);
  }
  writer.checksum();
  return writer.take();
}

Result<RelayWays::Record> RelayWays::decode(ByteView bytes) const {
  const auto damaged = [&] {
    return fail(Code::kCorrupt, "the record of relays '" + path_ + "' is damaged");
  };
  const auto body = wire::before_checksum(bytes);
  if (!body) return damaged();
  wire::Reader reader(*body, "record of relays");
  if (as_text(reader.raw(kMagic.size())) != kMagic) return damaged();
  Record record;
  const std::uint16_t sets = reader.u16();
  for (std::uint16_t i = 0; i < sets && reader.good(); ++i) {
    RelayWaySet set;
    const std::uint8_t paths = reader.u8();
    for (std::uint8_t j = 0; j < paths && reader.good(); ++j)
      set.paths.push_back(reader.sites(0, UINT8_MAX));
    set.segments = reader.u64();
    set.bytes = reader.u64();
    set.last = {reader.i64()};
    record.sets.push_back(std::move(set));
  }
  const std::uint32_t count = reader.u32();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    const std::uint8_t direction = reader.u8();
    const std::uint64_t number = reader.u64();
    const std::uint16_t set = reader.u16();
    if (set >= record.sets.size()) return damaged();
    record.entries[{static_cast<keypool::Direction>(direction), number}] = set;
  }
  if (!reader.finish()) return damaged();
  return record;
}

Result<std::unique_ptr<RelayWays>> RelayWays::open(os::System system, const std::string& path) {
  std::unique_ptr<RelayWays> ways(new RelayWays(system, path));
  if (!system.files.exists(path)) return ways;
  TRY_ASSIGN(const Bytes bytes, os::read_file(system.files, path, kMostBytes));
  TRY_ASSIGN(ways->record_, ways->decode(bytes));
  return ways;
}

// Drops the set that was used longest ago and has no key left in the pools.
void RelayWays::make_room(Record& record) {
  if (record.sets.size() < kMostSets) return;
  std::set<std::uint16_t> live;
  for (const auto& [place, set] : record.entries) live.insert(set);
  std::optional<std::size_t> oldest;
  for (std::size_t i = 0; i < record.sets.size(); ++i) {
    if (live.contains(static_cast<std::uint16_t>(i))) continue;
    if (!oldest || record.sets[i].last < record.sets[*oldest].last) oldest = i;
  }
  if (!oldest) return;
  record.sets.erase(record.sets.begin() + static_cast<std::ptrdiff_t>(*oldest));
  for (auto& [place, set] : record.entries) {
    if (set > *oldest) --set;
  }
}

Result<> RelayWays::add(const keypool::Pool& pool, SegmentNumber number, std::uint64_t bytes,
                        const std::vector<RelayPath>& paths) {
  std::set<std::uint64_t> kept = {number.value};
  for (const auto& entry : pool.segments()) kept.insert(entry.number.value);
  const std::lock_guard lock(mutex_);
  Record next = record_;
  std::erase_if(next.entries, [&](const auto& entry) {
    return entry.first.first == pool.direction() && !kept.contains(entry.first.second);
  });
  auto set = std::ranges::find(next.sets, paths, &RelayWaySet::paths);
  if (set == next.sets.end()) {
    make_room(next);
    if (next.sets.size() >= UINT16_MAX) {
      return fail(Code::kNoSpace, "'" + path_ + "' holds too many different ways");
    }
    set = next.sets.insert(next.sets.end(), RelayWaySet{.paths = paths});
  }
  ++set->segments;
  set->bytes += bytes;
  set->last = system_.clock.now();
  next.entries[{pool.direction(), number.value}] =
      static_cast<std::uint16_t>(set - next.sets.begin());
  TRY(os::replace_file(system_.files, path_, encode(next)));
  record_ = std::move(next);
  return {};
}

std::vector<RelayPath> RelayWays::of(keypool::Direction direction, SegmentNumber number) const {
  const std::lock_guard lock(mutex_);
  const auto it = record_.entries.find({direction, number.value});
  return it == record_.entries.end() ? std::vector<RelayPath>{} : record_.sets[it->second].paths;
}

std::vector<RelayWaySet> RelayWays::sets() const {
  const std::lock_guard lock(mutex_);
  return record_.sets;
}

std::set<SiteName> RelayWays::relays() const {
  std::set<SiteName> all;
  for (const RelayWaySet& set : sets()) {
    for (const RelayPath& path : set.paths) {
      for (std::size_t i = 1; i + 1 < path.size(); ++i) all.insert(path[i]);
    }
  }
  return all;
}

}  // namespace warifu::kme
