// Parts of a share that stands whole: placed as a store would have placed them, but with what sites
// have seen and hold already.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "planner/exposure.h"
#include "planner/snapshot_test_support.h"

namespace warifu::planner {
namespace {

constexpr const char* kDeepPolicy =
    "2 of (origin, vault, 2 of (cloud, cloud, 2 of (edge, edge, edge) via cloud) via gateway)";

sharing::SharePath path(const std::string& name) {
  return *sharing::SharePath::parse(name);
}

class StandingCutTest : public testing::Test {
 protected:
  StandingCutTest() {
    standing_.share = path("C");
    standing_.holder = site("tuh");
    holds("A", "tommo");
    holds("B", "lsa");
    holds("C", "tuh");
  }
  void holds(const std::string& share, const std::string& at) {
    standing_.resting.push_back({parse_policy(policy_)->find(path(share))->number, site(at)});
    saw(at, share);
  }
  void saw(const std::string& at, const std::string& share) {
    standing_.seen[site(at)].insert(path(share));
  }
  void add_cloud(const std::string& name, std::uint64_t residual = 20 * kGigabyte) {
    snapshot_.sites.push_back(
        {site(name), static_cast<std::uint8_t>(snapshot_.sites.size() + 1), {"cloud"}});
    link(snapshot_, "tuh", name, kme::LinkClass::kPreshared, residual);
  }
  Result<PlacementPlan> plan() {
    return plan_parts(*parse_policy(policy_), snapshot_, records_, standing_);
  }
  // "cloud1 cloud2 cloud3", or why not.
  std::string sites() {
    const auto found = plan();
    if (!found) return found.error().message;
    std::string text;
    for (const ShareTarget& part : found->shares) {
      text += (text.empty() ? "" : " ") + part.site.text();
    }
    return text;
  }
  bool refuses(const std::string& why) {
    const auto found = plan();
    return !found && found.error().code == Code::kRefused &&
           found.error().message.find(why) != std::string::npos;
  }

  std::string policy_ = kReferencePolicy;
  Snapshot snapshot_ = reference_network();
  const sharing::RecordLayout records_{sharing::Chunking{{1'000'000}}};
  StandingCut standing_;
};

TEST_F(StandingCutTest, PartsGoWhereAStoreWouldHaveSentThem) {
  const auto parts = plan();
  ASSERT_TRUE(parts) << parts.error().message;
  const auto whole = plan_placement(*parse_policy(policy_), snapshot_, records_);
  ASSERT_TRUE(whole);
  const std::vector<ShareTarget>& stored = whole->shares[2].nested;
  ASSERT_EQ(parts->shares.size(), stored.size());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    EXPECT_EQ(parts->shares[i].route, stored[i].route);
    const auto edge = std::pair(site("tuh"), stored[i].site);
    EXPECT_EQ(parts->bytes_by_edge.at(edge), whole->bytes_by_edge.at(edge));
    bytes += parts->bytes_by_edge.at(edge);
  }
  EXPECT_GT(bytes, 3'000'000u);
  EXPECT_EQ(parts->bytes_by_edge.size(), 3u);  // nothing of the rest of the object moves
}

TEST_F(StandingCutTest, WhoHasSeenAnotherShareSeesNoPart) {
  add_cloud("cloud4");
  saw("cloud2", "B");
  EXPECT_EQ(sites(), "cloud1 cloud3 cloud4");
  saw("cloud2", "C");  // both of them
  EXPECT_EQ(sites(), "cloud1 cloud3 cloud4");
  standing_.closed = {site("cloud4")};
  EXPECT_TRUE(refuses("too few free sites carry 'cloud'") ||
              refuses("cloud2 has seen another share of the object"));
}

TEST_F(StandingCutTest, WhoHasSeenAPartSeesNoOtherOne) {
  saw("cloud1", "C3");
  saw("cloud2", "C1");
  EXPECT_EQ(sites(), "cloud2 cloud3 cloud1");
  saw("cloud3", "C2");
  EXPECT_EQ(sites(), "cloud2 cloud3 cloud1");
  saw("cloud3", "C1");  // two of them: it may have none
  EXPECT_FALSE(plan());
  add_cloud("cloud4", 1);  // dear
  EXPECT_EQ(sites(), "cloud2 cloud4 cloud1");
  saw("cloud4", "C");  // it relayed the share on its way: one part more tells it nothing
  EXPECT_EQ(sites(), "cloud2 cloud4 cloud1");
}

TEST_F(StandingCutTest, WhoHoldsAShareHoldsNoPart) {
  snapshot_.sites[1].labels.push_back("cloud");  // lsa, with B
  snapshot_.sites[0].labels.push_back("cloud");  // tommo, which cut the object
  link(snapshot_, "tuh", "lsa");
  EXPECT_EQ(sites(), "cloud1 cloud2 cloud3");
  std::erase_if(snapshot_.sites,
                [](const config::SiteEntry& entry) { return entry.name == site("cloud3"); });
  EXPECT_FALSE(plan());
  snapshot_.sites[2].labels.push_back("cloud");  // tuh itself, which is to keep nothing
  EXPECT_FALSE(plan());
}

TEST_F(StandingCutTest, WaysKeepApart) {
  // cloud3 lies behind cloud1.
  std::erase_if(snapshot_.edges, [](const EdgeState& edge) {
    return edge.from == site("cloud3") || edge.to == site("cloud3");
  });
  link(snapshot_, "cloud1", "cloud3");
  EXPECT_FALSE(plan());
  link(snapshot_, "cloud3", "relay");
  link(snapshot_, "relay", "tuh");
  snapshot_.sites.push_back({site("relay"), 7, {}});
  const auto found = plan();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(route_text(found->shares[2].route), "tuh > relay > cloud3");
  saw("relay", "A");
  EXPECT_FALSE(plan());
}

TEST_F(StandingCutTest, OfADeepTreeAllLevelsOrOne) {
  policy_ = kDeepPolicy;
  for (const char* edge : {"edge1", "edge2", "edge3"}) {
    snapshot_.sites.push_back(
        {site(edge), static_cast<std::uint8_t>(snapshot_.sites.size() + 1), {"edge"}});
    for (const char* cloud : {"cloud1", "cloud2", "cloud3"}) link(snapshot_, cloud, edge);
  }
  const auto all = plan();
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->shares.size(), 3u);
  ASSERT_EQ(all->shares[2].nested.size(), 3u);
  for (const ShareTarget& part : all->shares[2].nested) {
    EXPECT_EQ(part.route.front(), all->shares[2].site);
  }
  // Now C3 alone stands whole, at cloud3.
  standing_.resting.pop_back();
  standing_.seen.erase(site("tuh"));
  saw("tuh", "C");
  holds("C1", "cloud1");
  holds("C2", "cloud2");
  holds("C3", "cloud3");
  standing_.share = path("C3");
  standing_.holder = site("cloud3");
  EXPECT_EQ(sites(), "edge1 edge2 edge3");
  saw("edge1", "C2");  // it has touched the cut that made C3
  EXPECT_FALSE(plan());
  standing_.seen[site("edge1")] = {path("C3b")};
  EXPECT_EQ(sites().substr(5, 7), " edge1 ");
}

TEST_F(StandingCutTest, FailureDomainsCountWhatRestsAlready) {
  policy_ = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";
  snapshot_.domains = {{site("lsa"), {"region:north"}},
                       {site("cloud1"), {"region:north"}},
                       {site("cloud2"), {"region:north"}}};
  // With B they would restore the object: B and two parts of C.
  EXPECT_TRUE(refuses("failure domain 'region:north'"));
  add_cloud("cloud4");
  const std::string found = sites();
  EXPECT_TRUE(found == "cloud1 cloud3 cloud4" || found == "cloud2 cloud3 cloud4") << found;
}

TEST_F(StandingCutTest, WhoIsAwayIsTold) {
  standing_.holder = site("kyoto");
  EXPECT_TRUE(refuses("kyoto does not answer"));
}

// Against trying all: every site directly linked to the holder, random things seen before.
TEST_F(StandingCutTest, FindsAPlacementWhereThereIsOne) {
  add_cloud("cloud4");
  add_cloud("cloud5");
  const std::vector<std::string> clouds = {"cloud1", "cloud2", "cloud3", "cloud4", "cloud5"};
  const std::vector<std::string> names = {"A", "B", "C", "C1", "C2", "C3"};
  const auto policy = *parse_policy(policy_);
  const auto before = standing_.seen;
  std::mt19937 random(7);
  int found = 0;
  constexpr int kRounds = 400;
  for (int round = 0; round < kRounds; ++round) {
    standing_.seen = before;
    for (const std::string& cloud : clouds) {
      for (const std::string& name : names) {
        if (random() % 5 == 0) saw(cloud, name);
      }
    }
    // Nothing but what lies below C counts in the cut of C, whoever relayed C itself.
    const auto may = [&](const std::string& cloud, const std::string& part) {
      auto seen = standing_.seen[site(cloud)];
      seen.erase(path("C"));
      return may_touch(policy, standing_.seen[site(cloud)], path("C")) &&
             may_see(policy, seen, path(part));
    };
    bool exists = false;
    for (const std::string& x : clouds) {
      for (const std::string& y : clouds) {
        for (const std::string& z : clouds) {
          if (x == y || y == z || x == z) continue;
          exists = exists || (may(x, "C1") && may(y, "C2") && may(z, "C3"));
        }
      }
    }
    const auto planned = plan();
    EXPECT_EQ(planned.has_value(), exists) << round;
    found += exists ? 1 : 0;
    if (!planned) continue;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(may(planned->shares[i].site.text(), names[3 + i])) << round;
    }
  }
  EXPECT_GT(found, kRounds / 10);
  EXPECT_LT(found, kRounds * 9 / 10);
}

}  // namespace
}  // namespace warifu::planner
