// Two ways that meet nowhere, against trying all of them; and the search that uses them.
#include "control/disjoint_pair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

namespace warifu::control {
namespace {

using Node = KeyGraph::Node;

SiteName name(unsigned i) {
  return *SiteName::parse("s" + std::to_string(i));
}

Snapshot random_network(std::mt19937& random, unsigned sites, unsigned one_in) {
  Snapshot snapshot;
  snapshot.origin = name(0);
  for (unsigned i = 0; i < sites; ++i) snapshot.sites.push_back({name(i), 1, {}});
  for (unsigned i = 0; i < sites; ++i) {
    for (unsigned j = 0; j < sites; ++j) {
      if (i == j || random() % one_in != 0) continue;
      snapshot.edges.push_back(
          {name(i), name(j), kme::LinkClass::kPreshared, random() % 4'000'000'000U, 0, {}});
    }
  }
  return snapshot;
}

// Every way from `at` that passes no site twice, with its price.
void walk(const KeyGraph& graph, const std::vector<double>& prices, const std::vector<bool>& banned,
          KeyGraph::Way& way, double price,
          const std::function<void(const KeyGraph::Way&, double)>& visit) {
  visit(way, price);
  for (const KeyGraph::Arc& arc : graph.arcs(way.back())) {
    if (banned[arc.to] || std::ranges::find(way, arc.to) != way.end()) continue;
    way.push_back(arc.to);
    walk(graph, prices, banned, way, price + prices[arc.edge], visit);
    way.pop_back();
  }
}

double by_trying(const KeyGraph& graph, const std::vector<double>& prices,
                 const std::vector<bool>& banned, Node first, const std::vector<bool>& second) {
  double best = KeyGraph::kUnreachable;
  KeyGraph::Way one = {0};
  walk(graph, prices, banned, one, 0, [&](const KeyGraph::Way& way, double price) {
    if (way.back() != first) return;
    std::vector<bool> taken = banned;
    for (const Node node : way) taken[node] = true;
    KeyGraph::Way two = {0};
    walk(graph, prices, taken, two, 0, [&](const KeyGraph::Way& other, double more) {
      if (other.size() > 1 && second[other.back()]) best = std::min(best, price + more);
    });
  });
  return best;
}

TEST(DisjointPair, IsWhatTryingAllWaysFinds) {
  std::mt19937 random(24);
  unsigned found = 0;
  for (int round = 0; round < 400; ++round) {
    const Snapshot snapshot = random_network(random, 6, 3);
    const KeyGraph graph(snapshot);
    const auto prices = graph.prices(1'000'000'000);
    std::vector<bool> banned(6), second(6);
    for (Node node = 1; node < 6; ++node) {
      banned[node] = random() % 8 == 0;
      second[node] = random() % 2 == 0;
    }
    const Node first = 1 + static_cast<Node>(random() % 5);
    const auto pair =
        disjoint_pair(graph, graph.grow(0, prices, banned), prices, banned, first, second);
    const double expected =
        banned[first] ? KeyGraph::kUnreachable : by_trying(graph, prices, banned, first, second);
    ASSERT_EQ(pair.has_value(), expected != KeyGraph::kUnreachable) << "round " << round;
    if (!pair) continue;
    ++found;
    EXPECT_NEAR(pair->price, expected, 1e-9 * expected) << "round " << round;
    EXPECT_NEAR(graph.price(pair->first, prices) + graph.price(pair->second, prices), pair->price,
                1e-9 * expected);
    EXPECT_EQ(pair->first.back(), first);
    EXPECT_TRUE(second[pair->second.back()]);
    for (const Node node : pair->second) {
      EXPECT_TRUE(node == 0 || std::ranges::find(pair->first, node) == pair->first.end());
    }
  }
  EXPECT_GT(found, 100u);
}

// Everything cheap lies behind one neighbour: the search must not try all of it before it sees that
// the other share needs the dear link.
TEST(DisjointPair, ABottleneckAtTheOriginCostsFewSteps) {
  Snapshot snapshot;
  snapshot.origin = name(0);
  const auto link = [&](unsigned a, unsigned b, std::uint64_t bytes) {
    for (const auto& [from, to] : {std::pair{a, b}, {b, a}}) {
      snapshot.edges.push_back({name(from), name(to), kme::LinkClass::kPreshared, bytes, 0, {}});
    }
  };
  constexpr unsigned kSites = 50;
  for (unsigned i = 0; i < kSites; ++i) snapshot.sites.push_back({name(i), 1, {"any"}});
  constexpr std::uint64_t kPlenty = 40'000'000'000;
  link(0, 1, kPlenty);
  link(0, 2, 0);  // empty: a hop as dear as two hundred others
  for (unsigned i = 3; i < kSites; ++i) {
    link(i, i == 3 ? 1 : i - 1, kPlenty);
    link(i, i < 9 ? 1 : i - 6, kPlenty);
  }
  const auto plan = plan_placement(*parse_policy("2 of (origin, any, any)"), snapshot,
                                   sharing::RecordLayout(sharing::Chunking{{1'000'000'000}}));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(route_text(plan->shares[1].route), "s0 > s1");
  EXPECT_EQ(route_text(plan->shares[2].route), "s0 > s2");
  for (const std::string& reason : plan->reasons) {
    EXPECT_EQ(reason.find("of the first"), std::string::npos) << reason;
  }
}

}  // namespace
}  // namespace warifu::control
