// The restore planner: cheapest legal sets, wishes, gatherings, what failed before.
#include "planner/restore_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace warifu::planner {
namespace {

SiteName site(const std::string& name) {
  return *SiteName::parse(name);
}

// A star: "home" in the middle, sites s0, s1, ... around it; the residual key falls with the
// number.
class RestorePlans : public testing::Test {
 protected:
  void build(const std::string& policy, int sites) {
    policy_ = *parse_policy(policy);
    snapshot_.origin = site("home");
    snapshot_.sites = {{site("home"), 1, {}}};
    for (int i = 0; i < sites; ++i) {
      const SiteName name = site("s" + std::to_string(i));
      snapshot_.sites.push_back({name, 1, {}});
      const auto residual = static_cast<std::uint64_t>(sites - i) * 100'000;
      snapshot_.edges.push_back({name, site("home"), kme::LinkClass::kPreshared, residual, 0, {}});
      snapshot_.edges.push_back({site("home"), name, kme::LinkClass::kPreshared, 0, 0, {}});
    }
    // Shares lie at s0, s1, ... in the order of the tree.
    for (const sharing::SharePath& path : leaf_paths(policy_)) {
      ShareId id;
      id.bytes.fill(static_cast<Byte>(shares_.size() + 1));
      shares_.push_back({path, id, site("s" + std::to_string(shares_.size()))});
    }
  }
  RestoreField field() const {
    return {policy_,
            shares_,
            snapshot_,
            site("home"),
            sharing::RecordLayout(sharing::Chunking{{1'000'000}}),
            seen_};
  }
  std::optional<RestorePlan> plan(const RestoreWishes& wishes = {}) {
    return plan_restore(field(), wishes, trials_);
  }
  std::vector<std::string> letters(const RestoreWishes& wishes = {}) {
    const auto found = plan(wishes);
    return found ? found->letters() : std::vector<std::string>{};
  }
  void drop(const std::string& name) {
    std::erase_if(snapshot_.sites,
                  [&](const config::SiteEntry& s) { return s.name == site(name); });
    std::erase_if(snapshot_.edges,
                  [&](const EdgeState& e) { return e.from == site(name) || e.to == site(name); });
  }

  double price_home(const SiteName& from, std::uint64_t bytes) const {
    const auto edge = std::ranges::find_if(snapshot_.edges, [&](const EdgeState& e) {
      return e.from == from && e.to == site("home");
    });
    return edge_price(*edge, bytes);
  }

  using Letters = std::vector<std::string>;
  PolicyNode policy_;
  Snapshot snapshot_;
  std::vector<ShareLocation> shares_;
  RestoreTrials trials_;
  std::map<SiteName, Seen> seen_;
};

TEST_F(RestorePlans, TheCheapestThreeOfFive) {
  build("3 of (a, b, c, d, e)", 5);
  EXPECT_EQ(letters(), (Letters{"A", "B", "C"}));
  EXPECT_EQ(letters({.using_letters = {"A", "D", "E"}}), (Letters{"A", "D", "E"}));
  EXPECT_TRUE(letters({.using_letters = {"A", "D"}}).empty());
  EXPECT_TRUE(letters({.using_letters = {"A", "B", "C", "D"}}).empty());
  drop("s1");
  EXPECT_EQ(letters(), (Letters{"A", "C", "D"}));
  trials_.out.insert("A");
  EXPECT_EQ(letters(), (Letters{"C", "D", "E"}));
  trials_.out.insert("E");
  EXPECT_FALSE(plan());
}

TEST_F(RestorePlans, PartsAreGatheredAtOneOfTheirHolders) {
  build("2 of (a, 3 of (b, c, d, e) via f)", 5);
  EXPECT_EQ(letters(), (Letters{"A", "B1", "B2", "B3"}));
  const RestorePlan cheapest = *plan();
  ASSERT_EQ(cheapest.sources.size(), 2u);
  EXPECT_EQ(cheapest.sources[1].joined.at(0).size(), 2u);
  EXPECT_EQ(letters({.using_letters = {"A", "B1", "B3", "B4"}}), (Letters{"A", "B1", "B3", "B4"}));
  EXPECT_TRUE(letters({.using_letters = {"A", "B1", "B2"}}).empty());
  const auto gathered = plan({.gather = site("s4")});
  ASSERT_TRUE(gathered);
  EXPECT_EQ(gathered->sources[1].at.letter(), "B4");
  drop("s1");
  EXPECT_EQ(letters(), (Letters{"A", "B2", "B3", "B4"}));
  drop("s2");
  EXPECT_FALSE(plan());
}

// Parts of a part are gathered first, or last where one of them is the gathering point.
TEST_F(RestorePlans, GatheringsInsideGatherings) {
  build("2 of (a, 2 of (b, c, 2 of (d, e, f) via g) via h)", 6);
  EXPECT_EQ(letters(), (Letters{"A", "B1", "B2"}));
  drop("s2");
  EXPECT_EQ(letters(), (Letters{"A", "B1", "B3a", "B3b"}));
  const RestoreSource gathered = plan()->sources[1];
  EXPECT_EQ(gathered.path.text(), "B");
  EXPECT_TRUE(gathered.way() == "B1<(B3a<B3b)" || gathered.way() == "B3a<B3b<B1" ||
              gathered.way() == "B1<(B3b<B3a)" || gathered.way() == "B3b<B3a<B1")
      << gathered.way();
  const auto at_e = plan({.gather = site("s4")});
  ASSERT_TRUE(at_e);
  EXPECT_EQ(at_e->sources[1].at.letter(), "B3b");
  ASSERT_EQ(at_e->sources[1].joined.size(), 2u);  // B3 first, then B
  EXPECT_EQ(at_e->sources[1].joined[1].at(0).path.text(), "B1");
  // Everybody on the way sees what passes; who gathers sees what it joins, on every level.
  std::set<std::string> seen;
  for (const SourceView& view : views_of(at_e->sources[1], site("home"))) {
    if (view.site == site("s4")) seen.insert(view.path.text());
  }
  EXPECT_TRUE(seen.contains("B") && seen.contains("B3") && seen.contains("B1"));
  // The same parts at the same place, asked for one by one.
  const auto same =
      gather_source(field(), *sharing::SharePath::parse("B"), at_e->sources[1].shares());
  ASSERT_TRUE(same);
  EXPECT_EQ(same->way(), at_e->sources[1].way());
  EXPECT_FALSE(gather_source(field(), *sharing::SharePath::parse("B"), {shares_[1], shares_[3]}));
  drop("s3");
  EXPECT_EQ(letters(), (Letters{"A", "B1", "B3b", "B3c"}));
  drop("s4");
  EXPECT_FALSE(plan());
}

// Every way that fails is left out, and parts that failed often come last.
TEST_F(RestorePlans, FailedWaysGiveWayToFreshParts) {
  std::string labels = "b";
  for (int i = 1; i < 32; ++i) labels += ", b";
  build("2 of (a, 16 of (" + labels + ") via f)", 33);
  const auto fail_once = [&] {
    const auto found = plan();
    EXPECT_TRUE(found);
    trials_.out.insert(found->sources[1].way());
    for (const auto& letter : found->sources[1].letters()) ++trials_.failures[letter];
    return found->sources[1].letters();
  };
  const auto first = fail_once();
  const auto second = fail_once();
  Letters both;
  for (const auto& letter : first) {
    if (std::ranges::find(second, letter) != second.end()) both.push_back(letter);
  }
  EXPECT_TRUE(both.empty());
  for (int i = 0; i < 20; ++i) fail_once();
}

TEST_F(RestorePlans, ThePlanIsAsCheapAsBruteForce) {
  build("3 of (a, b, c, d, 2 of (e, f, g) via h)", 7);
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    for (EdgeState& edge : snapshot_.edges) edge.residual_bytes = random() % 4'000'000;
    const RestoreField field = this->field();
    std::vector<double> tops(4);
    for (int i = 0; i < 4; ++i) {
      const SiteName at = site("s" + std::to_string(i));
      const auto records = field.records.below(policy_.scheme);
      tops[static_cast<std::size_t>(i)] = price_home(at, records.lengths({0}, records.count()));
    }
    double gathered = 1e300;
    for (std::size_t at = 4; at < 7; ++at) {
      for (std::size_t other = 4; other < 7; ++other) {
        if (at == other) continue;
        gathered = std::min(gathered, gather_source(field, *sharing::SharePath::parse("E"),
                                                    {shares_[at], shares_[other]})
                                          ->price);
      }
    }
    tops.push_back(gathered);
    std::ranges::sort(tops);
    EXPECT_NEAR(plan()->price(), tops[0] + tops[1] + tops[2], 1e-9);
  }
}

// s0 and s1 reach home over relays: each relay may see one share only, whatever is cheaper.
TEST_F(RestorePlans, RelaysSeeNoMoreThanTheLedgerAllows) {
  build("2 of (a, b)", 2);
  snapshot_.edges.clear();
  for (const char* relay : {"cheap", "dear"}) {
    snapshot_.sites.push_back({site(relay), 9, {}});
    const std::uint64_t residual = relay == std::string("cheap") ? 4'000'000 : 0;
    for (const char* end : {"s0", "s1", "home"}) {
      snapshot_.edges.push_back(
          {site(end), site(relay), kme::LinkClass::kPreshared, residual, 0, {}});
      snapshot_.edges.push_back(
          {site(relay), site(end), kme::LinkClass::kPreshared, residual, 0, {}});
    }
  }
  const auto relays = [&] {
    const auto found = plan();
    std::string text;
    if (found) text = found->sources[0].route[1].text() + " " + found->sources[1].route[1].text();
    return text;
  };
  EXPECT_TRUE(relays() == "cheap dear" || relays() == "dear cheap") << relays();
  seen_[site("cheap")] = {*sharing::SharePath::parse("A")};  // an earlier restore
  EXPECT_EQ(relays(), "cheap dear");
  seen_[site("dear")] = {*sharing::SharePath::parse("A")};
  EXPECT_FALSE(plan());
}

TEST(CheapestSets, AscendAndMissNothing) {
  const std::vector<double> prices = {1, 2, 4, 8, 16, 32};
  const auto sets = cheapest_sets(prices, 3, 1000);
  ASSERT_EQ(sets.size(), 20u);  // all of C(6, 3)
  double last = 0;
  for (const auto& set : sets) {
    const double sum = prices[set[0]] + prices[set[1]] + prices[set[2]];
    EXPECT_GT(sum, last);
    last = sum;
  }
  EXPECT_EQ(cheapest_sets(std::vector<double>(32, 1.0), 16, 64).size(), 64u);
  EXPECT_TRUE(cheapest_sets({1, 2}, 3, 10).empty());
}

TEST(ParseLetters, ListsOfShares) {
  EXPECT_EQ(*parse_letters("A,C1,C32"), (std::set<std::string>{"A", "C1", "C32"}));
  for (const char* bad : {"", "A,", "A,,B", "AG", "C33", "a,b", "A B"}) {
    EXPECT_FALSE(parse_letters(bad)) << bad;
  }
}

}  // namespace
}  // namespace warifu::planner
