// What came to whom.
#include "testing/cluster_watch.h"

#include <algorithm>

#include "channel/frame.h"
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
  ++data_frames_;
  for (std::size_t i = 0; i < mark.size(); ++i) {
    mark[i] = static_cast<Byte>(frame[channel::kHeaderBytes + i] ^ pad[at + i]);
  }
  came_.insert({to, mark});
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
  const bool nested = header.level == store::Level::kNested;
  SharePlace place{header.object, header.generation, nested ? header.parent_index : header.index,
                   std::nullopt};
  if (nested) place.part = header.index;
  lay_.insert({site, place});
  const store::ShareLayout layout(header);
  for (std::uint64_t i = 0; i < layout.chunk_count(); ++i) {
    const std::uint64_t at = layout.record_offset({i});
    Mark mark{};
    if (at + mark.size() > bytes->size()) return;
    copy_bytes(mark, ByteView(*bytes).subspan(at, mark.size()));
    places_.emplace(mark, place);
  }
}

std::set<std::pair<std::size_t, ObjectId>> ClusterWatch::exposed() const {
  std::map<std::tuple<std::size_t, ObjectId, std::uint32_t>, std::set<std::uint8_t>> tops;
  const auto add = [&](std::size_t site, const SharePlace& place) {
    tops[{site, place.object, place.generation}].insert(place.top);
  };
  for (const auto& [site, place] : lay_) add(site, place);
  for (const auto& [site, mark] : came_) {
    if (const auto known = places_.find(mark); known != places_.end()) add(site, known->second);
  }
  std::set<std::pair<std::size_t, ObjectId>> found;
  for (const auto& [key, shares] : tops) {
    const auto& [site, object, generation] = key;
    if (site != origin_ && shares.size() > 1) found.insert({site, object});
  }
  return found;
}

std::uint64_t ClusterWatch::shares_sent() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      came_, [&](const auto& entry) { return places_.contains(entry.second); }));
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
