// What came to whom.
#include "testing/cluster_watch.h"

#include <algorithm>

#include "channel/frame.h"
#include "sharing/chunk.h"
#include "sharing/scheme.h"
#include "store/share_header.h"

namespace warifu::sim {
namespace {
constexpr std::uint64_t kMostFileBytes = 64 << 20;
// Fewer bytes of a file may be what shares join to by chance.
constexpr std::size_t kTellingBytes = 8;
using sharing::SharePath;
}  // namespace

void ClusterWatch::saw_frame(std::size_t from, std::size_t to, ByteView frame) {
  Mark mark{};
  if (frame.size() < channel::kHeaderBytes + mark.size()) return;
  const auto header = channel::decode_header(frame.first(channel::kHeaderBytes));
  if (!header || header->type != channel::FrameType::kData || header->length < mark.size()) return;
  const auto material = material_.find({from, to});
  if (material == material_.end()) return;
  const Bytes& pad = *material->second;
  const std::uint64_t at = header->pad_offset.value;
  if (at > pad.size() || pad.size() - at < mark.size()) return;
  for (std::size_t i = 0; i < mark.size(); ++i) {
    mark[i] = static_cast<Byte>(frame[channel::kHeaderBytes + i] ^ pad[at + i]);
  }
  came_.insert({to, mark});
  sent_.insert({to, mark});
}

void ClusterWatch::saw_file(std::size_t site, os::FileSystem& files, const std::string& path) {
  const auto bytes = os::read_file(files, path, kMostFileBytes);
  if (!bytes || bytes->size() < store::kRecordsStart) return;
  std::optional<store::HeaderSlot> newest;
  for (std::size_t i = 0; i < store::kHeaderSlots; ++i) {
    const auto slot = store::parse_slot(
        ByteView(*bytes).subspan(i * store::kHeaderBytes, store::kHeaderBytes), path);
    if (slot && (!newest || slot->sequence > newest->sequence)) newest = *slot;
  }
  if (!newest) return;
  const store::ShareHeader& header = newest->header;
  const store::ShareLayout layout(header);
  for (std::uint64_t i = 0; i < layout.chunk_count(); ++i) {
    const std::uint64_t at = layout.record_offset({i});
    Mark mark{};
    if (at + mark.size() > bytes->size()) return;
    copy_bytes(mark, ByteView(*bytes).subspan(at, mark.size()));
    places_.emplace(mark, RecordPlace{header.object, i, header.path});
    came_.insert({site, mark});
  }
}

ClusterWatch::Mark ClusterWatch::join(const SharePath& x, const Mark& of_x, const SharePath& y,
                                      const Mark& of_y) {
  const std::array from = {static_cast<sharing::ShareIndex>(x.index()),
                           static_cast<sharing::ShareIndex>(y.index())};
  const auto joiner = sharing::Joiner::make({}, from);
  WARIFU_CHECK(joiner.has_value());
  Mark joined{};
  const std::array<ByteView, 2> shares = {of_x, of_y};
  joiner->join(shares, joined);
  return joined;
}

void ClusterWatch::join_parts(Marks& marks) {
  for (std::size_t depth = SharePath::kMaxSteps; depth > 1; --depth) {
    Marks above;
    for (auto x = marks.begin(); x != marks.end(); ++x) {
      for (auto y = std::next(x); y != marks.end(); ++y) {
        if (x->first.size() != depth || !x->first.same_cut(y->first)) continue;
        for (const Mark& of_x : x->second) {
          for (const Mark& of_y : y->second) {
            above[x->first.parent()].insert(join(x->first, of_x, y->first, of_y));
          }
        }
      }
    }
    for (auto& [path, joined] : above) marks[path].merge(joined);
  }
}

// Parts of several generations are joined too; what comes of that nobody has.
void ClusterWatch::find_cut_shares() {
  std::map<std::pair<ObjectId, std::uint64_t>, Marks> parts;
  for (const auto& [mark, place] : places_) {
    if (!place.path.is_top()) parts[{place.object, place.chunk}][place.path].insert(mark);
  }
  for (auto& [record, marks] : parts) {
    join_parts(marks);
    for (const auto& [path, found] : marks) {
      for (const Mark& mark : found)
        places_.emplace(mark, RecordPlace{record.first, record.second, path});
    }
  }
}

bool ClusterWatch::join_to_plain(const Marks& marks, const ObjectId& object,
                                 std::uint64_t chunk) const {
  const auto plain = plains_.find(object);
  if (plain == plains_.end()) return false;
  const sharing::Chunking chunking{{plain->second->size()}};
  const std::size_t size = std::min<std::size_t>(Mark().size(), chunking.length({chunk}));
  if (size < kTellingBytes) return false;
  const ByteView begin = ByteView(*plain->second).subspan(chunk * chunking.chunk_bytes, size);
  for (auto x = marks.begin(); x != marks.end(); ++x) {
    for (auto y = std::next(x); y != marks.end(); ++y) {
      if (!x->first.is_top() || !y->first.is_top()) continue;
      for (const Mark& of_x : x->second) {
        for (const Mark& of_y : y->second) {
          const Mark joined = join(x->first, of_x, y->first, of_y);
          if (std::ranges::equal(ByteView(joined).first(size), begin)) return true;
        }
      }
    }
  }
  return false;
}

std::set<std::pair<std::size_t, ObjectId>> ClusterWatch::exposed() {
  find_cut_shares();
  std::map<std::tuple<std::size_t, ObjectId, std::uint64_t>, Marks> seen;
  for (const auto& [site, mark] : came_) {
    const auto known = places_.find(mark);
    if (known == places_.end() || site == origin_) continue;
    seen[{site, known->second.object, known->second.chunk}][known->second.path].insert(mark);
  }
  std::set<std::pair<std::size_t, ObjectId>> found;
  for (auto& [key, marks] : seen) {
    const auto& [site, object, chunk] = key;
    join_parts(marks);
    if (join_to_plain(marks, object, chunk)) found.insert({site, object});
  }
  return found;
}

std::uint64_t ClusterWatch::shares_sent() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      sent_, [&](const auto& entry) { return places_.contains(entry.second); }));
}

void PadWatch::left(PadOffset begin, ByteCount size, keypool::Purpose) {
  if (size.value == 0 || !alive_()) return;
  const std::uint64_t end = begin.value + size.value;
  auto next = taken_.lower_bound(begin.value);
  const bool meets_before = next != taken_.begin() && std::prev(next)->second > begin.value;
  const bool meets_behind = next != taken_.end() && next->first < end;
  if (meets_before || meets_behind) {
    ++reused_;
    return;
  }
  // Joined to what it goes on from: one entry for each gap.
  if (next != taken_.begin() && std::prev(next)->second == begin.value) {
    std::prev(next)->second = end;
  } else {
    taken_.emplace(begin.value, end);
  }
}

}  // namespace warifu::sim
