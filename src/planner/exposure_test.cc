// The exposure rule against exact information, and the planner against brute force.
#include "planner/exposure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

namespace warifu::planner {
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

// The reference with lsa-cloud2 and a relayed link lsa-cloud1.
Snapshot with_relayed_link(unsigned paths, const std::vector<std::string>& via,
                           std::vector<config::LinkEntry>* links = nullptr) {
  Snapshot snapshot = reference();
  for (const EdgeState& edge : snapshot.edges) {
    if (links != nullptr && edge.from < edge.to) {
      links->push_back({edge.from, edge.to, edge.link_class});
    }
  }
  for (const auto link_class : {kme::LinkClass::kPreshared, kme::LinkClass::kRelayed}) {
    const bool relayed = link_class == kme::LinkClass::kRelayed;
    const SiteName cloud = site(relayed ? "cloud1" : "cloud2");
    config::LinkEntry link{site("lsa"), cloud, link_class, relayed ? paths : 0U, {}};
    if (relayed) {
      for (const std::string& relay : via) link.via.push_back(site(relay));
    }
    if (links != nullptr) links->push_back(link);
    for (const auto& [from, to] : {std::pair{site("lsa"), cloud}, {cloud, site("lsa")}}) {
      snapshot.edges.push_back({.from = from, .to = to, .link_class = link_class});
      snapshot.edges.back().knowing = config::key_relays({link}, {from, to});
    }
  }
  return snapshot;
}

TEST(Exposure, RelaysOfASinglePathHaveSeenWhatTheirKeyCarries) {
  const PolicyNode policy = *parse_policy("2 of (origin, tuh, 2 of (cloud1, cloud2) via lsa)");
  const auto why = [&](const Snapshot& snapshot) {
    const auto plan = plan_placement(policy, snapshot, kRecords);
    return plan ? std::string() : plan.error().message;
  };
  const auto tells = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  Snapshot without = with_relayed_link(2, {});
  // The part for cloud1 would pass cloud2, which holds the other one, or tuh.
  std::erase_if(without.edges,
                [](const EdgeState& e) { return e.link_class == kme::LinkClass::kRelayed; });
  EXPECT_TRUE(tells(why(without), "cloud2 would hold or relay 2 shares")) << why(without);
  // Over two paths no relay alone knows the key.
  EXPECT_EQ(why(with_relayed_link(2, {"tommo", "tuh", "cloud2", "cloud3"})), "");
  // Over one path: the origin, a holder of the other part, the holder of B, and one who sees
  // nothing else.
  for (const std::vector<std::string>& via :
       {std::vector<std::string>{"tommo", "tuh"}, {"cloud2"}, {"tuh"}}) {
    EXPECT_TRUE(tells(why(with_relayed_link(1, via)), "no legal placement")) << via.front();
  }
  EXPECT_EQ(why(with_relayed_link(1, {"cloud3"})), "");
}

// A site takes a request only over the link of its own way back to the sender.
TEST(Exposure, RoutesAreTheSameInBothDirectionsAndFromEverySiteOnThem) {
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    std::vector<config::LinkEntry> links;
    const auto name = [](unsigned i) { return site("s" + std::to_string(i)); };
    for (unsigned i = 0; i < 8; ++i) {
      for (unsigned j = 0; j < i; ++j) {
        if (random() % 3 == 0) links.push_back({name(i), name(j), kme::LinkClass::kPreshared});
      }
    }
    std::ranges::shuffle(links, random);
    for (unsigned i = 0; i < 8; ++i) {
      for (unsigned j = 0; j < i; ++j) {
        const Route there = config::travel_route(links, name(i), name(j));
        Route back = config::travel_route(links, name(j), name(i));
        std::ranges::reverse(back);
        ASSERT_EQ(there, back);
        for (std::size_t at = 1; at < there.size(); ++at) {
          ASSERT_EQ(config::travel_route(links, there[at], there.back()),
                    Route(there.begin() + static_cast<std::ptrdiff_t>(at), there.end()));
        }
      }
    }
  }
}

TEST(Exposure, RelayedLinksCarryTheirTwoEndsOnly) {
  std::vector<config::LinkEntry> links;
  (void)with_relayed_link(2, {"tommo", "tuh", "cloud2", "cloud3"}, &links);
  const auto route = [&](const char* from, const char* to) {
    return route_text(config::travel_route(links, site(from), site(to)));
  };
  EXPECT_EQ(route("lsa", "cloud1"), "lsa > cloud1");
  EXPECT_EQ(route("cloud1", "lsa"), "cloud1 > lsa");
  EXPECT_EQ(route("tommo", "cloud1"), "tommo > tuh > cloud1");
  EXPECT_EQ(route("cloud1", "tommo"), "cloud1 > tuh > tommo");
  EXPECT_EQ(route("lsa", "cloud3"), "lsa > cloud2 > cloud3");
}

Seen seen_of(const std::vector<const char*>& names) {
  Seen seen;
  for (const char* name : names) seen.insert(*sharing::SharePath::parse(name));
  return seen;
}

TEST(Exposure, SatisfiesIsExact) {
  const auto policy =
      *parse_policy("3 of (origin, a, 2 of (b, c, d) via e, ramp 3 of (f, g, h, i) via j)");
  const auto check = [&](const Seen& seen, bool restores, bool nothing) {
    EXPECT_EQ(satisfies(policy, seen), restores);
    EXPECT_EQ(tells_nothing(policy, seen), nothing);
  };
  check({}, false, true);
  check(seen_of({"A", "B"}), false, true);
  check(seen_of({"A", "B", "C"}), true, false);
  check(seen_of({"A", "B", "C1"}), false, true);
  check(seen_of({"A", "B", "C1", "C3"}), true, false);
  check(seen_of({"A", "B", "D1"}), false, true);
  check(seen_of({"A", "B", "D1", "D2"}), false, false);  // half of a share: no restore, not nothing
  check(seen_of({"A", "B", "D1", "D2", "D4"}), true, false);
  check(seen_of({"A", "C1", "C2", "D1", "D2", "D4"}), true, false);
  check(seen_of({"A", "C", "C1", "C2"}), false, true);  // parts of a share that is there already
  const auto ramp = *parse_policy("ramp 3 of (a, b, c, d)");
  EXPECT_TRUE(tells_nothing(ramp, seen_of({"A"})));
  EXPECT_FALSE(tells_nothing(ramp, seen_of({"A", "B"})));
  EXPECT_FALSE(satisfies(ramp, seen_of({"A", "B"})));
}

// All assignments of sites and ways to leaves and gateways, tried one by one.
class BruteForce {
 public:
  BruteForce(const PolicyNode& policy, const Snapshot& snapshot)
      : policy_(policy), snapshot_(snapshot) {}

  std::optional<double> cheapest() {
    paths_ = share_paths(policy_);
    choose(0, 0);
    return best_;
  }

 private:
  using Next = std::function<void(double)>;

  // Cheaper than what was found, and legal so far: what a site has seen only grows.
  bool worth(double price) const {
    return (!best_ || price < *best_) &&
           check_exposure(policy_.scheme, shares_, snapshot_.origin).has_value();
  }

  // Shares are placed in the order of the text, so each list ends with the latest.
  std::vector<ShareTarget>& list_of(const sharing::SharePath& path) {
    auto* list = &shares_;
    for (std::size_t depth = 0; depth + 1 < path.size(); ++depth) {
      list = &(*list)[path.step(depth)].nested;
    }
    return *list;
  }

  void choose(std::size_t at, double price) {
    if (!worth(price)) return;
    if (at == paths_.size()) {
      best_ = price;
      return;
    }
    const auto& [path, node] = paths_[at];
    SiteName from = snapshot_.origin;
    if (!path.is_top()) from = list_of(path.parent()).back().site;
    ShareTarget target{.cut = node->scheme};
    for_each_site(node->is_leaf() ? node->label : node->via, from,
                  records_at(policy_, kRecords, path), target, [&](double cost) {
                    list_of(path).push_back(target);
                    choose(at + 1, price + cost);
                    list_of(path).pop_back();
                  });
  }

  // Every site that fits, over every way that passes no site twice, cheapest first.
  void for_each_site(const std::string& label, const SiteName& from,
                     const sharing::RecordLayout& records, ShareTarget& target, const Next& next) {
    const std::uint64_t bytes = records.lengths({0}, records.count());
    const auto [known, is_new] = ways_.try_emplace({from, label, bytes});
    if (is_new) {
      for (const config::SiteEntry& entry : snapshot_.sites) {
        const bool labelled = entry.name.text() == label ||
                              std::ranges::find(entry.labels, label) != entry.labels.end();
        const bool fits =
            label == "origin" ? entry.name == snapshot_.origin : labelled && entry.name != from;
        Route way = {from};
        if (fits) walk(way, entry.name, bytes, 0, known->second);
      }
      std::ranges::sort(known->second);
    }
    for (const auto& [price, way] : known->second) {
      target.site = way.back();
      target.route = way;
      next(price);
    }
  }

  void walk(Route& way, const SiteName& to, std::uint64_t bytes, double price,
            std::vector<std::pair<double, Route>>& found) {
    if (way.back() == to) {
      found.emplace_back(price, way);
      return;
    }
    for (const EdgeState& edge : snapshot_.edges) {
      if (edge.from != way.back() || std::ranges::find(way, edge.to) != way.end()) continue;
      way.push_back(edge.to);
      walk(way, to, bytes, price + edge_price(edge, bytes), found);
      way.pop_back();
    }
  }

  std::map<std::tuple<SiteName, std::string, std::uint64_t>, std::vector<std::pair<double, Route>>>
      ways_;
  const PolicyNode& policy_;
  const Snapshot& snapshot_;
  std::vector<std::pair<sharing::SharePath, const PolicyNode*>> paths_;
  std::vector<ShareTarget> shares_;
  std::optional<double> best_;
};

// A random connected network; of its sites "v" are two in three and "w" one in two.
Snapshot random_network(std::mt19937& random, unsigned count, unsigned links_each) {
  std::vector<std::pair<std::string, std::vector<std::string>>> sites;
  std::vector<std::pair<std::string, std::string>> links;
  for (unsigned i = 0; i < count; ++i) {
    std::vector<std::string> labels;
    if (random() % 3 != 0) labels.emplace_back("v");
    if (random() % 2 != 0) labels.emplace_back("w");
    sites.emplace_back("s" + std::to_string(i), labels);
    for (unsigned n = 0; n < std::min(i, links_each); ++n) {
      links.emplace_back("s" + std::to_string(random() % i), "s" + std::to_string(i));
    }
  }
  Snapshot snapshot = network(sites, links);
  for (EdgeState& edge : snapshot.edges) edge.residual_bytes = random() % 4'000'000'000U;
  return snapshot;
}

struct Tally {
  std::size_t legal = 0, refused = 0;
};

// As cheap as anything legal; every found plan tells no site anything.
void expect_best(const char* text, const Snapshot& snapshot, Tally& tally) {
  const auto policy = *parse_policy(text);
  const auto plan = plan_placement(policy, snapshot, kRecords);
  const auto expected = BruteForce(policy, snapshot).cheapest();
  ASSERT_EQ(plan.has_value(), expected.has_value()) << text;
  (plan ? tally.legal : tally.refused) += 1;
  if (!plan) return;
  EXPECT_NEAR(plan->price, *expected, 1e-9 * *expected) << text;
  for (const auto& [name, seen] : views_of(plan->shares)) {
    if (name == snapshot.origin) continue;
    EXPECT_FALSE(satisfies(policy, seen)) << text << " at " << name.text();
    EXPECT_TRUE(tells_nothing(policy, seen)) << text << " at " << name.text();
    for (const sharing::SharePath& path : seen) EXPECT_TRUE(may_see(policy, seen, path)) << text;
  }
}

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
  Tally tally;
  for (int round = 0; round < 10; ++round) {
    const Snapshot snapshot = random_network(random, 6, 2);
    for (const char* text : policies) expect_best(text, snapshot, tally);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(tally.legal, 15u);
  EXPECT_GT(tally.refused, 15u);
}

// Small, because brute force tries every way of every share on every level.
TEST(Exposure, ThePlannerFindsDeepTreesAsBruteForceDoes) {
  std::mt19937 random(20261127);
  const char* policies[] = {"2 of (origin, 2 of (v, 2 of (w, w) via v) via v)",
                            "2 of (origin, 2 of (2 of (w, v) via w, v) via v)"};
  Tally tally;
  for (int round = 0; round < 40; ++round) {
    const Snapshot snapshot = random_network(random, 6, 2);
    for (const char* text : policies) expect_best(text, snapshot, tally);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(tally.legal, 2u);
  EXPECT_GT(tally.refused, 5u);
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
}  // namespace warifu::planner
