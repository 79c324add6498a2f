// Chunk ranges against sets of numbers.
#include "consent/chunks.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "consent/scope.h"
#include "wire/wire_test_support.h"

namespace warifu::consent {
namespace {

std::set<std::uint32_t> set_of(const std::vector<ChunkRange>& ranges) {
  std::set<std::uint32_t> all;
  for (const ChunkRange& range : ranges) {
    for (std::uint32_t i = 0; i < range.count; ++i) all.insert(range.first + i);
  }
  return all;
}

std::vector<ChunkRange> some_ranges(std::mt19937& generator) {
  std::vector<ChunkRange> ranges(1 + generator() % 5);
  for (ChunkRange& range : ranges) {
    range = {static_cast<std::uint32_t>(generator() % 30),
             1 + static_cast<std::uint32_t>(generator() % 6)};
  }
  return ranges;
}

TEST(ChunkRanges, AreTheSetThatWasAskedForInOneForm) {
  std::mt19937 generator(1);
  for (int round = 0; round < 2000; ++round) {
    const auto ranges = some_ranges(generator);
    const auto all = set_of(ranges);
    const ChunkRanges chunks = *make_chunks(ranges);
    EXPECT_EQ(set_of(chunks), all);
    EXPECT_EQ(flaw_of(chunks), "");
    EXPECT_EQ(chunk_count(chunks), all.size());
    for (std::uint32_t first = 0; first < 38; ++first) {
      bool within = true;
      for (std::uint32_t count = 1; count < 10; ++count) {
        within = within && all.contains(first + count - 1);
        ASSERT_EQ(has_chunks(chunks, first, count), within);
      }
      EXPECT_FALSE(has_chunks(chunks, first, 0));
    }
  }
}

TEST(ChunkRanges, AScopeGivesWhatItHolds) {
  std::mt19937 generator(2);
  for (int round = 0; round < 2000; ++round) {
    const Scope allowed{{}, {}, *make_chunks(some_ranges(generator))};
    const Scope asked{{}, {}, *make_chunks(some_ranges(generator))};
    const auto have = set_of(allowed.chunks);
    const auto want = set_of(asked.chunks);
    EXPECT_EQ(covers_chunks(allowed, asked),
              std::includes(have.begin(), have.end(), want.begin(), want.end()));
    EXPECT_TRUE(covers_chunks({}, asked));
    EXPECT_FALSE(covers_chunks(allowed, {}));
  }
}

TEST(ChunkRanges, LimitsAndTexts) {
  EXPECT_EQ(chunks_text(*make_chunks({{7, 1}, {0, 2}, {2, 1}})), "0-2, 7");
  EXPECT_FALSE(make_chunks({{3, 0}}));
  EXPECT_FALSE(make_chunks({{UINT32_MAX, 1}}));
  EXPECT_TRUE(make_chunks({{UINT32_MAX - 1, 1}}));
  EXPECT_FALSE(has_chunks({{5, 2}}, 5, UINT64_MAX));
  EXPECT_FALSE(has_chunks({{5, 2}}, UINT64_MAX, 2));
  std::vector<ChunkRange> many;
  for (std::uint32_t i = 0; i < kMaxChunkRanges; ++i) many.push_back({2 * i, 1});
  EXPECT_TRUE(make_chunks(many));
  many.push_back({1000, 1});
  EXPECT_EQ(make_chunks(many).error().code, Code::kInvalidArgument);
}

TEST(ChunkRanges, OneEncoding) {
  wire::Writer writer;
  write_chunks(writer, *make_chunks({{0, 1}, {5, 3}, {900, 100}}));
  const auto decode = [](const Bytes& bytes) -> Result<ChunkRanges> {
    wire::Reader reader(bytes, "chunks");
    ChunkRanges chunks = read_chunks(reader);
    TRY(reader.finish());
    return chunks;
  };
  const auto encode = [](const ChunkRanges& chunks) {
    wire::Writer again;
    write_chunks(again, chunks);
    return again.take();
  };
  EXPECT_EQ(wire::check_corruptions(writer.take(), decode, encode), "");
}

}  // namespace
}  // namespace warifu::consent
