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
  if (!header.path.is_top()) return;  // this cluster cuts no share again
  const store::ShareLayout layout(header);
  for (std::uint64_t i = 0; i < layout.chunk_count(); ++i) {
    const std::uint64_t at = layout.record_offset({i});
    Mark mark{};
    if (at + mark.size() > bytes->size()) return;
    copy_bytes(mark, ByteView(*bytes).subspan(at, mark.size()));
    places_.emplace(mark, RecordPlace{header.object, i, header.path.index()});
    came_.insert({site, mark});
  }
}

bool ClusterWatch::join_to_plain(const Mark& mark, const Mark& other) const {
  const RecordPlace& place = places_.at(mark);
  const RecordPlace& other_place = places_.at(other);
  const auto plain = plains_.find(place.object);
  if (plain == plains_.end() || place.index == other_place.index) return false;
  const std::array from = {static_cast<sharing::ShareIndex>(place.index),
                           static_cast<sharing::ShareIndex>(other_place.index)};
  const auto joiner = sharing::Joiner::make({}, from);
  WARIFU_CHECK(joiner.has_value());
  Mark joined{};
  const std::array<ByteView, 2> shares = {mark, other};
  joiner->join(shares, joined);
  const sharing::Chunking chunking{{plain->second->size()}};
  const std::size_t size = std::min<std::size_t>(joined.size(), chunking.length({place.chunk}));
  const ByteView begin = ByteView(*plain->second).subspan(place.chunk * chunking.chunk_bytes, size);
  return std::ranges::equal(ByteView(joined).first(size), begin);
}

std::set<std::pair<std::size_t, ObjectId>> ClusterWatch::exposed() const {
  std::map<std::tuple<std::size_t, ObjectId, std::uint64_t>, std::vector<Mark>> seen;
  for (const auto& [site, mark] : came_) {
    const auto known = places_.find(mark);
    if (known == places_.end() || site == origin_) continue;
    seen[{site, known->second.object, known->second.chunk}].push_back(mark);
  }
  std::set<std::pair<std::size_t, ObjectId>> found;
  for (const auto& [key, marks] : seen) {
    for (std::size_t x = 0; x < marks.size(); ++x) {
      for (std::size_t y = x + 1; y < marks.size(); ++y) {
        if (join_to_plain(marks[x], marks[y])) found.insert({std::get<0>(key), std::get<1>(key)});
      }
    }
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
