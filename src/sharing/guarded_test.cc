// A guarded secret comes back from any threshold of its shares, and a changed share is found.
#include "sharing/guarded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "testing/sim_random.h"

namespace warifu::sharing {
namespace {

Bytes numbered(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(i * 7 + 3);
  return bytes;
}

std::vector<secret::Buffer> cut(const Scheme& scheme, ByteView secret, os::Random& random) {
  const std::array pieces = {secret};
  const secret::Buffer guarded = guard(pieces, random);
  auto shares = cut_guarded(scheme, guarded.bytes(), [&](MutableBytes out) -> Result<> {
    random.fill(out);
    return {};
  });
  EXPECT_TRUE(shares);
  return std::move(*shares);
}

std::vector<GuardedShare> chosen_of(const std::vector<secret::Buffer>& shares,
                                    std::span<const std::size_t> chosen) {
  std::vector<GuardedShare> out;
  for (const std::size_t i : chosen) out.push_back({static_cast<ShareIndex>(i), shares[i].bytes()});
  return out;
}

TEST(GuardedTest, AnyThresholdOfSharesJoins) {
  sim::SimRandom random(1);
  for (const auto& [k, n] : {std::pair{2U, 2U}, {2U, 3U}, {3U, 5U}}) {
    const Scheme scheme = *Scheme::threshold_of(k, n);
    for (const std::size_t size : {0U, 1U, 16U, 64U, 1000U}) {
      const Bytes secret = numbered(size);
      const auto shares = cut(scheme, secret, random);
      std::vector<bool> mask(n, false);
      std::fill_n(mask.begin(), k, true);
      do {
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < n; ++i) {
          if (mask[i]) places.push_back(i);
        }
        const auto joined = join_guarded(scheme, chosen_of(shares, places));
        ASSERT_TRUE(joined) << joined.error().message;
        EXPECT_TRUE(joined->wrong.empty());
        EXPECT_TRUE(std::ranges::equal(*open_guarded(joined->guarded.bytes()), secret));
      } while (std::prev_permutation(mask.begin(), mask.end()));
    }
  }
}

TEST(GuardedTest, AChangedShareIsNamedAndTheOthersJoin) {
  sim::SimRandom random(2);
  const Scheme scheme = *Scheme::threshold_of(2, 3);
  const Bytes secret = numbered(64);
  for (std::size_t liar = 0; liar < 3; ++liar) {
    for (std::size_t at = 0; at < 128; at += 5) {
      auto shares = cut(scheme, secret, random);
      shares[liar].bytes()[at] ^= 0x40;
      const auto joined = join_guarded(scheme, chosen_of(shares, std::array{0UL, 1UL, 2UL}));
      ASSERT_TRUE(joined);
      EXPECT_EQ(joined->wrong, std::vector<std::size_t>{liar});
      EXPECT_TRUE(std::ranges::equal(*open_guarded(joined->guarded.bytes()), secret));
    }
  }
}

TEST(GuardedTest, TooFewChangedOrUnequalSharesAreRefused) {
  sim::SimRandom random(3);
  const Scheme scheme = *Scheme::threshold_of(2, 3);
  auto shares = cut(scheme, numbered(64), random);
  EXPECT_EQ(join_guarded(scheme, chosen_of(shares, std::array{1UL})).error().code,
            Code::kInvalidArgument);
  shares[0].bytes()[0] ^= 1;
  EXPECT_EQ(join_guarded(scheme, chosen_of(shares, std::array{0UL, 1UL})).error().code,
            Code::kCorrupt);
  shares[1].shrink(96);
  EXPECT_EQ(join_guarded(scheme, chosen_of(shares, std::array{1UL, 2UL})).error().code,
            Code::kCorrupt);
  EXPECT_FALSE(
      cut_guarded(Scheme::ramp(), shares[2].bytes(), [](MutableBytes) -> Result<> { return {}; }));
}

}  // namespace
}  // namespace warifu::sharing
