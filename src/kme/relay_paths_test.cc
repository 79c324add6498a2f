// Disjoint paths: as many as there are, never a site twice, the cheapest by residual key; and the
// messages that name them.
#include "kme/relay_paths.h"

#include <gtest/gtest.h>

#include <set>

#include "kme/relay_part.h"
#include "kme/relay_test_support.h"
#include "testing/sim_random.h"

namespace warifu::kme {
namespace {

std::vector<std::string> texts(const std::optional<std::vector<RelayPath>>& paths) {
  std::vector<std::string> list;
  if (!paths) return list;
  for (const RelayPath& path : *paths) list.push_back(relay_path_text(path));
  return list;
}

TEST(RelayPathsTest, TheShortestPathMayHaveToGiveWay) {
  // a-x-y-b is shortest, but only a-x-q-b and a-p-y-b are disjoint.
  const auto edges = both_ways({{"a", "x"},
                                {"x", "y"},
                                {"y", "b"},
                                {"a", "p"},
                                {"p", "r"},
                                {"r", "y"},
                                {"x", "q"},
                                {"q", "b"}});
  EXPECT_EQ(texts(disjoint_paths(edges, site_of("a"), site_of("b"), 1, 100)).size(), 1u);
  EXPECT_EQ(texts(disjoint_paths(edges, site_of("a"), site_of("b"), 2, 100)),
            (std::vector<std::string>{"a > p > r > y > b", "a > x > q > b"}));
  EXPECT_FALSE(disjoint_paths(edges, site_of("a"), site_of("b"), 3, 100));
}

TEST(RelayPathsTest, ASiteThatEverybodyPassesAllowsOnePath) {
  const auto edges =
      both_ways({{"a", "x"}, {"a", "y"}, {"x", "m"}, {"y", "m"}, {"m", "p"}, {"p", "b"}});
  EXPECT_TRUE(disjoint_paths(edges, site_of("a"), site_of("b"), 1, 100));
  EXPECT_FALSE(disjoint_paths(edges, site_of("a"), site_of("b"), 2, 100));
  EXPECT_FALSE(disjoint_paths(edges, site_of("a"), site_of("elsewhere"), 1, 100));
}

TEST(RelayPathsTest, ScarceKeyIsDearAndTooLittleIsNoWay) {
  auto edges = both_ways({{"a", "x"}, {"x", "b"}, {"a", "y"}, {"y", "b"}});
  for (RelayEdge& edge : edges) {
    edge.residual_bytes = edge.from == site_of("x") || edge.to == site_of("x") ? 150 : 1'000;
  }
  EXPECT_EQ(texts(disjoint_paths(edges, site_of("a"), site_of("b"), 1, 100)),
            (std::vector<std::string>{"a > y > b"}));
  EXPECT_TRUE(disjoint_paths(edges, site_of("a"), site_of("b"), 2, 100));
  EXPECT_FALSE(disjoint_paths(edges, site_of("a"), site_of("b"), 2, 200));
}

TEST(RelayPathsTest, TheLinkOfTheTwoEndsIsNoRelay) {
  const auto edges = both_ways({{"a", "b"}, {"a", "x"}, {"x", "b"}});
  EXPECT_EQ(texts(disjoint_paths(edges, site_of("a"), site_of("b"), 1, 100)),
            (std::vector<std::string>{"a > x > b"}));
}

// The largest number of disjoint paths by trying every set of relays that separates the two ends
// (Menger), over small graphs.
std::size_t smallest_cut(const std::vector<RelayEdge>& edges, std::size_t sites) {
  std::size_t least = sites;
  for (unsigned cut = 0; cut < (1U << sites); ++cut) {
    if (static_cast<std::size_t>(__builtin_popcount(cut)) >= least) continue;
    std::set<SiteName> reached = {site_of("a")};
    const auto gone = [&](const SiteName& site) {
      return site.text()[0] == 's' &&
             ((cut >> static_cast<unsigned>(std::stoi(site.text().substr(1)))) & 1U) != 0;
    };
    for (bool more = true; more;) {
      more = false;
      for (const RelayEdge& edge : edges) {
        if (reached.contains(edge.from) && !gone(edge.to)) more |= reached.insert(edge.to).second;
      }
    }
    if (!reached.contains(site_of("b"))) {
      least = std::min(least, static_cast<std::size_t>(__builtin_popcount(cut)));
    }
  }
  return least;
}

TEST(RelayPathsTest, RandomGraphsHaveAsManyPathsAsTheirSmallestCut) {
  sim::Dice dice(7);
  int met = 0;
  for (int round = 0; round < 300; ++round) {
    const std::size_t sites = dice.between(1, 6);
    std::vector<std::string> names = {"a", "b"};
    for (std::size_t i = 0; i < sites; ++i) names.push_back("s" + std::to_string(i));
    std::vector<RelayEdge> edges;
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (std::size_t j = 0; j < names.size(); ++j) {
        if (i == j || (i < 2 && j < 2) || !dice.one_in(2)) continue;
        edges.push_back({site_of(names[i]), site_of(names[j]), dice.between(100, 1000), 0});
      }
    }
    const std::size_t most = smallest_cut(edges, sites);
    for (unsigned count = 1; count <= kMaxRelayPaths; ++count) {
      const auto paths = disjoint_paths(edges, site_of("a"), site_of("b"), count, 100);
      ASSERT_EQ(paths.has_value(), count <= most) << "round " << round;
      if (!paths) continue;
      ++met;
      EXPECT_EQ(paths->size(), count);
      EXPECT_TRUE(are_disjoint(*paths, site_of("a"), site_of("b")));
    }
  }
  EXPECT_GT(met, 100);
}

TEST(RelayPartTest, HeadsAndVerdictsComeBackAndBentOnesAreRefused) {
  const PartHead head{.transfer = TransferId::from_view(Bytes(16, 9)),
                      .part = 1,
                      .parts = 2,
                      .path = {site_of("a"), site_of("x"), site_of("b")}};
  const Bytes bytes = encode(head);
  const auto back = decode_part_head(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, head);
  EXPECT_EQ(*place_on(back->path, site_of("x")), 1u);
  EXPECT_EQ(place_on(back->path, site_of("y")).error().code, Code::kRefused);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode_part_head(ByteView(bytes).first(cut))) << cut;
  }
  const auto refused = [&](auto change) {
    PartHead bent = head;
    change(bent);
    return !decode_part_head(encode(bent));
  };
  EXPECT_TRUE(refused([](PartHead& h) { h.part = 2; }));
  EXPECT_TRUE(refused([](PartHead& h) { h.parts = 0; }));
  EXPECT_TRUE(refused([](PartHead& h) { h.parts = kMaxRelayPaths + 1; }));
  EXPECT_TRUE(refused([](PartHead& h) { h.bytes = 1; }));
  EXPECT_TRUE(refused([](PartHead& h) { h.path.erase(h.path.begin() + 1); }));
  EXPECT_TRUE(refused([](PartHead& h) { h.path[1] = h.path[0]; }));
  EXPECT_TRUE(refused([](PartHead& h) { h.path[2] = h.path[0]; }));
  EXPECT_TRUE(refused([](PartHead& h) { h.path.resize(kMaxRelayPath + 1, site_of("z")); }));

  const Bytes letter = encode(RelayLetter{head.path, 100, Bytes(40, 7)});
  const auto told = decode_relay_letter(letter);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->path, head.path);
  EXPECT_EQ(told->method, 100);
  EXPECT_EQ(told->body, Bytes(40, 7));
  for (std::size_t cut = 0; cut < letter.size(); ++cut) {
    EXPECT_FALSE(decode_relay_letter(ByteView(letter).first(cut))) << cut;
  }
  EXPECT_FALSE(decode_relay_letter(encode(RelayLetter{{site_of("a"), site_of("b")}, 100, {}})));

  const auto verdict =
      decode_part_verdict(encode(PartVerdict{.accepted = false, .at = 3, .why = "too little"}));
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->accepted);
  EXPECT_EQ(verdict->at, 3);
  EXPECT_EQ(verdict->why, "too little");
  EXPECT_FALSE(decode_part_verdict(Bytes{2, 0, 0, 0}));
}

}  // namespace
}  // namespace warifu::kme
