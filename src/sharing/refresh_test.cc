// Refresh: the secret stays, the shares change, and an attacker who moves between generations
// learns nothing, enumerated over GF(4); with the negative controls of refresh.h.
#include "sharing/refresh.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sharing/sharing_test_support.h"

namespace warifu::sharing {
namespace {

std::vector<ShareIndex> first_shares(const Scheme& scheme, std::size_t count) {
  auto all = all_shares(scheme);
  all.resize(count);
  return all;
}

// All zero shares by index, from these values of the given ones.
std::vector<Bytes> zero_shares(const Scheme& scheme, const std::vector<Bytes>& values) {
  const Bytes zero(values[0].size() * scheme.granule() / kWordBytes);
  return split_given(scheme, first_shares(scheme, scheme.privacy()), zero, values);
}

TEST(Refresh, TheSecretStaysAndGenerationsDoNotCombine) {
  std::mt19937_64 generator(17);
  for (const Scheme& scheme : {Scheme{}, Scheme::ramp(), Scheme{SchemeKind::kShamir, 2, 4},
                               Scheme{SchemeKind::kShamir, 3, 5}}) {
    for (const std::size_t size : {32U, 4096U, 20000U}) {
      const Bytes secret = random_bytes(generator, scheme.padded(size));
      const auto old =
          split_with(scheme, first_shares(scheme, scheme.privacy()), secret, generator, 0);
      std::vector<Bytes> values;
      for (std::size_t i = 0; i < scheme.privacy(); ++i) {
        values.push_back(random_bytes(generator, old[0].size()));
      }
      const auto zeros = zero_shares(scheme, values);
      auto shares = old;
      for (const ShareIndex index : all_shares(scheme)) {
        const auto i = static_cast<std::size_t>(index);
        ASSERT_TRUE(refresh(scheme, index, shares[i], zeros[i]));
        EXPECT_NE(shares[i], old[i]);
      }
      auto from = all_shares(scheme);
      std::ranges::reverse(from);
      from.resize(scheme.threshold);
      EXPECT_EQ(join_shares(scheme, from, shares), secret) << scheme.text();
      shares[static_cast<std::size_t>(from[0])] = old[static_cast<std::size_t>(from[0])];
      EXPECT_NE(join_shares(scheme, from, shares), secret) << scheme.text();
    }
  }
}

TEST(Refresh, FormQAndTheRampAddTheSameToEveryShare) {
  std::mt19937_64 generator(2);
  for (const Scheme& scheme : {Scheme{}, Scheme::ramp()}) {
    const Bytes d = random_bytes(generator, 5000 / 32 * 32);
    for (const Bytes& zero : zero_shares(scheme, {d})) EXPECT_EQ(zero, d);
  }
}

TEST(Refresh, WhatDoesNotFitIsRefusedAndUntouched) {
  Bytes share(64, 7);
  EXPECT_FALSE(refresh(Scheme{}, ShareIndex{3}, share, Bytes(64, 1)));
  EXPECT_FALSE(refresh(Scheme{}, ShareIndex::kA, share, Bytes(32, 1)));
  EXPECT_FALSE(refresh({SchemeKind::kFormQ, 2, 4}, ShareIndex::kA, share, Bytes(64, 1)));
  EXPECT_EQ(share, Bytes(64, 7));
}

// ---- Views over GF(4) ----

Symbols plus(const Symbols& x, const Symbols& y) {
  Symbols sum(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) sum[i] = x[i] ^ y[i];
  return sum;
}

std::vector<Symbols> refreshed(const Scheme& scheme, const std::vector<Symbols>& shares,
                               const Symbols& d) {
  const auto zeros = zero_shares(scheme, {pack(scheme, d)});
  std::vector<Symbols> fresh;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    Bytes share = pack(scheme, shares[i]);
    WARIFU_CHECK(refresh(scheme, static_cast<ShareIndex>(i), share, zeros[i]).has_value());
    fresh.push_back(unpack(scheme, share, d.size()));
  }
  return fresh;
}

// `look(secret)` gives the columns that the attacker sees.
template <typename Look>
bool depends_on_secret(const Scheme& scheme, const Look& look) {
  View first;
  for (unsigned s = 0; s < (scheme.kind == SchemeKind::kRamp ? 16U : 4U); ++s) {
    std::vector<unsigned> secret = {s & 3};
    if (scheme.kind == SchemeKind::kRamp) secret.push_back(s >> 2);
    const View view = view_of(look(secret));
    if (s == 0) first = view;
    if (view != first) return true;
  }
  return false;
}

TEST(RefreshViews, AMobileAttackerLearnsNothing) {
  // Site i in the old generation, site j in the new one; D goes to two sites under pads that are
  // tapped.
  const auto drawn = every_tuple(4, 4);  // given share, D, two pads
  for (const Scheme& scheme : {Scheme{}, Scheme::ramp()}) {
    for (std::size_t i = 0; i < scheme.shares; ++i) {
      for (std::size_t j = 0; j < scheme.shares; ++j) {
        EXPECT_FALSE(depends_on_secret(
            scheme,
            [&](const std::vector<unsigned>& secret) {
              const auto shares = cut_symbols(scheme, {ShareIndex::kA}, secret, {drawn[0]});
              const auto fresh = refreshed(scheme, shares, drawn[1]);
              return std::vector<Symbols>{shares[i], fresh[j], plus(drawn[1], drawn[2]),
                                          plus(drawn[1], drawn[3])};
            }))
            << scheme.text() << i << j;
      }
    }
  }
}

TEST(RefreshViews, RandomnessThatTheAttackerHadAlreadyProtectsNothing) {
  // Negative control: D was key in the pool of A while A was corrupted; later B is corrupted.
  const auto drawn = every_tuple(4, 2);
  EXPECT_TRUE(depends_on_secret(Scheme{}, [&](const std::vector<unsigned>& secret) {
    const auto shares = cut_symbols(Scheme{}, {ShareIndex::kA}, secret, {drawn[0]});
    const auto fresh = refreshed(Scheme{}, shares, drawn[1]);
    return std::vector<Symbols>{shares[0], drawn[1], fresh[1]};
  }));
}

// Outer refresh by D of a share C that three clouds hold; the attacker has A of the old generation,
// cloud `cloud` during the refresh, B of the new generation. `cut_again`: D is cut for the clouds
// under fresh randomness; else D is told to them.
bool nested_refresh_tells(std::size_t cloud, bool cut_again) {
  const Scheme scheme;
  const auto drawn = every_tuple(4, 4);  // outer, nested, D, cut of D
  return depends_on_secret(scheme, [&](const std::vector<unsigned>& secret) {
    const std::size_t cases = drawn[0].size();
    const auto outer = cut_symbols(scheme, {ShareIndex::kA}, secret, {drawn[0]});
    const auto clouds =
        split_given(scheme, {ShareIndex::kA}, pack(scheme, outer[2]), {pack(scheme, drawn[1])});
    const auto parts =
        split_given(scheme, {ShareIndex::kA}, pack(scheme, drawn[2]), {pack(scheme, drawn[3])});
    const auto fresh = refreshed(scheme, outer, drawn[2]);
    // Both ways end at a sharing of C + D.
    std::vector<Bytes> held = clouds;
    for (std::size_t i = 0; i < 3; ++i) {
      WARIFU_CHECK(refresh(scheme, static_cast<ShareIndex>(i), held[i], parts[i]).has_value());
    }
    const Bytes joined = join_shares(scheme, {ShareIndex::kB, ShareIndex::kC}, held);
    EXPECT_EQ(unpack(scheme, joined, cases), fresh[2]);
    return std::vector<Symbols>{outer[0], unpack(scheme, clouds[cloud], cases),
                                cut_again ? unpack(scheme, parts[cloud], cases) : drawn[2],
                                fresh[1]};
  });
}

TEST(RefreshViews, NestedSharesTakeACutOfTheDifference) {
  for (std::size_t cloud = 0; cloud < 3; ++cloud) EXPECT_FALSE(nested_refresh_tells(cloud, true));
}

TEST(RefreshViews, TellingTheCloudsTheDifferenceTells) {
  for (std::size_t cloud = 0; cloud < 3; ++cloud) EXPECT_TRUE(nested_refresh_tells(cloud, false));
}

// By construction: the attacker holds shares 0 and 1 of the old generation, 0 and 2 of the new one,
// and site 0 dealt while it was corrupted.
TEST(RefreshViews, OneDealerIsNotEnoughAtThresholdThree) {
  const Scheme scheme{SchemeKind::kShamir, 3, 4};
  std::mt19937_64 generator(23);
  const auto given = first_shares(scheme, 2);
  const Bytes secret = random_bytes(generator, 64);
  const auto old = split_with(scheme, given, secret, generator, 0);
  const auto deal = [&] {
    return zero_shares(scheme, {random_bytes(generator, 64), random_bytes(generator, 64)});
  };
  const auto known = deal();
  auto shares = old;
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(refresh(scheme, static_cast<ShareIndex>(i), shares[i], known[i]));
  }
  // What the dealer knows takes its new share 2 back to the old generation.
  const auto restores = [&] {
    auto seen = old;
    seen[2] = shares[2];
    WARIFU_CHECK(refresh(scheme, ShareIndex::kC, seen[2], known[2]).has_value());
    return join_shares(scheme, first_shares(scheme, 3), seen) == secret;
  };
  EXPECT_TRUE(restores());
  const auto honest = deal();  // a second dealer, not corrupted
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(refresh(scheme, static_cast<ShareIndex>(i), shares[i], honest[i]));
  }
  EXPECT_FALSE(restores());
}

}  // namespace
}  // namespace warifu::sharing
