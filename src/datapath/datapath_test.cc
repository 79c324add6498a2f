// The fused passes equal the steps one after the other, on many sizes; whatever is changed is
// refused by the right tag and releases nothing.
#include "datapath/datapath.h"

#include <gtest/gtest.h>

#include <random>

namespace warifu::datapath {
namespace {

using sharing::ShareIndex;

Bytes random_bytes(std::mt19937_64& generator, std::size_t size) {
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<Byte>(generator());
  return bytes;
}

constexpr std::array<ShareIndex, 3> kShares = {ShareIndex::kA, ShareIndex::kB, ShareIndex::kC};

// A chunk cut by the steps, one after the other, and everything that went into it.
struct Steps {
  ChunkName name;
  Bytes r_bytes;
  Bytes data;    // what the chunk holds
  Bytes record;  // with zeros and tag
  Bytes share[3];

  Steps(std::mt19937_64& generator, std::uint32_t length) {
    name.index = {generator() % 1000};
    name.length = length;
    r_bytes = random_bytes(generator, 16);
    data = random_bytes(generator, length);
    record = data;
    record.resize(sharing::padded_size(length) + sharing::kTagBytes);
    (void)sharing::finish_record(r(), name.object, name.index, length, record);
    share[0] = random_bytes(generator, record.size());
    share[1].resize(record.size());
    share[2].resize(record.size());
    sharing::split(record, share[0], share[1], share[2]);
  }
  [[nodiscard]] mac::Key r() const { return mac::Key(r_bytes); }
};

std::vector<std::uint32_t> lengths() {
  std::vector<std::uint32_t> all;
  for (std::uint32_t length = 1; length <= 130; ++length) all.push_back(length);
  for (const std::uint32_t length : {480U, 511U, 512U, 513U, 544U, 1000U, 1023U, 1024U, 1025U,
                                     4096U, 5000U, 65536U, 262143U, 262144U}) {
    all.push_back(length);
  }
  return all;
}

// The data with anything behind it: a pass must write zeros and tag itself.
Bytes raw_record(const Steps& steps) {
  Bytes record = steps.data;
  record.resize(steps.record.size(), 0xEE);
  return record;
}

TEST(Cut, EqualsTheStepsWithAndWithoutACopyOfShareA) {
  std::mt19937_64 generator(2);
  for (const std::uint32_t length : lengths()) {
    const Steps steps(generator, length);
    const mac::Key r = steps.r();
    for (const bool copy_a : {false, true}) {
      Bytes record = raw_record(steps);
      Bytes a(copy_a ? record.size() : 0), b(record.size()), c(record.size());
      const auto tag = cut(r, steps.name, record, steps.share[0], {a, b, c});
      ASSERT_EQ(record, steps.record) << length;
      ASSERT_EQ(b, steps.share[1]) << length;
      ASSERT_EQ(c, steps.share[2]) << length;
      EXPECT_EQ(a, copy_a ? steps.share[0] : Bytes{});
      EXPECT_TRUE(std::equal(tag.begin(), tag.end(), steps.record.end() - 32));
    }
  }
}

Result<sharing::VerifiedChunk> combine_pair(const Steps& steps, ShareIndex x, ShareIndex y) {
  return combine_and_verify(steps.r(), steps.name, {x, steps.share[static_cast<std::size_t>(x)]},
                            {y, steps.share[static_cast<std::size_t>(y)]});
}

TEST(CombineAndVerify, EveryPairGivesTheChunk) {
  std::mt19937_64 generator(3);
  for (const std::uint32_t length : lengths()) {
    const Steps steps(generator, length);
    for (const ShareIndex x : kShares) {
      for (const ShareIndex y : kShares) {
        if (x == y) continue;
        const auto chunk = combine_pair(steps, x, y);
        ASSERT_TRUE(chunk) << length << ": " << chunk.error().message;
        EXPECT_TRUE(std::ranges::equal(chunk->data(), steps.data));
        EXPECT_EQ(chunk->index(), steps.name.index);
        EXPECT_TRUE(std::equal(chunk->tag().begin(), chunk->tag().end(), steps.record.end() - 32));
      }
    }
  }
}

// Calls `attempt` once for every flipped bit of `target`; each must fail with `code`.
template <class Attempt>
void every_flip_fails(MutableBytes target, Code code, Attempt attempt) {
  for (std::size_t bit = 0; bit < target.size() * 8; ++bit) {
    const auto flip = [&] {
      target[bit / 8] = static_cast<Byte>(target[bit / 8] ^ (1U << (bit % 8)));
    };
    flip();
    const auto result = attempt();
    ASSERT_FALSE(result) << "bit " << bit;
    ASSERT_EQ(result.error().code, code) << "bit " << bit;
    flip();
  }
}

TEST(CombineAndVerify, EveryFlippedBitIsRefused) {
  std::mt19937_64 generator(5);
  for (const std::uint32_t length : {1U, 40U, 600U}) {
    Steps steps(generator, length);
    const auto combine = [&] { return combine_pair(steps, ShareIndex::kA, ShareIndex::kC); };
    ASSERT_TRUE(combine());
    every_flip_fails(steps.share[0], Code::kCorrupt, combine);
    every_flip_fails(steps.share[2], Code::kCorrupt, combine);
    ASSERT_TRUE(combine()) << "everything is flipped back";
  }
}

TEST(CombineAndVerify, AnotherNameOrSizeIsRefused) {
  std::mt19937_64 generator(6);
  Steps steps(generator, 100);
  const auto combine = [&] { return combine_pair(steps, ShareIndex::kA, ShareIndex::kB); };
  steps.name.index.value += 1;
  EXPECT_EQ(combine().error().code, Code::kCorrupt);
  steps.name.index.value -= 1;
  steps.name.length -= 1;  // the same padded size, another length
  EXPECT_EQ(combine().error().code, Code::kCorrupt);
  steps.name.length = 64;
  EXPECT_EQ(combine().error().code, Code::kInvalidArgument);
  steps.name.length = 100;
  EXPECT_TRUE(combine());
}

}  // namespace
}  // namespace warifu::datapath
