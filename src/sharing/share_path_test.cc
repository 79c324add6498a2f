// Paths have one name and one encoding each, and stand in the order of the tree.
#include "sharing/share_path.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace warifu::sharing {
namespace {

SharePath path_of(const std::vector<std::size_t>& steps) {
  SharePath path;
  for (const std::size_t step : steps) path = path.part(step);
  return path;
}

TEST(SharePaths, NamesRunFromAToAf) {
  EXPECT_EQ(SharePath(ShareIndex::kA).text(), "A");
  EXPECT_EQ(path_of({25}).text(), "Z");
  EXPECT_EQ(path_of({26}).text(), "AA");
  EXPECT_EQ(path_of({31}).text(), "AF");
  EXPECT_EQ(path_of({2, 31}).text(), "C32");
  EXPECT_EQ(path_of({2, 1, 27}).text(), "C2ab");
  EXPECT_EQ(path_of({2, 1, 27, 0}).text(), "C2ab1");
  for (const char* bad : {"", "a", "AG", "C0", "C33", "C01", "1", "A1B", "AAA", "A ", "C2A", "C2ag",
                          "2", "Ca", "C2b0", "A1a1a1a1a1", "C2b "}) {
    EXPECT_EQ(SharePath::parse(bad).error().code, Code::kInvalidArgument) << bad;
  }
}

TEST(SharePaths, NoTwoShareANameOrBytes) {
  std::set<std::string> names;
  std::set<Bytes> encodings;
  std::set<SharePath> paths;
  const auto add = [&](const std::vector<std::size_t>& steps) {
    const SharePath path = path_of(steps);
    EXPECT_TRUE(paths.insert(path).second);
    EXPECT_TRUE(names.insert(path.text()).second) << path.text();
    EXPECT_EQ(*SharePath::parse(path.text()), path) << path.text();
    EXPECT_EQ(*SharePath::from_steps(path.steps()), path) << path.text();
    wire::Writer writer;
    write_path(writer, path);
    EXPECT_EQ(writer.bytes().size(), SharePath::kBytes);
    EXPECT_TRUE(encodings.insert(writer.bytes()).second) << path.text();
    wire::Reader reader(writer.bytes(), "path");
    EXPECT_EQ(read_path(reader), path);
    EXPECT_TRUE(reader.finish());
  };
  for (std::size_t i = 0; i < kMaxShares; ++i) {
    add({i});
    for (std::size_t j = 0; j < kMaxShares; ++j) {
      add({i, j});
      add({2, i, j});
      add({0, 1, i, j});
    }
  }
  add({31, 31, 31, 31, 31, 31, 31, 31, 31});
}

TEST(SharePaths, StandInTheOrderOfTheTree) {
  const std::vector<std::vector<std::size_t>> order = {{0},       {1},    {1, 0}, {1, 0, 5},
                                                       {1, 0, 6}, {1, 1}, {2},    {2, 3}};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = 0; j < order.size(); ++j) {
      EXPECT_EQ(path_of(order[i]) < path_of(order[j]), i < j) << i << ' ' << j;
    }
  }
}

TEST(SharePaths, KnowWhatStandsAboveThem) {
  const SharePath path = path_of({2, 1, 4});
  EXPECT_EQ(path.index(), 4);
  EXPECT_EQ(path.step(1), 1);
  EXPECT_EQ(path.parent(), path_of({2, 1}));
  EXPECT_EQ(path.above(1), SharePath(ShareIndex::kC));
  EXPECT_TRUE(path.above(0).is_object());
  EXPECT_TRUE(path_of({2}).is_top());
  EXPECT_FALSE(path.is_top());
  EXPECT_TRUE(path.is_within(path));
  EXPECT_TRUE(path.is_within(path_of({2})));
  EXPECT_TRUE(path.is_within({}));
  EXPECT_FALSE(path.is_within(path_of({2, 0})));
  EXPECT_FALSE(path_of({2}).is_within(path));
  EXPECT_TRUE(path.same_cut(path_of({2, 1, 0})));
  EXPECT_FALSE(path.same_cut(path_of({2, 0, 4})));
  EXPECT_FALSE(path.same_cut(path_of({2, 1})));
  EXPECT_TRUE(path_of({0}).same_cut(path_of({31})));
}

TEST(SharePaths, BadBytesAreRejected) {
  const auto fails = [](Bytes bytes) {
    wire::Reader reader(bytes, "path");
    (void)read_path(reader);
    return !reader.finish();
  };
  EXPECT_FALSE(fails({1, 31, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(fails({1, 32, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(fails({0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(fails({1, 2, 1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(fails({10, 2, 1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(fails({1, 2, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(SharePath::from_steps({}));
  EXPECT_FALSE(SharePath::from_steps(Bytes(10)));
  EXPECT_FALSE(SharePath::from_steps(Bytes{32}));
}

}  // namespace
}  // namespace warifu::sharing
