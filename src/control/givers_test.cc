// Which holders a consent names: of random trees, every pair of sets that restores has a share in
// common; and how uses are numbered.
#include "control/givers.h"

#include <gtest/gtest.h>

#include <random>

#include "planner/policy_sets.h"
#include "planner/policy_sets_test_support.h"

namespace warifu::control {
namespace {

std::string random_cut(std::mt19937& random, std::size_t nesting, bool top) {
  const bool ramp = random() % 6 == 0;
  const unsigned n = ramp ? 4 : 2 + static_cast<unsigned>(random()) % 4;
  const unsigned k = ramp ? 3 : 2 + static_cast<unsigned>(random()) % (n - 1);
  std::string text = (ramp ? "ramp " : "") + std::to_string(k) + " of (";
  for (unsigned i = 0; i < n; ++i) {
    if (i > 0) text += ", ";
    text += nesting > 0 && random() % 4 == 0 ? random_cut(random, nesting - 1, false) : "s";
  }
  return text + (top ? ")" : ") via g");
}

std::vector<planner::ShareLocation> locations(const planner::PolicyNode& policy) {
  std::vector<planner::ShareLocation> all;
  for (const sharing::SharePath& path : planner::leaf_paths(policy)) {
    all.push_back({path, {}, *SiteName::parse("site" + std::to_string(all.size()))});
  }
  return all;
}

planner::NodeSet nodes_of(const planner::PolicyNode& policy,
                          std::span<const planner::ShareLocation> shares,
                          std::size_t bits = SIZE_MAX) {
  planner::NodeSet set;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (((bits >> i) & 1U) != 0) set.set(policy.find(shares[i].path)->number);
  }
  return set;
}

// Two sets of them that restore, without a share in common.
bool has_two_sets(const planner::PolicyNode& policy,
                  std::span<const planner::ShareLocation> shares) {
  for (std::size_t bits = 0; bits < (std::size_t{1} << shares.size()); ++bits) {
    if (planner::gives(policy, nodes_of(policy, shares, bits)) &&
        planner::gives(policy, nodes_of(policy, shares, ~bits))) {
      return true;
    }
  }
  return false;
}

TEST(Givers, AnyTwoSetsOfThemThatRestoreHaveAShareInCommon) {
  std::mt19937 random(20261127);
  std::size_t cut_down = 0, rounds = 0;
  while (rounds < 600) {
    const auto policy = planner::parse_policy(random_cut(random, 2, true));
    if (!policy || planner::leaf_paths(*policy).size() > 11) continue;
    ++rounds;
    std::vector<planner::ShareLocation> willing = locations(*policy);
    std::erase_if(willing, [&](const auto&) { return random() % 8 == 0; });
    std::ranges::shuffle(willing, random);
    const auto chosen = choose_givers(*policy, willing);
    EXPECT_FALSE(has_two_sets(*policy, chosen)) << policy->text();
    // Nothing is lost that was there.
    EXPECT_EQ(planner::gives(*policy, nodes_of(*policy, chosen)),
              planner::gives(*policy, nodes_of(*policy, willing)))
        << policy->text();
    if (has_two_sets(*policy, willing)) ++cut_down;
  }
  EXPECT_GT(cut_down, 30u);
}

TEST(Givers, MajoritiesKeepAllAndWhoComesFirstStays) {
  for (const char* text : {"2 of (a, b, c)", "3 of (a, b, c, d, e)", "ramp 3 of (a, b, c, d)",
                           "2 of (a, b, 2 of (c, c, c) via g)"}) {
    const auto policy = *planner::parse_policy(text);
    EXPECT_EQ(choose_givers(policy, locations(policy)).size(), planner::leaf_paths(policy).size())
        << text;
  }
  const auto spare = *planner::parse_policy("2 of (a, b, c, d, e)");
  auto willing = locations(spare);
  std::ranges::reverse(willing);
  const auto chosen = choose_givers(spare, willing);
  ASSERT_EQ(chosen.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(chosen[i].site, willing[i].site);
  // A share that nobody can join stands behind one that can be had.
  const auto nested = *planner::parse_policy("2 of (2 of (c, c) via g, a, b, d)");
  auto some = locations(nested);
  some.erase(some.begin());
  for (const planner::ShareLocation& share : choose_givers(nested, some))
    EXPECT_TRUE(share.path.is_top());
}

TEST(Givers, AHolderCountsThoseOfItsOwnCut) {
  store::ShareHeader held;
  held.policy = "2 of (a, b, c, d)";
  held.scheme = planner::parse_policy(held.policy)->scheme;
  consent::Grant grant;
  for (std::uint8_t i = 0; i < 4; ++i) {
    const SiteName site = *SiteName::parse("site" + std::to_string(i));
    held.siblings.push_back({i, {}, site});
    if (i < 3) grant.sites.push_back({site, {}});
  }
  grant.sites.push_back({*SiteName::parse("elsewhere"), {}});
  EXPECT_FALSE(names_too_many(held, grant));
  grant.sites.push_back({*SiteName::parse("site3"), {}});
  EXPECT_TRUE(names_too_many(held, grant));
  held.policy = "2 of (a, b, c, 2 of (d, e) via f)";
  EXPECT_FALSE(names_too_many(held, grant)) << "where the parts are it does not know";
}

TEST(Givers, UsesAreTriedInTurnUntilEachHasRestored) {
  EXPECT_EQ(pick_use({}, 3), 1);
  std::vector<HeldUse> held = {{1, false}};
  EXPECT_EQ(pick_use(held, 3), 2);
  EXPECT_EQ(pick_use(held, 1), 1) << "it may have been taken nowhere";
  held = {{1, true}, {2, false}, {3, false}, {2, false}};
  EXPECT_EQ(pick_use(held, 3), 3);
  held.push_back({3, true});
  EXPECT_EQ(pick_use(held, 3), 2);
  held.push_back({2, true});
  EXPECT_EQ(pick_use(held, 3), 1) << "the gates say that it is used up";
  held = {{0, true}, {7, true}};
  EXPECT_EQ(pick_use(held, 1), 1);
}

}  // namespace
}  // namespace warifu::control
