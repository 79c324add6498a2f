// Many cuts in one pass: each is the one that its regions alone give.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "genome/index.h"

namespace warifu::genome {
namespace {

// Slices as a file has them, some of several references, some without a position, and one here and
// there that is far longer than the others.
Index random_slices(std::mt19937_64& random, std::size_t count) {
  Index index;
  std::uint64_t container = 1000;
  for (std::size_t i = 0; i < count; ++i) {
    if (random() % 3 > 0) container += 1 + random() % 5000;
    const bool unplaced = random() % 40 == 0;
    const auto start = static_cast<std::int64_t>(random() % 20'000);
    const auto span = static_cast<std::int64_t>(random() % (random() % 30 == 0 ? 15'000 : 200));
    index.slices.push_back({unplaced ? kUnplaced : static_cast<std::int32_t>(random() % 4), start,
                            start + span, container, 20, 300});
  }
  return index;
}

// As the specification of CRAM says: every slice against every region.
std::vector<ByteRange> linear_filter(const Index& index, const std::vector<Region>& regions,
                                     std::uint64_t end) {
  std::vector<std::uint64_t> all, wanted;
  for (const SliceEntry& slice : index.slices) {
    all.push_back(slice.container);
    for (const Region& region : regions) {
      const bool overlaps = slice.start < region.end && slice.end > region.start;
      if (slice.reference != region.reference) continue;
      if (region.reference == kUnplaced || overlaps) wanted.push_back(slice.container);
    }
  }
  all.push_back(end);
  std::ranges::sort(all);
  std::ranges::sort(wanted);
  std::vector<ByteRange> ranges;
  for (const std::uint64_t begin : wanted) {
    const std::uint64_t stop = *std::ranges::upper_bound(all, begin);
    if (!ranges.empty() && ranges.back().end >= begin) {
      ranges.back().end = std::max(ranges.back().end, stop);
    } else {
      ranges.push_back({begin, stop});
    }
  }
  return ranges;
}

TEST(CutsTest, OnePassFindsWhatTheLinearFilterFinds) {
  std::mt19937_64 random(20261127);
  constexpr WholeFile kFile{10'000'000, 38};
  for (int run = 0; run < 60; ++run) {
    const Index index = random_slices(random, 1 + random() % 400);
    std::vector<std::vector<Region>> wishes(1 + random() % 20);
    for (std::vector<Region>& regions : wishes) {
      for (std::size_t i = random() % 5; i > 0; --i) {
        const auto start = static_cast<std::int64_t>(random() % 20'000);
        const auto end = random() % 10 == 0
                             ? kEndOfReference
                             : start + 1 + static_cast<std::int64_t>(random() % 3000);
        regions.push_back({static_cast<std::int32_t>(random() % 5) - 1, start, end});
      }
    }
    const auto made = cuts(index, wishes, kFile);
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_EQ(made->size(), wishes.size());
    for (std::size_t i = 0; i < wishes.size(); ++i) {
      EXPECT_EQ((*made)[i].body, linear_filter(index, wishes[i], kFile.bytes - 38)) << run;
      const auto alone = cut(index, wishes[i], kFile);
      EXPECT_EQ((*made)[i].body, alone->body);
      EXPECT_EQ((*made)[i].header, alone->header);
      EXPECT_EQ((*made)[i].trailer, alone->trailer);
    }
  }
}

TEST(CutsTest, OneWishThatIsNoneRefusesAll) {
  std::mt19937_64 random(1);
  const Index index = random_slices(random, 10);
  const std::array<std::vector<Region>, 2> wishes = {std::vector<Region>{{0, 5, 6}},
                                                     std::vector<Region>{{0, 6, 6}}};
  EXPECT_EQ(cuts(index, wishes, {10'000'000, 38}).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(cuts(index, {}, {10'000'000, 38})->empty());
}

}  // namespace
}  // namespace warifu::genome
