// Sets of nodes against brute force: what restores, what tells, what may be lost, over random trees
// of any depth. The references know nothing of recursive counting: they spell out all sets.
#include "planner/policy_sets.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "planner/policy_check.h"
#include "planner/policy_sets_test_support.h"

namespace warifu::planner {
namespace {

// A random policy of at most `nesting` levels and about `budget` leaves.
std::string random_cut(std::mt19937& random, std::size_t nesting, bool top, int budget) {
  const bool ramp = random() % 5 == 0;
  const unsigned n = ramp ? 4 : 2 + static_cast<unsigned>(random()) % 3;
  const unsigned k = ramp ? 3 : 2 + static_cast<unsigned>(random()) % (n - 1);
  std::string text = (ramp ? "ramp " : "") + std::to_string(k) + " of (";
  for (unsigned i = 0; i < n; ++i) {
    if (i > 0) text += ", ";
    const bool deeper = nesting > 0 && budget > 5 && random() % 3 == 0;
    text += deeper ? random_cut(random, nesting - 1, false, budget - 4) : "s";
  }
  return text + (top ? ")" : ") via g");
}

PolicyNode random_policy(std::mt19937& random, std::size_t nesting) {
  for (;;) {
    auto policy = parse_policy(random_cut(random, nesting, true, 14));
    if (policy && share_paths(*policy).size() <= 11) return std::move(*policy);
  }
}

TEST(PolicySets, EverySubsetOfRandomTreesAsSpelledOut) {
  std::mt19937 random(20261127);
  std::size_t deep = 0;
  for (int round = 0; round < 150; ++round) {
    const PolicyNode policy = random_policy(random, 3);
    if (nesting_of(policy) > 1) ++deep;
    const auto restoring = giving_sets(policy, to_restore);
    const auto telling = giving_sets(policy, to_tell);
    const std::size_t nodes = share_paths(policy).size();
    std::size_t lose = SIZE_MAX, restore = SIZE_MAX;
    for (std::size_t bits = 0; bits < (std::size_t{1} << nodes); ++bits) {
      const NodeSet set = set_of(bits);
      const bool given = gives(policy, set);
      ASSERT_EQ(given, contains_one(restoring, set)) << policy.text() << " " << bits;
      ASSERT_EQ(tells(policy, set), contains_one(telling, set)) << policy.text() << " " << bits;
      if (given) restore = std::min(restore, set.count());
      if (!survives(policy, set)) lose = std::min(lose, set.count());
    }
    EXPECT_EQ(fewest_to_restore(policy), restore) << policy.text();
    EXPECT_EQ(fewest_to_lose(policy), lose) << policy.text();
  }
  EXPECT_GT(deep, 8u);
}

TEST(PolicySets, WhatIsGoneAtTheWorstMoment) {
  std::mt19937 random(20261128);
  for (int round = 0; round < 30; ++round) {
    const PolicyNode policy = random_policy(random, 2);
    const std::size_t nodes = share_paths(policy).size();
    const Spelled spelled(policy);
    for (int sample = 0; sample < 60; ++sample) {
      const NodeSet gone = set_of(random() & random() & ((std::size_t{1} << nodes) - 1));
      EXPECT_EQ(survives(policy, gone), spelled.survives(gone))
          << policy.text() << " " << gone.to_string().substr(480);
    }
  }
}

// Whoever keeps the rule, step by step and in any order, is never told anything.
TEST(PolicySets, WhoMaySeeIsNeverToldAnything) {
  std::mt19937 random(20261129);
  std::size_t refused = 0;
  for (int round = 0; round < 2000; ++round) {
    const PolicyNode policy = random_policy(random, kMaxNesting);
    const std::size_t nodes = share_paths(policy).size();
    NodeSet seen;
    for (int step = 0; step < 12; ++step) {
      const std::size_t node = 1 + random() % nodes;
      if (!may_see(policy, seen, node)) {
        ++refused;
        continue;
      }
      seen.set(node);
      ASSERT_FALSE(tells(policy, seen)) << policy.text();
      ASSERT_FALSE(gives(policy, seen)) << policy.text();
    }
  }
  EXPECT_GT(refused, 1000u);
}

TEST(PolicySets, NodesAreNumberedInTheOrderOfTheText) {
  const auto policy = parse_policy("2 of (a, 2 of (b, 2 of (c, d) via e, f) via g, h)");
  ASSERT_TRUE(policy) << policy.error().message;
  std::string names;
  for (const auto& [path, node] : share_paths(*policy)) {
    EXPECT_EQ(path_of(*policy, node->number), path);
    names += path.text() + "=" + std::to_string(node->number) + " ";
  }
  EXPECT_EQ(names, "A=1 B=2 B1=3 B2=4 B2a=5 B2b=6 B3=7 C=8 ");
  EXPECT_EQ(nesting_of(*policy), 2u);
}

TEST(PolicySets, EightLevelsAreReadAndNoMore) {
  std::string text = "2 of (a, b, c)";
  for (std::size_t i = 0; i < kMaxNesting; ++i) {
    text = "2 of (a, b, " + text + (i == 0 ? " via g)" : " via g)");
  }
  const auto policy = parse_policy(text);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->text(), text);
  EXPECT_EQ(nesting_of(*policy), kMaxNesting);
  const auto deeper = parse_policy("2 of (x, y, " + text + " via g)");
  ASSERT_FALSE(deeper);
  EXPECT_NE(deeper.error().message.find("at most 8 levels of nesting"), std::string::npos);
}

}  // namespace
}  // namespace warifu::planner
