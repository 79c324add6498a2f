// Ways that do not meet, against trying all of them; and the search that uses them.
#include "planner/disjoint_ways.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

namespace warifu::planner {
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

// The least that `left` more shares cost: each to another site that fits its group, by all ways.
double by_trying(const KeyGraph& graph, const std::vector<double>& prices,
                 std::vector<std::size_t> room, std::vector<Wanted> wanted) {
  const auto group = std::ranges::find_if(wanted, [](const Wanted& one) { return one.count > 0; });
  if (group == wanted.end()) return 0;
  --group->count;
  std::vector<bool> banned(graph.size());
  for (Node node = 0; node < graph.size(); ++node) banned[node] = room[node] == 0;
  double best = KeyGraph::kUnreachable;
  KeyGraph::Way start = {0};
  const std::vector<double> more = group->more;
  walk(graph, prices, banned, start, 0, [&](const KeyGraph::Way& way, double price) {
    price += more[way.back()];
    if (price >= best) return;
    auto less = room;
    for (const Node node : way) less[node] -= node == 0 ? 0 : 1;
    auto others = wanted;
    for (Wanted& one : others) one.more[way.back()] = Wanted::kUnfit;
    best = std::min(best, price + by_trying(graph, prices, less, others));
  });
  return best;
}

TEST(DisjointWays, AreWhatTryingAllWaysFinds) {
  constexpr Node kSites = 6;
  std::mt19937 random(24);
  unsigned found = 0;
  for (int round = 0; round < 400; ++round) {
    const Snapshot snapshot = random_network(random, kSites, 3);
    const KeyGraph graph(snapshot);
    const auto prices = graph.prices(1'000'000'000);
    std::vector<std::size_t> room(kSites, 1);
    for (Node node = 1; node < kSites; ++node)
      room[node] = random() % 8 == 0 ? 0 : 1 + random() % 2;
    room[0] = 1;
    std::vector<Wanted> wanted(1 + random() % 2);
    for (Wanted& one : wanted) {
      one.count = 1 + random() % 2;
      for (Node node = 0; node < kSites; ++node)
        one.more.push_back(random() % 3 == 0 ? Wanted::kUnfit : random() % 1000);
    }
    WayFinder finder(graph, 2);
    (void)finder.find(1, prices, room, wanted);
    const auto ways = finder.find(0, prices, room, wanted);  // whatever was asked before
    const double expected = by_trying(graph, prices, room, wanted);
    ASSERT_EQ(ways.has_value(), expected != KeyGraph::kUnreachable) << "round " << round;
    if (!ways) continue;
    ++found;
    EXPECT_NEAR(ways->price, expected, 1e-9 * expected) << "round " << round;
    double sum = 0;
    std::set<Node> ends;
    for (std::size_t group = 0; group < wanted.size(); ++group) {
      ASSERT_EQ(ways->ways[group].size(), wanted[group].count);
      for (const KeyGraph::Way& way : ways->ways[group]) {
        EXPECT_TRUE(ends.insert(way.back()).second);
        for (const Node node : way) ASSERT_TRUE(node == 0 || room[node]-- > 0) << "round " << round;
        sum += graph.price(way, prices) + wanted[group].more[way.back()];
      }
    }
    EXPECT_NEAR(sum, ways->price, 1e-9 * expected);
  }
  EXPECT_GT(found, 100u);
}

// Everything cheap lies behind one neighbour: the search must not try all of it before it sees that
// the other share needs the dear link.
TEST(DisjointWays, ABottleneckAtTheOriginCostsFewSteps) {
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
}  // namespace warifu::planner
