// Policies and placement: the reference network gives the reference placement, scarce key moves it,
// no plan exposes two shares to one site.
#include <gtest/gtest.h>

#include <set>

#include "control/placement.h"

namespace warifu::control {
namespace {

constexpr std::uint64_t kGigabyte = 1'000'000'000;

SiteName site(const char* name) {
  return *SiteName::parse(name);
}

Snapshot reference_network() {
  Snapshot snapshot;
  snapshot.origin = site("tommo");
  snapshot.sites = {{site("tommo"), 1, {"origin"}},         {site("lsa"), 2, {"vault"}},
                    {site("tuh"), 3, {"gateway", "vault"}}, {site("cloud1"), 4, {"cloud"}},
                    {site("cloud2"), 5, {"cloud"}},         {site("cloud3"), 6, {"cloud"}}};
  const auto link = [&](const char* a, const char* b, kme::LinkClass link_class) {
    snapshot.links.push_back({site(a), site(b), link_class});
    snapshot.edges.push_back({site(a), site(b), link_class, 20 * kGigabyte, 0});
    snapshot.edges.push_back({site(b), site(a), link_class, 20 * kGigabyte, 0});
  };
  link("tommo", "lsa", kme::LinkClass::kQkd);
  link("tommo", "tuh", kme::LinkClass::kQkd);
  for (const char* cloud : {"cloud1", "cloud2", "cloud3"}) {
    link("tuh", cloud, kme::LinkClass::kPreshared);
  }
  link("cloud1", "cloud2", kme::LinkClass::kPreshared);
  link("cloud2", "cloud3", kme::LinkClass::kPreshared);
  link("cloud1", "cloud3", kme::LinkClass::kPreshared);
  return snapshot;
}

const char* kReferencePolicy = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";

TEST(Policy, ParsesAndPrintsTheReference) {
  const auto policy = parse_policy(kReferencePolicy);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->text(), kReferencePolicy);
}

TEST(Policy, MistakesAreToldWithTheirPlace) {
  for (const char* bad : {"", "3 of (a, b, c)", "2 of (a, b)", "2 of (a, b, c, d)", "2 of (a, b, c",
                          "2 of (a, b, c) via d", "2 of (a, b, 2 of (c, d, e))", "2 of (a,,c)",
                          "2 of (origin, origin, c)", "2 of (a, b, c) x",
                          "2 of (a, b, 2 of (c, d, 2 of (e, f, g) via h) via i)"}) {
    const auto policy = parse_policy(bad);
    ASSERT_FALSE(policy) << bad;
    EXPECT_NE(policy.error().message.find("position"), std::string::npos);
  }
}

TEST(Placement, TheReferenceNetworkGivesTheReferencePlacement) {
  const auto plan = plan_placement(*parse_policy(kReferencePolicy), reference_network(), kGigabyte);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->shares[0].site, site("tommo"));
  EXPECT_EQ(plan->shares[1].site, site("lsa"));
  EXPECT_EQ(plan->shares[2].site, site("tuh"));
  std::set<std::string> clouds;
  for (const auto& nested : plan->shares[2].nested) {
    clouds.insert(nested.site.text());
    EXPECT_EQ(nested.route.size(), 2u);
  }
  EXPECT_EQ(clouds, (std::set<std::string>{"cloud1", "cloud2", "cloud3"}));
  EXPECT_EQ(plan->bytes_by_edge.size(), 5u);
}

TEST(Placement, ScarceKeyMovesAShareToAnotherCloud) {
  Snapshot snapshot = reference_network();
  snapshot.sites.push_back({site("cloud4"), 7, {"cloud"}});
  snapshot.links.push_back({site("tuh"), site("cloud4"), kme::LinkClass::kPreshared});
  snapshot.edges.push_back(
      {site("tuh"), site("cloud4"), kme::LinkClass::kPreshared, 9 * kGigabyte, 0});
  const auto clouds_of = [](const PlacementPlan& plan) {
    std::set<std::string> clouds;
    for (const auto& nested : plan.shares[2].nested) clouds.insert(nested.site.text());
    return clouds;
  };
  const auto policy = *parse_policy(kReferencePolicy);
  for (auto& edge : snapshot.edges) {
    if (edge.to == site("cloud2") && edge.from == site("tuh")) edge.residual_bytes = kGigabyte;
    if (edge.to == site("cloud2") && edge.from != site("tuh")) edge.residual_bytes = kGigabyte;
  }
  EXPECT_FALSE(clouds_of(*plan_placement(policy, snapshot, kGigabyte)).contains("cloud2"));
  for (auto& edge : snapshot.edges) {
    if (edge.to == site("cloud3")) edge.residual_bytes = 0;
    if (edge.to == site("cloud2")) edge.residual_bytes = 9 * kGigabyte;
  }
  EXPECT_FALSE(clouds_of(*plan_placement(policy, snapshot, kGigabyte)).contains("cloud3"));
}

TEST(Placement, NoSiteSeesTwoSharesOnTheWay) {
  // lsa can be reached over tuh only: tuh would relay B and hold C.
  Snapshot snapshot = reference_network();
  std::erase_if(snapshot.edges,
                [](const EdgeState& e) { return e.from == site("lsa") || e.to == site("lsa"); });
  std::erase_if(snapshot.links,
                [](const LinkEntry& l) { return l.a == site("lsa") || l.b == site("lsa"); });
  snapshot.links.push_back({site("tuh"), site("lsa"), kme::LinkClass::kQkd});
  snapshot.edges.push_back({site("tuh"), site("lsa"), kme::LinkClass::kQkd, 9 * kGigabyte, 0});
  const auto plan = plan_placement(*parse_policy(kReferencePolicy), snapshot, kGigabyte);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kRefused);
}

TEST(Placement, NoShareTravelsThroughTheHolderOfAnEarlierOne) {
  // tuh can be reached over lsa only: lsa holds B already and would relay C.
  Snapshot snapshot = reference_network();
  std::erase_if(snapshot.edges,
                [](const EdgeState& e) { return e.from == site("tommo") && e.to == site("tuh"); });
  snapshot.edges.push_back({site("lsa"), site("tuh"), kme::LinkClass::kQkd, 9 * kGigabyte, 0});
  const auto plan = plan_placement(*parse_policy(kReferencePolicy), snapshot, kGigabyte);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kRefused);
  EXPECT_NE(plan.error().message.find("avoids the sites of other shares"), std::string::npos)
      << plan.error().message;
}

TEST(Placement, NoNestedShareTravelsThroughAHolderOrTheOrigin) {
  // cloud3 can be reached from tuh only over lsa (holds B), tommo (holds A) or another cloud.
  for (const char* relay : {"lsa", "tommo", "cloud1"}) {
    Snapshot snapshot = reference_network();
    std::erase_if(snapshot.edges, [](const EdgeState& e) { return e.to == site("cloud3"); });
    for (const auto& [from, to] : {std::pair{"tuh", relay}, std::pair{relay, "cloud3"}}) {
      snapshot.edges.push_back({site(from), site(to), kme::LinkClass::kQkd, 9 * kGigabyte, 0});
    }
    const auto plan = plan_placement(*parse_policy(kReferencePolicy), snapshot, kGigabyte);
    ASSERT_FALSE(plan) << relay;
    EXPECT_EQ(plan.error().code, Code::kRefused);
  }
}

TEST(Placement, NoNestedShareTravelsThroughTheSource) {
  // The source holds no share here, but a route back over it would meet the whole object again.
  Snapshot snapshot = reference_network();
  snapshot.sites.push_back({site("lsb"), 7, {"vault"}});
  snapshot.edges.push_back({site("tommo"), site("lsb"), kme::LinkClass::kQkd, 9 * kGigabyte, 0});
  std::erase_if(snapshot.edges, [](const EdgeState& e) { return e.to == site("cloud3"); });
  snapshot.edges.push_back({site("tommo"), site("cloud3"), kme::LinkClass::kQkd, 9 * kGigabyte, 0});
  const auto plan =
      plan_placement(*parse_policy("2 of (vault, vault, 2 of (cloud, cloud, cloud) via gateway)"),
                     snapshot, kGigabyte);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kRefused);
}

TEST(Placement, SaysWhatIsMissing) {
  Snapshot snapshot = reference_network();
  snapshot.free_bytes[site("lsa")] = 10;
  const auto plan = plan_placement(*parse_policy(kReferencePolicy), snapshot, kGigabyte);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("lsa has no space"), std::string::npos)
      << plan.error().message;
}

}  // namespace
}  // namespace warifu::control
