// The exposure rule against exact information, and the planner against brute force.
#include "control/exposure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

namespace warifu::control {
namespace {

SiteName site(const std::string& name) {
  return *SiteName::parse(name);
}

const sharing::RecordLayout kRecords(sharing::Chunking{{1'000'000'000}});

Snapshot network(const std::vector<std::pair<std::string, std::vector<std::string>>>& sites,
                 const std::vector<std::pair<std::string, std::string>>& links) {
  Snapshot snapshot;
  for (const auto& [name, labels] : sites) {
    snapshot.sites.push_back({site(name), 1, labels});
  }
  snapshot.origin = snapshot.sites.front().name;
  for (const auto& [a, b] : links) {
    snapshot.links.push_back({site(a), site(b), kme::LinkClass::kPreshared});
    for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
      snapshot.edges.push_back({site(from), site(to), kme::LinkClass::kPreshared, 0, 0, {}});
    }
  }
  return snapshot;
}

Snapshot reference() {
  return network({{"tommo", {}},
                  {"lsa", {"vault"}},
                  {"tuh", {"gateway", "vault"}},
                  {"cloud1", {"cloud"}},
                  {"cloud2", {"cloud"}},
                  {"cloud3", {"cloud"}}},
                 {{"tommo", "lsa"},
                  {"tommo", "tuh"},
                  {"tuh", "cloud1"},
                  {"tuh", "cloud2"},
                  {"tuh", "cloud3"},
                  {"cloud1", "cloud2"},
                  {"cloud2", "cloud3"},
                  {"cloud1", "cloud3"}});
}

TEST(Exposure, WhatIsLegalOnTheReferenceNetwork) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"2 of (origin, lsa)", ""},
      {"2 of (origin, lsa, tuh)", ""},
      {"3 of (origin, lsa, tuh, cloud1)", ""},  // tuh sees two: allowed
      {"2 of (origin, lsa, tuh, cloud1)", "tuh would hold or relay 2 shares"},
      {"ramp 3 of (origin, lsa, tuh, cloud1)", "tuh would hold or relay 2 shares"},
      {"4 of (origin, lsa, tuh, cloud1, cloud2)", ""},  // tuh sees three
      {"3 of (origin, lsa, cloud1, cloud2, cloud3)", "tuh would hold or relay 3 shares"},
      {"2 of (origin, lsa, 3 of (cloud, cloud, cloud) via tuh)", ""},
      {"2 of (origin, lsa, 2 of (cloud, cloud) via tuh)", ""},
      {"2 of (origin, 2 of (tuh, cloud) via lsa)", "too few free sites carry"},  // over the origin
      {"2 of (origin, lsa, 2 of (cloud1, cloud1) via tuh)", "too few free sites carry 'cloud1'"},
  };
  for (const auto& [text, why] : cases) {
    const auto plan = plan_placement(*parse_policy(text), reference(), kRecords);
    if (std::string(why).empty()) {
      EXPECT_TRUE(plan) << text << ": " << plan.error().message;
    } else if (std::string(why).find("carry") != std::string::npos) {
      EXPECT_FALSE(plan) << text;
    } else {
      ASSERT_FALSE(plan) << text;
      EXPECT_EQ(plan.error().code, Code::kRefused);
      EXPECT_NE(plan.error().message.find(why), std::string::npos) << plan.error().message;
    }
  }
}

TEST(Exposure, SatisfiesIsExact) {
  const auto policy =
      *parse_policy("3 of (origin, a, 2 of (b, c, d) via e, ramp 3 of (f, g, h, i) via j)");
  const auto check = [&](const Seen& seen, bool restores, bool nothing) {
    EXPECT_EQ(satisfies(policy, seen), restores);
    EXPECT_EQ(tells_nothing(policy, seen), nothing);
  };
  check({}, false, true);
  check({{0, 1}, {}}, false, true);
  check({{0, 1, 2}, {}}, true, false);
  check({{0, 1}, {{2, {0}}}}, false, true);
  check({{0, 1}, {{2, {0, 2}}}}, true, false);
  check({{0, 1}, {{3, {0}}}}, false, true);
  check({{0, 1}, {{3, {0, 1}}}}, false, false);  // half of a share: no restore, not nothing
  check({{0, 1}, {{3, {0, 1, 3}}}}, true, false);
  check({{0}, {{2, {0, 1}}, {3, {0, 1, 3}}}}, true, false);
  check({{0, 2}, {{2, {0, 1}}}}, false, true);  // parts of a share that is there already
  const auto ramp = *parse_policy("ramp 3 of (a, b, c, d)");
  EXPECT_TRUE(tells_nothing(ramp, {{0}, {}}));
  EXPECT_FALSE(tells_nothing(ramp, {{0, 1}, {}}));
  EXPECT_FALSE(satisfies(ramp, {{0, 1}, {}}));
}

// All assignments of sites to leaves and gateways, tried one by one.
class BruteForce {
 public:
  BruteForce(const PolicyNode& policy, const Snapshot& snapshot)
      : policy_(policy), snapshot_(snapshot) {}

  std::optional<double> cheapest() {
    shares_.resize(policy_.children.size());
    choose_share(0, 0);
    return best_;
  }

 private:
  using Next = std::function<void(double)>;

  void choose_share(std::size_t i, double price) {
    if (i == policy_.children.size()) {
      const bool legal = check_exposure(policy_.scheme, shares_, snapshot_.origin).has_value();
      if (legal && (!best_ || price < *best_)) best_ = price;
      return;
    }
    const PolicyNode& child = policy_.children[i];
    const auto bytes = kRecords.below(policy_.scheme);
    for_each_site(child.is_leaf() ? child.label : child.via, snapshot_.origin, bytes, shares_[i],
                  [&](double cost) {
                    shares_[i].cut = child.scheme;
                    shares_[i].nested.assign(child.children.size(), {});
                    choose_part(i, 0, price + cost);
                  });
  }

  void choose_part(std::size_t i, std::size_t j, double price) {
    const PolicyNode& child = policy_.children[i];
    if (j == child.children.size()) return choose_share(i + 1, price);
    const SiteName from = shares_[i].site;
    for_each_site(child.children[j].label, from, kRecords.below(policy_.scheme).below(child.scheme),
                  shares_[i].nested[j], [&](double cost) { choose_part(i, j + 1, price + cost); });
  }

  void for_each_site(const std::string& label, const SiteName& from,
                     const sharing::RecordLayout& records, ShareTarget& target, const Next& next) {
    for (const SiteEntry& entry : snapshot_.sites) {
      const bool labelled = entry.name.text() == label ||
                            std::ranges::find(entry.labels, label) != entry.labels.end();
      const bool fits =
          label == "origin" ? entry.name == snapshot_.origin : labelled && entry.name != from;
      if (!fits) continue;
      const auto way =
          priced_route(snapshot_, from, entry.name, records.lengths({0}, records.count()));
      if (!way) continue;
      target.site = entry.name;
      target.route = way->first;
      next(way->second);
    }
  }

  const PolicyNode& policy_;
  const Snapshot& snapshot_;
  std::vector<ShareTarget> shares_;
  std::optional<double> best_;
};

// Random connected networks of 7 sites; every found plan tells no site anything.
TEST(Exposure, ThePlannerFindsWhatBruteForceFinds) {
  std::mt19937 random(20261126);
  const char* policies[] = {"2 of (origin, v, v)",
                            "3 of (origin, v, v, w)",
                            "2 of (v, w)",
                            "ramp 3 of (origin, v, w, w)",
                            "3 of (v, v, v, v)",
                            "2 of (origin, v, 2 of (w, w, w) via v)",
                            "3 of (origin, v, w, 2 of (w, w) via v)",
                            "2 of (2 of (v, w) via v, origin)"};
  std::size_t legal = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<std::pair<std::string, std::vector<std::string>>> sites;
    std::vector<std::pair<std::string, std::string>> links;
    for (int i = 0; i < 7; ++i) {
      std::vector<std::string> labels;
      if (random() % 3 != 0) labels.emplace_back("v");
      if (random() % 2 != 0) labels.emplace_back("w");
      sites.emplace_back("s" + std::to_string(i), labels);
      if (i > 0)
        links.emplace_back("s" + std::to_string(random() % static_cast<unsigned>(i)),
                           "s" + std::to_string(i));
      if (i > 1)
        links.emplace_back("s" + std::to_string(random() % static_cast<unsigned>(i)),
                           "s" + std::to_string(i));
    }
    Snapshot snapshot = network(sites, links);
    for (EdgeState& edge : snapshot.edges) edge.residual_bytes = random() % 4'000'000'000U;
    for (const char* text : policies) {
      const auto policy = *parse_policy(text);
      const auto plan = plan_placement(policy, snapshot, kRecords);
      const auto expected = BruteForce(policy, snapshot).cheapest();
      ASSERT_EQ(plan.has_value(), expected.has_value()) << text << " round " << round;
      (plan ? legal : refused) += 1;
      if (!plan) continue;
      EXPECT_NEAR(plan->price, *expected, 1e-9 * *expected) << text << " round " << round;
      for (const auto& [name, seen] : views_of(plan->shares)) {
        if (name == snapshot.origin) continue;
        EXPECT_FALSE(satisfies(policy, seen)) << text << " at " << name.text();
        EXPECT_TRUE(tells_nothing(policy, seen)) << text << " at " << name.text();
      }
    }
  }
  EXPECT_GT(legal, 50u);
  EXPECT_GT(refused, 50u);
}

// 32 equal labels over 60 sites in a star: placed without enumerating sets.
TEST(Exposure, ThirtyTwoEqualLabelsAreQuick) {
  std::vector<std::pair<std::string, std::vector<std::string>>> sites = {{"home", {}}};
  std::vector<std::pair<std::string, std::string>> links;
  std::string labels;
  for (int i = 0; i < 60; ++i) {
    sites.emplace_back("s" + std::to_string(i), std::vector<std::string>{"cloud"});
    links.emplace_back("home", "s" + std::to_string(i));
    if (i < 32) labels += (i == 0 ? "" : ", ") + std::string("cloud");
  }
  Snapshot snapshot = network(sites, links);
  for (std::size_t i = 0; i < snapshot.edges.size(); ++i) {
    snapshot.edges[i].residual_bytes = (i * 7919 % 120) * 10'000'000;
  }
  const auto plan = plan_placement(*parse_policy("16 of (" + labels + ")"), snapshot, kRecords);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->bytes_by_edge.size(), 32u);
  for (const std::string& reason : plan->reasons) {
    EXPECT_EQ(reason.find("of the first"), std::string::npos) << reason;
  }
}

// All ways lead over one of two hubs, each of which may see 15 shares of 32: there is no plan, and
// the search ends.
TEST(Exposure, AHopelessSearchEnds) {
  std::vector<std::pair<std::string, std::vector<std::string>>> sites = {
      {"home", {}}, {"hub0", {}}, {"hub1", {}}};
  std::vector<std::pair<std::string, std::string>> links = {{"home", "hub0"}, {"home", "hub1"}};
  std::string labels;
  for (int i = 0; i < 60; ++i) {
    sites.emplace_back("s" + std::to_string(i), std::vector<std::string>{"cloud"});
    links.emplace_back("hub" + std::to_string(i % 2), "s" + std::to_string(i));
    if (i < 32) labels += (i == 0 ? "" : ", ") + std::string("cloud");
  }
  const auto plan =
      plan_placement(*parse_policy("16 of (" + labels + ")"), network(sites, links), kRecords);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kRefused);
  EXPECT_NE(plan.error().message.find("would hold or relay 16 shares"), std::string::npos)
      << plan.error().message;
}

}  // namespace
}  // namespace warifu::control
