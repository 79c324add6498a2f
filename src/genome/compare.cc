// Two indexes of one file: does the given one find all that the computed one finds?
#include <algorithm>

#include "genome/local.h"

namespace warifu::genome {
namespace {

std::string place_text(std::int64_t start, std::int64_t end) {
  return std::to_string(start + 1) + "-" + std::to_string(end);
}

IndexState compare_slices(const Index& given, const Index& computed, std::string& difference) {
  if (given.slices == computed.slices) return IndexState::kEqual;
  std::vector<SliceEntry> theirs = given.slices;
  std::vector<SliceEntry> ours = computed.slices;
  std::ranges::sort(theirs);
  std::ranges::sort(ours);
  if (theirs == ours) return IndexState::kInEffect;
  // A wider span finds as much; a container that is not there, or a narrower one, does not.
  const auto place = [](const SliceEntry& one) { return std::pair(one.reference, one.container); };
  const auto by_place = [&](std::vector<SliceEntry> entries) {
    std::ranges::sort(entries, {}, place);
    return entries;
  };
  const auto covered = [&](const SliceEntry& one, const std::vector<SliceEntry>& by, bool exact) {
    return std::ranges::any_of(std::ranges::equal_range(by, place(one), {}, place),
                               [&](const SliceEntry& other) {
                                 return exact || (other.start <= one.start && other.end >= one.end);
                               });
  };
  const std::vector<SliceEntry> their_places = by_place(theirs);
  const std::vector<SliceEntry> our_places = by_place(ours);
  std::vector<SliceEntry> missing;
  std::ranges::set_difference(ours, theirs, std::back_inserter(missing));
  for (const SliceEntry& slice : missing) {
    if (covered(slice, their_places, false)) continue;
    difference = "reference " + std::to_string(slice.reference) + ", " +
                 place_text(slice.start, slice.end) + " in the container at " +
                 std::to_string(slice.container) + " is not in the index";
    return IndexState::kDiffers;
  }
  std::vector<SliceEntry> surplus;
  std::ranges::set_difference(theirs, ours, std::back_inserter(surplus));
  for (const SliceEntry& slice : surplus) {
    if (covered(slice, our_places, true)) continue;
    difference = "the index names a slice in a container at " + std::to_string(slice.container) +
                 " that the file does not have";
    return IndexState::kDiffers;
  }
  return IndexState::kInEffect;
}

const Bin* find_bin(const BinnedReference& reference, std::uint32_t number) {
  const auto at = std::ranges::lower_bound(reference.bins, number, {}, &Bin::number);
  return at == reference.bins.end() || at->number != number ? nullptr : &*at;
}

// Whether the bin, or one that lies around it, holds the whole chunk.
bool finds(const BinnedReference& reference, std::uint32_t number, const VirtualRange& chunk) {
  std::vector<VirtualRange> chunks;
  for (std::uint32_t bin = number;; bin = (bin - 1) >> 3U) {
    if (const Bin* found = find_bin(reference, bin)) {
      chunks.insert(chunks.end(), found->chunks.begin(), found->chunks.end());
    }
    if (bin == 0) break;
  }
  std::ranges::sort(chunks);
  VirtualOffset reached = chunk.begin;
  for (const VirtualRange& one : chunks) {
    if (one.begin <= reached) reached = std::max(reached, one.end);
  }
  return reached >= chunk.end;
}

IndexState compare_bins(const Index& given, const Index& computed, std::string& difference) {
  const Binning& theirs = given.binning;
  const Binning& ours = computed.binning;
  if (theirs.min_shift != ours.min_shift || theirs.depth != ours.depth ||
      theirs.references.size() != ours.references.size() || given.names != computed.names) {
    difference = "its bins or references are not those of the file";
    return IndexState::kDiffers;
  }
  bool equal = true;
  for (std::size_t id = 0; id < ours.references.size(); ++id) {
    const BinnedReference& mine = ours.references[id];
    const BinnedReference& other = theirs.references[id];
    equal = equal && mine.bins.size() == other.bins.size() && mine.linear == other.linear;
    for (const Bin& bin : mine.bins) {
      const Bin* same = find_bin(other, bin.number);
      if (same != nullptr && same->chunks == bin.chunks && same->first <= bin.first) {
        equal = equal && same->first == bin.first;
        continue;
      }
      equal = false;
      for (const VirtualRange& chunk : bin.chunks) {
        if (finds(other, bin.number, chunk) && (same == nullptr || same->first <= bin.first)) {
          continue;
        }
        difference = "reference " + std::to_string(id) + ", bin " + std::to_string(bin.number) +
                     ": records from block " + std::to_string(block_of(chunk.begin)) +
                     " on are not in the index";
        return IndexState::kDiffers;
      }
    }
    for (std::size_t i = 0; i < std::min(mine.linear.size(), other.linear.size()); ++i) {
      if (mine.linear[i] == 0 || other.linear[i] <= mine.linear[i]) continue;
      difference = "reference " + std::to_string(id) + ", window " + std::to_string(i) +
                   ": the index starts behind the first record";
      return IndexState::kDiffers;
    }
  }
  return equal ? IndexState::kEqual : IndexState::kInEffect;
}

}  // namespace

IndexState compare_indexes(const Index& given, const Index& computed, std::string& difference) {
  if (given.kind != computed.kind) {
    difference = "it is of another kind";
    return IndexState::kDiffers;
  }
  return given.kind == IndexKind::kCrai ? compare_slices(given, computed, difference)
                                        : compare_bins(given, computed, difference);
}

}  // namespace warifu::genome
