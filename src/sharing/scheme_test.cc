// Every scheme: any threshold() shares restore, whichever shares were given; an independent slow
// implementation agrees, and so do the published vectors; records below cuts.
#include "sharing/scheme.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "sharing/chunk.h"
#include "sharing/sharing_test_support.h"

namespace warifu::sharing {
namespace {

const Scheme kShamir23{SchemeKind::kShamir, 2, 3};

// ---- An independent implementation, from docs/formats/sharing.md and nothing else ----

// a b in GF(2)[x] / p, carry-less multiplication and long division, bit by bit.
unsigned slow_multiply(unsigned a, unsigned b, unsigned p, int degree) {
  unsigned product = 0;
  for (int i = 0; i < 16; ++i) {
    if ((b >> i & 1) != 0) product ^= a << i;
  }
  for (int i = 30; i >= degree; --i) {
    if ((product >> i & 1) != 0) product ^= p << (i - degree);
  }
  return product;
}

struct SlowField {
  unsigned polynomial;
  int degree;
  unsigned size() const { return 1U << degree; }
  unsigned times(unsigned a, unsigned b) const { return slow_multiply(a, b, polynomial, degree); }
  unsigned over(unsigned a, unsigned b) const {
    for (unsigned q = 0; q < size(); ++q) {
      if (times(q, b) == a) return q;
    }
    return 0;
  }
};
constexpr SlowField kSlow4{0b111, 2};
constexpr SlowField kSlow256{0x11B, 8};

// The polynomial's coefficients from values at points: Gaussian elimination of Vandermonde's
// system.
std::vector<unsigned> solve(const SlowField& field, const std::vector<unsigned>& points,
                            const std::vector<unsigned>& values) {
  const std::size_t k = points.size();
  std::vector<std::vector<unsigned>> rows(k);
  for (std::size_t i = 0; i < k; ++i) {
    unsigned power = 1;
    for (std::size_t j = 0; j < k; ++j) {
      rows[i].push_back(power);
      power = field.times(power, points[i]);
    }
    rows[i].push_back(values[i]);
  }
  for (std::size_t column = 0; column < k; ++column) {
    std::size_t pivot = column;
    while (rows[pivot][column] == 0) ++pivot;
    std::swap(rows[pivot], rows[column]);
    const unsigned lead = rows[column][column];
    for (auto& entry : rows[column]) entry = field.over(entry, lead);
    for (std::size_t i = 0; i < k; ++i) {
      const unsigned factor = rows[i][column];
      if (i == column) continue;
      for (std::size_t j = 0; j <= k; ++j) {
        rows[i][j] ^= field.times(factor, rows[column][j]);
      }
    }
  }
  std::vector<unsigned> coefficients;
  for (const auto& row : rows) coefficients.push_back(row[k]);
  return coefficients;
}

// The secret from shares, by the document's words.
Bytes slow_join(const Scheme& scheme, const std::vector<unsigned>& points,
                const std::vector<Bytes>& shares) {
  const std::size_t bytes = shares[0].size();
  if (scheme.kind == SchemeKind::kShamir) {
    Bytes secret(bytes);
    for (std::size_t at = 0; at < bytes; ++at) {
      std::vector<unsigned> values;
      for (const Bytes& share : shares) values.push_back(share[at]);
      secret[at] = static_cast<Byte>(solve(kSlow256, points, values).back());
    }
    return secret;
  }
  // GF(4): bit b of byte l of the first lane of a word with the same bit of the second lane.
  const bool ramp = scheme.kind == SchemeKind::kRamp;
  Bytes secret(ramp ? 2 * bytes : bytes);
  for (std::size_t word = 0; word < bytes; word += 32) {
    for (std::size_t bit = 0; bit < 128; ++bit) {
      const std::size_t low = word + bit / 8, high = low + 16;
      std::vector<unsigned> values;
      for (const Bytes& share : shares) {
        const auto bit_of = [&](std::size_t at) { return unsigned{share[at]} >> (bit % 8) & 1U; };
        values.push_back(bit_of(low) | bit_of(high) << 1U);
      }
      const auto coefficients = solve(kSlow4, points, values);
      const auto put = [&](std::size_t from, unsigned element) {
        secret[from + low] = static_cast<Byte>(secret[from + low] | (element & 1) << bit % 8);
        secret[from + high] = static_cast<Byte>(secret[from + high] | (element >> 1) << bit % 8);
      };
      put(0, coefficients[1]);
      if (ramp) put(bytes, coefficients[2]);
    }
  }
  return secret;
}

// ---- Properties ----

Scheme any_scheme() {
  const int kind = *rc::gen::inRange(0, 4);
  if (kind == 0) return Scheme{};
  if (kind == 1) return Scheme::ramp();
  const auto n = *rc::gen::inRange(2U, 33U);
  const auto k = *rc::gen::inRange(2U, n + 1);
  return Scheme{SchemeKind::kShamir, static_cast<std::uint8_t>(k), static_cast<std::uint8_t>(n)};
}

std::vector<ShareIndex> any_subset(const Scheme& scheme, std::size_t count) {
  std::mt19937_64 generator(*rc::gen::arbitrary<std::uint64_t>());
  std::vector<ShareIndex> all = all_shares(scheme);
  std::ranges::shuffle(all, generator);
  all.resize(count);
  return all;
}

RC_GTEST_PROP(SchemeProperty, AnyThresholdSharesRestore, ()) {
  const Scheme scheme = any_scheme();
  const auto words = *rc::gen::inRange<std::size_t>(0, 40);
  const auto shift = *rc::gen::inRange<std::size_t>(0, 33);
  std::mt19937_64 generator(*rc::gen::arbitrary<std::uint64_t>());
  const Bytes secret = random_bytes(generator, scheme.padded(words * kWordBytes));
  const auto given = any_subset(scheme, scheme.privacy());
  const std::vector<Bytes> shares = split_with(scheme, given, secret, generator, shift);
  const auto from = any_subset(scheme, scheme.threshold);
  const auto joiner = Joiner::make(scheme, from);
  RC_ASSERT(joiner.has_value());
  std::vector<ByteView> views;
  for (const ShareIndex index : from) views.emplace_back(shares[static_cast<std::size_t>(index)]);
  Bytes memory(secret.size() + shift);
  joiner->join(views, MutableBytes(memory).subspan(shift));
  RC_ASSERT(std::ranges::equal(MutableBytes(memory).subspan(shift), secret));
  if (scheme.kind != SchemeKind::kRamp) {  // in the memory of a share
    const auto which = *rc::gen::inRange<std::size_t>(0, from.size());
    Bytes place(views[which].begin(), views[which].end());
    views[which] = place;
    joiner->join(views, place);
    RC_ASSERT(place == secret);
  }
}

RC_GTEST_PROP(SchemeProperty, WrongSetsOfSharesAreRefused, ()) {
  const Scheme scheme = any_scheme();
  const auto refused = [](const auto& made) {
    return !made.has_value() && made.error().code == Code::kInvalidArgument;
  };
  for (std::size_t count = 0; count <= scheme.shares; ++count) {
    const auto some = any_subset(scheme, count);
    RC_ASSERT(refused(Joiner::make(scheme, some)) == (count != scheme.threshold));
    RC_ASSERT(refused(Splitter::make(scheme, some)) == (count != scheme.privacy()));
  }
  auto twice = any_subset(scheme, scheme.threshold);
  twice[1] = twice[0];
  RC_ASSERT(refused(Joiner::make(scheme, twice)));
  auto foreign = any_subset(scheme, scheme.threshold);
  foreign[0] = static_cast<ShareIndex>(scheme.shares);
  RC_ASSERT(refused(Joiner::make(scheme, foreign)));
}

TEST(Schemes, NumbersThatMakeNoSchemeAreRefused) {
  EXPECT_FALSE(Scheme::threshold_of(1, 3));
  EXPECT_FALSE(Scheme::threshold_of(4, 3));
  EXPECT_FALSE(Scheme::threshold_of(2, 33));
  EXPECT_FALSE(Scheme::from_numbers(2, 2, 3));  // 2 of 3 is form Q
  EXPECT_FALSE(Scheme::from_numbers(1, 3, 5));
  EXPECT_FALSE(Scheme::from_numbers(3, 2, 4));
  EXPECT_FALSE(Scheme::from_numbers(0, 2, 3));
  EXPECT_FALSE(Scheme::from_numbers(4, 3, 4));
  const std::array two = {ShareIndex::kA, ShareIndex::kB};
  EXPECT_FALSE(Joiner::make({SchemeKind::kFormQ, 2, 4}, two));
  EXPECT_FALSE(Splitter::make({SchemeKind::kShamir, 1, 3}, std::span<const ShareIndex>{}));
  EXPECT_TRUE(Joiner::make(kShamir23, two));
}

TEST(Schemes, AnIndependentImplementationRestores) {
  std::mt19937_64 generator(11);
  for (const Scheme& scheme : {Scheme{}, kShamir23, Scheme{SchemeKind::kShamir, 3, 5},
                               Scheme{SchemeKind::kShamir, 32, 32}, Scheme::ramp()}) {
    const Bytes secret = random_bytes(generator, scheme.padded(32));
    std::vector<ShareIndex> given = all_shares(scheme);
    std::ranges::shuffle(given, generator);
    given.resize(scheme.privacy());
    const auto shares = split_with(scheme, given, secret, generator, 0);
    std::vector<ShareIndex> from = all_shares(scheme);
    std::ranges::shuffle(from, generator);
    std::vector<unsigned> points;
    std::vector<Bytes> some;
    for (std::size_t i = 0; i < scheme.threshold; ++i) {
      points.push_back(static_cast<unsigned>(from[i]));
      some.push_back(shares[static_cast<std::size_t>(from[i])]);
    }
    EXPECT_EQ(slow_join(scheme, points, some), secret) << scheme.text();
  }
}

// ---- The vectors of docs/formats/sharing.md ----

struct Vector {
  Scheme scheme;
  const char* secret;
  std::vector<const char*> shares;
};

const std::vector<Vector> kVectors = {
    {Scheme{},
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     {"353c434a51585f666d747b828990979ea5acb3bac1c8cfd6dde4ebf2f900070e",
      "353d4149555d5961657d7189859d9991b5bda1a9d5ddd9c1c5fdf1e9e51d1911",
      "252d5159454d4971756d6199958d8981b5bca3aad1d8dfc6cdf4fbe2e910171e"}},
    {{SchemeKind::kShamir, 2, 4},
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     {"353c434a51585f666d747b828990979ea5acb3bac1c8cfd6dde4ebf2f900070e",
      "353d4149555d5961657d7189859d9991b5bda1a9d5ddd9c1c5fdf1e9e51d1911",
      "353e474c595253687d666f94918a8b80858e979ce9e2e3f8edd6dfc4c13a3b30",
      "353f454f5d57556f756f659f9d87858f959f858ffdf7f5eff5cfc5dfdd27252f"}},
    {{SchemeKind::kShamir, 3, 5},
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     {"353c434a51585f666d747b828990979ea5acb3bac1c8cfd6dde4ebf2f900070e",
      "5f4c3936d3d0cdfac7d4c13e3b5855426f5c49462320ddcad7e4d1cecb282552",
      "e1dabbb8564d7457121928dbde352c1f4a313033667d9f9c99b2c3d0d51e07f4",
      "8baac1c4d4c5e6cbb8b992676cfdeec380c1cacf84958d8093b2f9ece73625a8",
      "86f3989d3f0a594c53762dd887796a0ffb0e05006f5aa4910e0bd0c59a1f0cf2"}},
    {Scheme::ramp(),
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
     {"353c434a51585f666d747b828990979ea5acb3bac1c8cfd6dde4ebf2f900070e",
      "151c636a71787f464d545ba2a9b0b7be858c939ae1e8eff6fdc4cbd2d920272e",
      "353d4149555d5961657d7189859d9991959d8189f5fdf9e1e5ddd1c9c53d3931",
      "151d6169757d7941455d51a9a5bdb9b1b5bda1a9d5ddd9c1c5fdf1e9e51d1911"}},
};

TEST(Vectors, AnyGivenSharesMakeTheOthersAndAnyThresholdRestores) {
  for (const Vector& vector : kVectors) {
    const Bytes secret = *from_hex(vector.secret);
    std::vector<Bytes> shares;
    for (const char* hex : vector.shares) shares.push_back(*from_hex(hex));
    auto order = all_shares(vector.scheme);
    do {
      const auto given = std::vector(
          order.begin(), order.begin() + static_cast<std::ptrdiff_t>(vector.scheme.privacy()));
      std::vector<Bytes> values;
      for (const ShareIndex index : given) {
        values.push_back(shares[static_cast<std::size_t>(index)]);
      }
      EXPECT_EQ(split_given(vector.scheme, given, secret, values), shares) << vector.scheme.text();
      const auto from = std::vector(
          order.begin(), order.begin() + static_cast<std::ptrdiff_t>(vector.scheme.threshold));
      EXPECT_EQ(join_shares(vector.scheme, from, shares), secret) << vector.scheme.text();
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST(Vectors, AnIndependentImplementationReadsThem) {
  for (const Vector& vector : kVectors) {
    std::vector<unsigned> points;
    std::vector<Bytes> some;
    for (unsigned i = vector.scheme.shares - vector.scheme.threshold; i < vector.scheme.shares;
         ++i) {
      points.push_back(i);
      some.push_back(*from_hex(vector.shares[i]));
    }
    EXPECT_EQ(slow_join(vector.scheme, points, some), *from_hex(vector.secret));
  }
}

// ---- Records ----

TEST(RecordLayouts, RampsHalveAndPadEveryRecord) {
  const auto top = RecordLayout::from_numbers(3, 160, 96);
  ASSERT_TRUE(top);
  const RecordLayout once = top->below(Scheme::ramp());
  EXPECT_EQ(once.full_bytes(), 96U);  // 160 -> 192 / 2
  EXPECT_EQ(once.last_bytes(), 64U);  // 96 -> 128 / 2
  const RecordLayout twice = once.below(Scheme::ramp());
  EXPECT_EQ(twice.full_bytes(), 64U);
  EXPECT_EQ(twice.last_bytes(), 32U);
  EXPECT_EQ(twice.count(), 3U);
  EXPECT_EQ(twice.lengths({0}, 3), 160U);
  EXPECT_EQ(twice.lengths({1}, 2), 96U);
  EXPECT_EQ(top->below(Scheme{}), *top);
  EXPECT_EQ(top->below({SchemeKind::kShamir, 3, 5}), *top);
}

TEST(RecordLayouts, OddSizesFollowTheObject) {
  for (const std::uint64_t size : {1ULL, 31ULL, 33ULL, 262143ULL, 262144ULL, 262145ULL}) {
    const RecordLayout layout(Chunking{{size}});
    const RecordLayout ramp = layout.below(Scheme::ramp());
    for (std::uint64_t i = 0; i < layout.count(); ++i) {
      EXPECT_EQ(layout.length({i}), Chunking{{size}}.record_length({i}));
      EXPECT_EQ(ramp.length({i}), Scheme::ramp().share_bytes(layout.length({i})));
      EXPECT_EQ(ramp.length({i}) % kWordBytes, 0U);
    }
  }
}

TEST(RecordLayouts, SenselessNumbersAreRefused) {
  EXPECT_FALSE(RecordLayout::from_numbers(0, 64, 64));
  EXPECT_FALSE(RecordLayout::from_numbers(1, 64, 96));
  EXPECT_FALSE(RecordLayout::from_numbers(1, 65, 64));
  EXPECT_FALSE(RecordLayout::from_numbers(1, 64, 0));
  EXPECT_FALSE(RecordLayout::from_numbers(1, limits::kMaxRecordBytes + 32, 64));
}

// Cuts a tagged record, changes one bit of one share after the other, and joins.
void every_flipped_bit_is_refused(const Scheme& scheme) {
  std::mt19937_64 generator(5);
  const mac::Key key{random_bytes(generator, 16)};
  const ObjectId object = ObjectId::from_view(random_bytes(generator, 16));
  constexpr std::uint32_t kLength = 50;
  Bytes record = random_bytes(generator, padded_size(kLength) + kTagBytes);
  (void)finish_record(key, object, ChunkIndex{2}, kLength, record);
  Bytes padded = record;
  padded.resize(scheme.padded(record.size()));
  std::vector<ShareIndex> given = all_shares(scheme);
  given.resize(scheme.privacy());
  std::vector<Bytes> shares = split_with(scheme, given, padded, generator, 0);
  const auto verifies = [&](const std::vector<ShareIndex>& from) {
    Bytes joined = join_shares(scheme, from, shares);
    joined.resize(record.size());
    return verify_record(key, object, ChunkIndex{2}, kLength, secret::Buffer::copy_of(joined))
        .has_value();
  };
  for (std::size_t liar = 0; liar < scheme.shares; ++liar) {
    std::vector<ShareIndex> from = all_shares(scheme);
    std::ranges::rotate(from, from.begin() + static_cast<std::ptrdiff_t>(liar));
    from.resize(scheme.threshold);
    ASSERT_TRUE(verifies(from));
    // The ramp: a change reaches both halves; the padding in the second one is not looked at.
    for (std::size_t bit = 0; bit < shares[liar].size() * 8; ++bit) {
      Byte& byte = shares[liar][bit / 8];
      byte = static_cast<Byte>(byte ^ (1U << (bit % 8)));
      ASSERT_FALSE(verifies(from)) << scheme.text() << " share " << liar << " bit " << bit;
      byte = static_cast<Byte>(byte ^ (1U << (bit % 8)));
    }
  }
}

TEST(GeneralTags, EveryFlippedBitOfAnyShareIsRefused) {
  every_flipped_bit_is_refused({SchemeKind::kShamir, 3, 5});
  every_flipped_bit_is_refused(Scheme::ramp());
  every_flipped_bit_is_refused({SchemeKind::kShamir, 2, 5});
}

}  // namespace
}  // namespace warifu::sharing
