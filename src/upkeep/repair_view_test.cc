// Views by enumeration: for every value of all parts and masks it is written down what a site
// observes; a sum of parts is known when equal observations never go with different sums. What the
// elimination says must be just that. Masks and parts are single bits here: every step is linear.
#include "upkeep/repair_view.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "upkeep/upkeep_test_support.h"

namespace warifu::upkeep {
namespace {

// What `at` observes when part i is bit i of `parts` and the mask between parts i and i + 1 is bit
// i of `masks`.
std::vector<unsigned> observe(const SumOfParts& sum, const SiteName& at, unsigned parts,
                              unsigned masks) {
  std::vector<unsigned> observed;
  const std::size_t count = sum.parts.size();
  for (std::size_t i = 0; i < count; ++i) {
    const PartWay& part = sum.parts[i];
    const unsigned value = parts >> i & 1U;
    const unsigned before = i == 0 ? 0 : masks >> (i - 1) & 1U;
    const unsigned after = i + 1 == count ? 0 : masks >> i & 1U;
    if (part.at.site == at) observed.push_back(value);
    if (i > 0 && part.at.site == at) observed.push_back(before);
    if (i + 1 < count && (part.at.site == at || part.mask_knowing.contains(at))) {
      observed.push_back(after);
    }
    const bool passes = std::ranges::find(part.route, at) != part.route.end();
    if (passes || part.knowing.contains(at)) observed.push_back(value ^ before ^ after);
  }
  return observed;
}

// All sums of parts that `at` can compute, as sets of bits; 0 left out.
std::vector<unsigned> computable(const SumOfParts& sum, const SiteName& at) {
  const std::size_t count = sum.parts.size();
  std::map<std::vector<unsigned>, std::vector<unsigned>> parts_by_observation;
  for (unsigned parts = 0; parts < 1U << count; ++parts) {
    for (unsigned masks = 0; masks < 1U << (count - 1); ++masks) {
      parts_by_observation[observe(sum, at, parts, masks)].push_back(parts);
    }
  }
  std::vector<unsigned> known;
  for (unsigned wish = 1; wish < 1U << count; ++wish) {
    const auto value = [wish](unsigned parts) { return std::popcount(parts & wish) % 2; };
    const bool constant = std::ranges::all_of(parts_by_observation, [&](const auto& entry) {
      return std::ranges::all_of(entry.second, [&](unsigned parts) {
        return value(parts) == value(entry.second.front());
      });
    });
    if (constant) known.push_back(wish);
  }
  return known;
}

// "C", "C1".
std::string name_of(const planner::SourceView& view) {
  return view.path.text();
}

// By site: the letters that it comes to see.
using Letters = std::map<std::string, std::set<std::string>>;

Letters letters_seen(const SumOfParts& sum) {
  Letters seen;
  for (const planner::SourceView& view : views_of(sum)) {
    seen[view.site.text()].insert(name_of(view));
  }
  return seen;
}

// The letters by which part i may be reported to somebody: its own, and that of a share above it,
// below the cut of what is made, when the sum `known` has all parts of that.
std::set<std::string> names_of_part(const SumOfParts& sum, std::size_t i, unsigned known) {
  const sharing::SharePath& part = sum.parts[i].at.path;
  std::set<std::string> names = {part.text()};
  for (std::size_t steps = sum.made.path.size(); steps < part.size(); ++steps) {
    bool whole = true;
    for (std::size_t j = 0; j < sum.parts.size(); ++j) {
      const bool below = sum.parts[j].at.path.is_within(part.above(steps));
      if (below && (known >> j & 1U) == 0) whole = false;
    }
    if (whole) names.insert(part.above(steps).text());
  }
  return names;
}

// Nothing that can be known is missing, and nothing is there that cannot be known.
void check_views(const SumOfParts& sum, const SiteName& at, const std::set<std::string>& seen) {
  const unsigned all = (1U << sum.parts.size()) - 1;
  std::set<std::string> allowed;
  for (const unsigned known : computable(sum, at)) {
    bool covered = true;
    for (std::size_t i = 0; i < sum.parts.size(); ++i) {
      if ((known >> i & 1U) == 0 || sum.parts[i].at.site == at) continue;
      const auto names = names_of_part(sum, i, known);
      allowed.insert(names.begin(), names.end());
      // A share stands for all of its parts.
      bool told = false;
      const sharing::SharePath& part = sum.parts[i].at.path;
      for (std::size_t steps = sum.made.path.size(); steps <= part.size(); ++steps) {
        told = told || seen.contains(part.above(steps).text());
      }
      covered = covered && told;
    }
    if (known == all) allowed.insert(sum.made.letter());
    EXPECT_TRUE(covered || (known == all && seen.contains(sum.made.letter())))
        << at.text() << " knows the sum " << known;
  }
  for (const std::string& letter : seen) {
    EXPECT_TRUE(allowed.contains(letter)) << at.text() << " cannot know " << letter;
  }
}

const std::vector<std::string> kRelays = {"x", "y", "z"};

// Up to five parts of different holders; routes over relays, other helpers and anybody who may know
// key, at random.
SumOfParts random_sum(std::mt19937_64& generator) {
  static const std::vector<std::vector<std::string>> kLetters = {
      {"A", "C1", "C2", "D1", "D2"},     {"A", "C", "D", "E", "F"},
      {"C1", "C3", "A", "C2", "D"},      {"C1", "C2", "C3", "C4", "C5"},
      {"D1", "C1", "D2", "C2", "A"},     {"C1a", "C1b", "C2", "A", "D1a"},
      {"C1", "C2a", "C2b", "C3a1", "C5"}};
  const auto& letters = kLetters[generator() % kLetters.size()];
  SumOfParts sum{.made = share_at(letters[4] == "C5" ? "C9" : "B", "target"), .parts = {}};
  const std::size_t count = generator() % 5 + 1;
  std::vector<std::string> sites = kRelays;
  for (std::size_t i = 0; i < count; ++i) sites.push_back("h" + std::to_string(i));
  const auto some = [&](unsigned one_of) {
    std::vector<SiteName> chosen;
    for (const std::string& name : sites) {
      if (generator() % one_of == 0) chosen.push_back(site(name));
    }
    return chosen;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const std::string holder = "h" + std::to_string(i);
    PartWay part{.at = share_at(letters[i], holder), .route = {site(holder)}};
    for (const SiteName& relay : some(3)) {
      if (relay != site(holder)) part.route.push_back(relay);
    }
    part.route.push_back(site("target"));
    for (const SiteName& knowing : some(8)) part.knowing.insert(knowing);
    for (const SiteName& knowing : some(8)) {
      if (knowing != site(holder)) part.mask_knowing.insert(knowing);
    }
    if (i + 1 == count) part.mask_knowing.clear();
    sum.parts.push_back(std::move(part));
  }
  return sum;
}

TEST(RepairView, IsWhatEnumerationFinds) {
  std::mt19937_64 generator(21);
  for (int round = 0; round < 150; ++round) {
    const SumOfParts sum = random_sum(generator);
    const Letters seen = letters_seen(sum);
    std::vector<std::string> sites = kRelays;
    sites.push_back("target");
    for (const PartWay& part : sum.parts) sites.push_back(part.at.site.text());
    for (const std::string& name : sites) {
      const auto found = seen.find(name);
      check_views(sum, site(name), found == seen.end() ? std::set<std::string>{} : found->second);
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

// What the enumeration itself finds where the answer is plain.
TEST(RepairView, TheEnumerationKnowsMaskedFromPlain) {
  SumOfParts sum{.made = share_at("B", "t"),
                 .parts = {{.at = share_at("A", "a"), .route = {site("a"), site("r"), site("t")}},
                           {.at = share_at("C", "c"), .route = {site("c"), site("t")}}}};
  EXPECT_EQ(computable(sum, site("t")), (std::vector<unsigned>{3}));
  EXPECT_EQ(computable(sum, site("a")), (std::vector<unsigned>{1}));
  EXPECT_TRUE(computable(sum, site("r")).empty());
  sum.parts[0].mask_knowing.insert(site("r"));
  EXPECT_EQ(computable(sum, site("r")), (std::vector<unsigned>{1}));
  EXPECT_EQ(letters_seen(sum)["r"], (std::set<std::string>{"A"}));
}

// B at t out of A, C1 and C2, straight from each.
SumOfParts chain() {
  SumOfParts sum{.made = share_at("B", "t"), .parts = {}};
  for (const auto& [letter, holder] : {std::pair{"A", "a"}, {"C1", "c1"}, {"C2", "c2"}}) {
    sum.parts.push_back({.at = share_at(letter, holder), .route = {site(holder), site("t")}});
  }
  return sum;
}
void relay(SumOfParts& sum, std::size_t part, const std::string& over) {
  sum.parts[part].route.insert(sum.parts[part].route.end() - 1, site(over));
}

TEST(RepairView, TheNewHolderLearnsTheShareAndHelpersNothing) {
  EXPECT_EQ(letters_seen(chain()), (Letters{{"t", {"B"}}}));
}

TEST(RepairView, ARelayWithoutAMaskLearnsNothingButOfAllMessagesTheirSum) {
  for (const std::vector<std::size_t>& some :
       std::vector<std::vector<std::size_t>>{{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}}) {
    SumOfParts sum = chain();
    for (const std::size_t part : some) relay(sum, part, "r");
    EXPECT_EQ(letters_seen(sum), (Letters{{"t", {"B"}}}));
  }
  // The masks of all messages cancel, for whoever passes them as for the new holder.
  SumOfParts sum = chain();
  for (const std::size_t part : {0u, 1u, 2u}) relay(sum, part, "r");
  EXPECT_EQ(letters_seen(sum), (Letters{{"r", {"B"}}, {"t", {"B"}}}));
}

TEST(RepairView, AHelperThatRelaysItsNeighboursMessageLearnsThatPart) {
  SumOfParts sum = chain();
  relay(sum, 0, "c1");
  EXPECT_EQ(letters_seen(sum), (Letters{{"c1", {"A"}}, {"t", {"B"}}}));
  // It knows one of two masks only: nothing; and neither of a mask that it does not share.
  sum = chain();
  relay(sum, 1, "a");
  relay(sum, 0, "c2");
  EXPECT_EQ(letters_seen(sum), (Letters{{"t", {"B"}}}));
}

TEST(RepairView, AHelperThatRelaysBothPartsOfATopShareLearnsThatShare) {
  SumOfParts sum = chain();
  relay(sum, 1, "a");
  relay(sum, 2, "a");
  EXPECT_EQ(letters_seen(sum), (Letters{{"a", {"C"}}, {"t", {"B"}}}));
  // Who knows both masks learns each of the parts.
  sum.parts[1].mask_knowing.insert(site("a"));
  EXPECT_EQ(letters_seen(sum), (Letters{{"a", {"C1", "C2"}}, {"t", {"B"}}}));
}

TEST(RepairView, WhoKnowsKeyOfALinkSeesWhatPassesIt) {
  SumOfParts sum = chain();
  sum.parts[2].knowing.insert(site("c1"));
  EXPECT_EQ(letters_seen(sum), (Letters{{"c1", {"C2"}}, {"t", {"B"}}}));
  sum = chain();
  sum.parts[0].knowing.insert(site("w"));
  EXPECT_EQ(letters_seen(sum), (Letters{{"t", {"B"}}}));
  sum.parts[0].mask_knowing.insert(site("w"));
  EXPECT_EQ(letters_seen(sum), (Letters{{"t", {"B"}}, {"w", {"A"}}}));
}

TEST(RepairView, AMoveIsSeenByItsWholeWay) {
  SumOfParts sum{.made = share_at("C2", "t"),
                 .parts = {{.at = share_at("C2", "c"),
                            .route = {site("c"), site("r"), site("t")},
                            .knowing = {site("w")}}}};
  const Letters seen = letters_seen(sum);
  for (const char* name : {"r", "t", "w"}) {
    ASSERT_TRUE(seen.contains(name)) << name;
    EXPECT_EQ(seen.at(name), (std::set<std::string>{"C2"}));
  }
}

}  // namespace
}  // namespace warifu::upkeep
