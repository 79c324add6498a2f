// Perfect secrecy exhaustively on the small field, distribution on real shares, every pair
// restores, and chunk tags that refuse every change.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "os/system.h"
#include "sharing/chunk.h"
#include "sharing/form_q.h"

namespace warifu::sharing {
namespace {

Bytes random_bytes(std::mt19937_64& generator, std::size_t size) {
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<Byte>(generator());
  return bytes;
}

struct Shares {
  Bytes share[3];
};

Shares split_bytes(ByteView s, ByteView r) {
  Shares out{{Bytes(r.begin(), r.end()), Bytes(s.size()), Bytes(s.size())}};
  split(s, r, out.share[1], out.share[2]);
  return out;
}

constexpr std::array<std::pair<int, int>, 6> kPairs = {
    {{0, 1}, {1, 0}, {0, 2}, {2, 0}, {1, 2}, {2, 1}}};

Bytes combine_bytes(const Shares& shares, int x, int y) {
  Bytes s(shares.share[0].size());
  combine(static_cast<ShareIndex>(x), shares.share[x], static_cast<ShareIndex>(y), shares.share[y],
          s);
  return s;
}

// One bit of each lane of a word, as a number 0..3: an element of GF(4).
int element(ByteView word) {
  return (word[0] & 1) | (word[16] & 1) << 1;
}
Bytes word_of(int element) {
  Bytes word(kWordBytes);
  word[0] = static_cast<Byte>(element & 1);
  word[16] = static_cast<Byte>(element >> 1);
  return word;
}

TEST(FormQ, EveryPairRestores) {
  std::mt19937_64 generator(1);
  for (const std::size_t size : {0u, 32u, 64u, 4096u, 262176u}) {
    const Bytes s = random_bytes(generator, size);
    const Shares shares = split_bytes(s, random_bytes(generator, size));
    for (const auto& [x, y] : kPairs) EXPECT_EQ(combine_bytes(shares, x, y), s);
  }
}

TEST(FormQ, PerfectOnTheWholeSmallField) {
  // For every secret, every share takes every value exactly once over all R.
  for (int share = 0; share < 3; ++share) {
    for (int s = 0; s < 4; ++s) {
      std::array<int, 4> seen{};
      for (int r = 0; r < 4; ++r) {
        const Shares shares = split_bytes(word_of(s), word_of(r));
        ++seen[static_cast<std::size_t>(element(shares.share[share]))];
      }
      EXPECT_EQ(seen, (std::array<int, 4>{1, 1, 1, 1})) << "share " << share << " secret " << s;
    }
  }
}

TEST(FormQ, OneShareAndEveryWireTellNothing) {
  // View of one site = its share, and every ciphertext on every wire; shares B and C travel under
  // pads that are independent and used once. The distribution must not depend on the secret.
  for (int share = 0; share < 3; ++share) {
    std::array<std::map<std::array<int, 3>, int>, 4> views;
    for (int s = 0; s < 4; ++s) {
      for (int random = 0; random < 64; ++random) {
        const int r = random & 3, pad_b = random >> 2 & 3, pad_c = random >> 4 & 3;
        const Shares shares = split_bytes(word_of(s), word_of(r));
        const std::array<int, 3> view = {element(shares.share[share]),
                                         element(shares.share[1]) ^ pad_b,
                                         element(shares.share[2]) ^ pad_c};
        ++views[static_cast<std::size_t>(s)][view];
      }
    }
    for (int s = 1; s < 4; ++s) EXPECT_EQ(views[static_cast<std::size_t>(s)], views[0]);
    EXPECT_EQ(views[0].size(), 64u);
  }
}

TEST(FormQ, APadUsedTwiceWouldTell) {
  // Negative control of the test above: one pad for both wires, and the view depends on the secret.
  std::array<std::map<std::pair<int, int>, int>, 4> views;
  for (int s = 0; s < 4; ++s) {
    for (int random = 0; random < 16; ++random) {
      const int r = random & 3, pad = random >> 2;
      const Shares shares = split_bytes(word_of(s), word_of(r));
      ++views[static_cast<std::size_t>(s)]
             [{element(shares.share[1]) ^ pad, element(shares.share[2]) ^ pad}];
    }
  }
  EXPECT_NE(views[0], views[1]);
}

TEST(FormQ, NestedSharesOfOneShareTellNothingAboutIt) {
  for (int nested = 0; nested < 3; ++nested) {
    for (int c = 0; c < 4; ++c) {
      std::array<int, 4> seen{};
      for (int r = 0; r < 4; ++r) {
        ++seen[static_cast<std::size_t>(
            element(split_bytes(word_of(c), word_of(r)).share[nested]))];
      }
      EXPECT_EQ(seen, (std::array<int, 4>{1, 1, 1, 1}));
    }
  }
}

TEST(FormQ, SharesOfAConstantAreUniform) {
  // The bias test: code that never draws a zero coefficient shows no zero byte in shares of zeros.
  // Real randomness, so the bounds are wide: each count is 4096 +- 64; 8 deviations.
  constexpr std::size_t kSize = 1 << 20;
  Bytes r(kSize);
  os::kernel_random().fill(r);
  const Shares shares = split_bytes(Bytes(kSize, 0), r);
  for (const Bytes& share : shares.share) {
    std::array<double, 256> counts{};
    for (const Byte b : share) counts[b] += 1;
    EXPECT_NEAR(counts[0], 4096, 8 * 64.0);
    double chi = 0;
    for (const double c : counts) chi += (c - 4096) * (c - 4096) / 4096;
    EXPECT_LT(chi, 255 + 8 * 22.6);
    EXPECT_GT(chi, 255 - 8 * 22.6);
  }
}

class ChunkTest : public testing::Test {
 protected:
  std::mt19937_64 generator_{7};
  mac::Key key_{random_bytes(generator_, 16)};
  ObjectId object_ = ObjectId::from_view(random_bytes(generator_, 16));

  secret::Buffer record_of(ByteView data, ChunkIndex index) {
    secret::Buffer record(padded_size(data.size()) + kTagBytes);
    copy_bytes(record.bytes(), data);
    (void)finish_record(key_, object_, index, static_cast<std::uint32_t>(data.size()),
                        record.bytes());
    return record;
  }
};

TEST_F(ChunkTest, RecordGoesThroughSharingAndBack) {
  for (const std::uint32_t size : {1u, 31u, 32u, 33u, 1000u}) {
    const Bytes data = random_bytes(generator_, size);
    const auto record = record_of(data, ChunkIndex{5});
    const Shares shares = split_bytes(record.bytes(), random_bytes(generator_, record.size()));
    for (const auto& [x, y] : kPairs) {
      const auto chunk = verify_record(key_, object_, ChunkIndex{5}, size,
                                       secret::Buffer::copy_of(combine_bytes(shares, x, y)));
      ASSERT_TRUE(chunk);
      EXPECT_TRUE(std::ranges::equal(chunk->data(), data));
    }
  }
}

TEST_F(ChunkTest, EveryFlippedBitOfAShareIsFound) {
  const Bytes data = random_bytes(generator_, 70);
  const auto record = record_of(data, ChunkIndex{0});
  const Shares shares = split_bytes(record.bytes(), random_bytes(generator_, record.size()));
  for (int which = 0; which < 3; ++which) {
    for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
      Shares bad = shares;
      auto& byte = bad.share[which][bit / 8];
      byte = static_cast<Byte>(byte ^ (1U << (bit % 8)));
      const int other = (which + 1) % 3;
      EXPECT_FALSE(verify_record(key_, object_, ChunkIndex{0}, 70,
                                 secret::Buffer::copy_of(combine_bytes(bad, which, other))));
    }
  }
}

TEST_F(ChunkTest, AnotherPlaceLengthObjectOrKeyIsRefused) {
  const Bytes data = random_bytes(generator_, 64);
  const auto record = record_of(data, ChunkIndex{3});
  const auto copy = [&] { return secret::Buffer::copy_of(record.bytes()); };
  EXPECT_TRUE(verify_record(key_, object_, ChunkIndex{3}, 64, copy()));
  EXPECT_FALSE(verify_record(key_, object_, ChunkIndex{4}, 64, copy()));
  EXPECT_FALSE(verify_record(key_, object_, ChunkIndex{3}, 63, copy()));
  EXPECT_FALSE(verify_record(key_, ObjectId{}, ChunkIndex{3}, 64, copy()));
  EXPECT_FALSE(verify_record(mac::Key(Bytes(16, 1)), object_, ChunkIndex{3}, 64, copy()));
}

TEST_F(ChunkTest, TheObjectTagBindsObjectLengthNumberAndOrderOfTheChunkTags) {
  ChunkTag first{}, second{};
  copy_bytes(first, random_bytes(generator_, kTagBytes));
  copy_bytes(second, random_bytes(generator_, kTagBytes));
  const Chunking chunking{{300'000}};
  const auto tag_over = [&](const ObjectId& object, const Chunking& cut,
                            const std::vector<ChunkTag>& tags) {
    ObjectTagger tagger(key_, object, cut);
    for (const ChunkTag& tag : tags) tagger.add(tag);
    return tagger.finish();
  };
  const mac::Tag good = tag_over(object_, chunking, {first, second});
  EXPECT_EQ(tag_over(object_, chunking, {first, second}), good);
  EXPECT_NE(tag_over(object_, chunking, {second, first}), good);
  EXPECT_NE(tag_over(object_, chunking, {first}), good);
  EXPECT_NE(tag_over(object_, chunking, {first, second, second}), good);
  EXPECT_NE(tag_over(object_, Chunking{{300'001}}, {first, second}), good);
  EXPECT_NE(tag_over(object_, Chunking{{300'000}, 1 << 17}, {first, second}), good);
  EXPECT_NE(tag_over(ObjectId{}, chunking, {first, second}), good);
  EXPECT_TRUE(is_known(good));
  EXPECT_FALSE(is_known({}));
  ChunkTag changed = second;
  changed[31] ^= 0x80;
  EXPECT_NE(tag_over(object_, chunking, {first, changed}), good);
}

TEST(Chunkings, LengthsAddUp) {
  for (const std::uint64_t size : {1ULL, 262143ULL, 262144ULL, 262145ULL, 1000000ULL}) {
    const Chunking chunking{{size}};
    std::uint64_t plain = 0;
    std::uint64_t records = 0;
    for (std::uint64_t i = 0; i < chunking.chunk_count(); ++i) {
      plain += chunking.length({i});
      records += chunking.record_length({i});
    }
    EXPECT_EQ(plain, size);
    EXPECT_EQ(records, chunking.records_length({0}, chunking.chunk_count()));
  }
}

}  // namespace
}  // namespace warifu::sharing
