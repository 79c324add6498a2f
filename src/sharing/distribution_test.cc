// What shares tell, counted. Exhaustive over all values of the given shares through the real
// Splitter: any privacy() shares are uniform whatever the secret is; what fewer or more tell; whole
// views of a corrupted site; negative controls that must fail, and a biased source that the same
// checker must catch. Then real shares of zeros, whose bytes must be uniform.
//
// The flaw that this hunts was in several public libraries: coefficients that are never zero
// (RUSTSEC-2024-0398). Each share then excludes one value for each byte of the secret.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "os/system.h"
#include "sharing/sharing_test_support.h"

namespace warifu::sharing {
namespace {

constexpr Scheme kFormQ{};
constexpr Scheme shamir(std::uint8_t k, std::uint8_t n) {
  return {SchemeKind::kShamir, k, n};
}

std::vector<std::vector<ShareIndex>> subsets(const Scheme& scheme, std::size_t size) {
  std::vector<std::vector<ShareIndex>> all;
  for (unsigned mask = 0; mask < 1U << scheme.shares; ++mask) {
    std::vector<ShareIndex> some;
    for (unsigned i = 0; i < scheme.shares; ++i) {
      if ((mask >> i & 1) != 0) some.push_back(static_cast<ShareIndex>(i));
    }
    if (some.size() == size) all.push_back(some);
  }
  return all;
}

// A tuple of symbols as one number, fast to count.
std::vector<unsigned> counts_of(const std::vector<Symbols>& shares,
                                const std::vector<ShareIndex>& some, unsigned base) {
  std::size_t cells = 1;
  for (std::size_t i = 0; i < some.size(); ++i) cells *= base;
  std::vector<unsigned> counts(cells);
  for (std::size_t at = 0; at < shares[0].size(); ++at) {
    std::size_t cell = 0;
    for (const ShareIndex index : some) {
      cell = cell * base + shares[static_cast<std::size_t>(index)][at];
    }
    ++counts[cell];
  }
  return counts;
}

// The checker: over these values of the given shares, every privacy() shares take every tuple
// exactly once, for this secret. Empty when so, else what is wrong.
std::string find_bias(const Scheme& scheme, const std::vector<ShareIndex>& given,
                      const std::vector<unsigned>& secret, const std::vector<Symbols>& values) {
  const auto shares = cut_symbols(scheme, given, secret, values);
  for (const auto& some : subsets(scheme, scheme.privacy())) {
    const auto counts = counts_of(shares, some, alphabet(scheme));
    const auto wrong = std::ranges::find_if(counts, [](unsigned count) { return count != 1; });
    if (wrong == counts.end()) continue;
    std::string who;
    for (const ShareIndex index : some) who += " " + std::to_string(static_cast<int>(index));
    return scheme.text() + ": shares" + who + " take value " +
           std::to_string(wrong - counts.begin()) + " " + std::to_string(*wrong) + " times";
  }
  return {};
}

std::vector<std::vector<unsigned>> secrets_of(const Scheme& scheme) {
  if (scheme.kind == SchemeKind::kShamir) return {{0}, {1}, {2}, {0x53}, {0x80}, {0xFF}};
  if (scheme.kind == SchemeKind::kFormQ) return {{0}, {1}, {2}, {3}};
  std::vector<std::vector<unsigned>> all;
  for (unsigned s = 0; s < 16; ++s) all.push_back({s & 3, s >> 2});
  return all;
}

TEST(Distribution, AnyPrivacySharesAreUniformWhateverTheSecretAndWhicheverAreGiven) {
  for (const Scheme& scheme : {kFormQ, Scheme::ramp(), shamir(2, 2), shamir(2, 3), shamir(2, 4),
                               shamir(2, 5), shamir(3, 3), shamir(3, 4)}) {
    const auto values = every_tuple(alphabet(scheme), scheme.privacy());
    for (const auto& given : subsets(scheme, scheme.privacy())) {
      for (const auto& secret : secrets_of(scheme)) {
        ASSERT_EQ(find_bias(scheme, given, secret, values), "");
      }
    }
  }
  const Scheme scheme = shamir(3, 5);
  const auto values = every_tuple(256, 2);
  for (const unsigned secret : {0U, 0xA7U}) {
    ASSERT_EQ(find_bias(scheme, {ShareIndex::kA, ShareIndex::kB}, {secret}, values), "");
    ASSERT_EQ(find_bias(scheme, {ShareIndex{4}, ShareIndex::kC}, {secret}, values), "");
  }
}

TEST(Distribution, EveryByteIsASecretThatEveryShareHidesAtTwoOfFive) {
  const auto values = every_tuple(256, 1);
  for (unsigned secret = 0; secret < 256; ++secret) {
    ASSERT_EQ(find_bias(shamir(2, 5), {ShareIndex::kA}, {secret}, values), "");
  }
}

TEST(Distribution, TheCheckerCatchesGivenSharesThatAreNeverZero) {
  // Seeded bug: a source that draws zero again until it is not zero.
  for (const Scheme& scheme : {kFormQ, Scheme::ramp(), shamir(2, 3), shamir(2, 5), shamir(3, 5)}) {
    auto given = all_shares(scheme);
    given.resize(scheme.privacy());
    const auto values = every_tuple(alphabet(scheme), scheme.privacy(), 1);
    for (const auto& secret : secrets_of(scheme)) {
      EXPECT_NE(find_bias(scheme, given, secret, values), "") << scheme.text();
    }
  }
}

TEST(Distribution, TheCheckerCatchesOneValueTooMany) {
  auto values = every_tuple(256, 1);
  values[0][17] = 18;
  EXPECT_NE(find_bias(shamir(2, 4), {ShareIndex::kB}, {9}, values), "");
}

TEST(Distribution, ThresholdSharesNameTheSecret) {
  // Any threshold() symbols belong to one secret only: tuples of different secrets are disjoint.
  for (const Scheme& scheme : {kFormQ, Scheme::ramp(), shamir(2, 3), shamir(2, 4)}) {
    const auto values = every_tuple(alphabet(scheme), scheme.privacy());
    auto given = all_shares(scheme);
    given.resize(scheme.privacy());
    for (const auto& some : subsets(scheme, scheme.threshold)) {
      std::set<std::vector<unsigned>> seen;
      std::size_t cases = 0;
      for (const auto& secret : secrets_of(scheme)) {
        const auto shares = cut_symbols(scheme, given, secret, values);
        std::vector<Symbols> columns;
        for (const ShareIndex index : some) {
          columns.push_back(shares[static_cast<std::size_t>(index)]);
        }
        for (const auto& [tuple, count] : view_of(columns)) seen.insert(tuple);
        cases += shares[0].size();
      }
      EXPECT_EQ(seen.size(), cases) << scheme.text();
    }
  }
}

TEST(Distribution, TwoSharesOfTheRampLeaveExactlyHalfHidden) {
  // Each pair of values fits exactly 4 of the 16 secrets, one for each value of the given share.
  const auto values = every_tuple(4, 1);
  for (const auto& pair : subsets(Scheme::ramp(), 2)) {
    std::map<std::vector<unsigned>, std::set<std::vector<unsigned>>> fits;
    for (const auto& secret : secrets_of(Scheme::ramp())) {
      const auto shares = cut_symbols(Scheme::ramp(), {ShareIndex::kC}, secret, values);
      const auto view = view_of(
          {shares[static_cast<std::size_t>(pair[0])], shares[static_cast<std::size_t>(pair[1])]});
      for (const auto& [tuple, count] : view) fits[tuple].insert(secret);
    }
    EXPECT_EQ(fits.size(), 16U);
    for (const auto& [tuple, secrets] : fits) EXPECT_EQ(secrets.size(), 4U);
  }
}

// ---- Views: one corrupted site and every wire ----

Symbols plus(const Symbols& x, const Symbols& y) {
  Symbols sum(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) sum[i] = x[i] ^ y[i];
  return sum;
}

// Whether the view depends on the secret, over all form Q secrets.
template <typename MakeView>
bool depends_on_secret(const MakeView& make_view) {
  const View first = make_view(0U);
  for (unsigned secret = 1; secret < 4; ++secret) {
    if (make_view(secret) != first) return true;
  }
  return false;
}

TEST(Views, KeyAsShareOneSiteAndEveryWireTellNothing) {
  // `drawn[0]` is key that both ends of a link hold and that becomes the given share: it is not
  // sent. The two other shares travel under pads.
  const auto drawn = every_tuple(4, 3);
  for (const ShareIndex key : all_shares(kFormQ)) {
    for (std::size_t site = 0; site < 3; ++site) {
      EXPECT_FALSE(depends_on_secret([&](unsigned secret) {
        const auto shares = cut_symbols(kFormQ, {key}, {secret}, {drawn[0]});
        std::vector<Symbols> columns = {shares[site]};
        std::size_t pad = 1;
        for (std::size_t i = 0; i < 3; ++i) {
          if (i != static_cast<std::size_t>(key)) {
            columns.push_back(plus(shares[i], drawn[pad++]));
          }
        }
        return view_of(columns);
      })) << "site "
          << site;
    }
  }
}

TEST(Views, KeyThatIsAShareAndAPadTells) {
  // Negative control: key promoted to share A is also the pad of B, and the wire carries S.
  const auto drawn = every_tuple(4, 1);
  EXPECT_TRUE(depends_on_secret([&](unsigned secret) {
    const auto shares = cut_symbols(kFormQ, {ShareIndex::kA}, {secret}, drawn);
    return view_of({plus(shares[1], drawn[0])});
  }));
}

TEST(Views, ThreeOfFiveTwoSitesAndAWireTellNothing) {
  // Over bytes: two corrupted sites know their shares, a third share travels under a pad. Every one
  // of the 2^24 views occurs exactly once, for either secret.
  const auto drawn = every_tuple(256, 2);
  for (const unsigned secret : {0U, 0xC3U}) {
    const auto shares =
        cut_symbols(shamir(3, 5), {ShareIndex::kA, ShareIndex::kB}, {secret}, drawn);
    std::vector<std::uint8_t> counts(std::size_t{1} << 24U);
    for (std::size_t at = 0; at < drawn[0].size(); ++at) {
      for (unsigned pad = 0; pad < 256; ++pad) {
        ++counts[(shares[2][at] << 16U) | (shares[4][at] << 8U) | (shares[3][at] ^ pad)];
      }
    }
    EXPECT_TRUE(std::ranges::all_of(counts, [](unsigned count) { return count == 1; }));
  }
}

TEST(Views, NestedSetsQualifyExactlyAsThePolicySays) {
  // 2 of (A, B, 2 of (C1, C2, C3)): bits 0 A, 1 B, 2..4 the clouds.
  const auto drawn = every_tuple(4, 2);
  for (unsigned set = 1; set < 32; ++set) {
    const bool a = (set & 1) != 0, b = (set & 2) != 0;
    const bool c = std::popcount(set >> 2U) >= 2;
    std::vector<View> views;
    for (unsigned secret = 0; secret < 4; ++secret) {
      const auto outer = cut_symbols(kFormQ, {ShareIndex::kA}, {secret}, {drawn[0]});
      // The nested cut takes share C case by case.
      std::vector<Bytes> inner =
          split_given(kFormQ, {ShareIndex::kA}, pack(kFormQ, outer[2]), {pack(kFormQ, drawn[1])});
      std::vector<Symbols> columns;
      for (unsigned i = 0; i < 5; ++i) {
        if ((set >> i & 1) == 0) continue;
        columns.push_back(i < 2 ? outer[i] : unpack(kFormQ, inner[i - 2], outer[0].size()));
      }
      views.push_back(view_of(columns));
    }
    const bool qualified = (a && b) || (c && (a || b));
    for (unsigned x = 0; x < 4; ++x) {
      for (unsigned y = x + 1; y < 4; ++y) {
        if (!qualified) {
          EXPECT_EQ(views[x], views[y]) << "set " << set << " tells something";
        }
        for (const auto& [tuple, count] : views[x]) {
          EXPECT_FALSE(qualified && views[y].contains(tuple)) << "set " << set << " is ambiguous";
        }
      }
    }
  }
}

// ---- Real shares ----

TEST(Distribution, RealSharesOfZerosAreUniform) {
  // Of 2^20 bytes each value occurs 4096 +- 64 times; 8 deviations.
  for (const Scheme& scheme : {kFormQ, Scheme::ramp(), shamir(2, 4), shamir(3, 5), shamir(7, 9)}) {
    const std::size_t ratio = scheme.kind == SchemeKind::kRamp ? 2 : 1;
    constexpr std::size_t kSize = 1 << 20;
    std::vector<Bytes> random(scheme.privacy(), Bytes(kSize));
    for (Bytes& bytes : random) os::kernel_random().fill(bytes);
    auto given = all_shares(scheme);
    given.resize(scheme.privacy());
    const auto shares = split_given(scheme, given, Bytes(kSize * ratio), random);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      std::array<double, 256> counts{};
      for (const Byte b : shares[i]) counts[b] += 1;
      EXPECT_NEAR(counts[0], 4096, 8 * 64.0) << scheme.text() << " share " << i;
      double chi = 0;
      for (const double c : counts) chi += (c - 4096) * (c - 4096) / 4096;
      EXPECT_NEAR(chi, 255, 8 * 22.6) << scheme.text() << " share " << i;
    }
  }
}

}  // namespace
}  // namespace warifu::sharing
