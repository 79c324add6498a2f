// Placement: the reference network gives the reference placement, scarce key moves it,
// no plan exposes two shares to one site.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "planner/snapshot_test_support.h"

namespace warifu::planner {
namespace {

Result<PlacementPlan> plan_reference(const Snapshot& snapshot) {
  return plan_placement(*parse_policy(kReferencePolicy), snapshot,
                        sharing::RecordLayout(sharing::Chunking{{kGigabyte}}));
}

TEST(Placement, TheReferenceNetworkGivesTheReferencePlacement) {
  const auto plan = plan_reference(reference_network());
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
  snapshot.edges.push_back(
      {site("tuh"), site("cloud4"), kme::LinkClass::kPreshared, 9 * kGigabyte, 0});
  const auto clouds_of = [](const PlacementPlan& plan) {
    std::set<std::string> clouds;
    for (const auto& nested : plan.shares[2].nested) clouds.insert(nested.site.text());
    return clouds;
  };
  for (auto& edge : snapshot.edges) {
    if (edge.to == site("cloud2") && edge.from == site("tuh")) edge.residual_bytes = kGigabyte;
    if (edge.to == site("cloud2") && edge.from != site("tuh")) edge.residual_bytes = kGigabyte;
  }
  EXPECT_FALSE(clouds_of(*plan_reference(snapshot)).contains("cloud2"));
  for (auto& edge : snapshot.edges) {
    if (edge.to == site("cloud3")) edge.residual_bytes = 0;
    if (edge.to == site("cloud2")) edge.residual_bytes = 9 * kGigabyte;
  }
  EXPECT_FALSE(clouds_of(*plan_reference(snapshot)).contains("cloud3"));
}

TEST(Placement, NoSiteSeesTwoSharesOnTheWay) {
  // lsa can be reached over tuh only: tuh would relay B and hold C.
  Snapshot snapshot = reference_network();
  std::erase_if(snapshot.edges,
                [](const EdgeState& e) { return e.from == site("lsa") || e.to == site("lsa"); });
  snapshot.edges.push_back({site("tuh"), site("lsa"), kme::LinkClass::kQkd, 9 * kGigabyte, 0});
  const auto plan = plan_reference(snapshot);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kRefused);
}

// Links and key of a site are gone; others take their place.
void unlink(Snapshot& snapshot, const char* name) {
  std::erase_if(snapshot.edges,
                [&](const EdgeState& e) { return e.from == site(name) || e.to == site(name); });
}
bool says(const Result<PlacementPlan>& plan, const std::string& why) {
  return !plan && plan.error().code == Code::kRefused &&
         plan.error().message.find(why) != std::string::npos;
}

TEST(Placement, WhatIsSwitchedOffIsPlannedAroundOrTold) {
  Snapshot snapshot = reference_network();
  snapshot.sites.push_back({site("lsb"), 7, {"vault"}});
  link(snapshot, "tommo", "lsb");
  const auto switch_off = [&](const char* from, const char* to) {
    for (EdgeState& edge : snapshot.edges) {
      if (edge.from == site(from) && edge.to == site(to)) edge.carries = false;
    }
  };
  switch_off("lsa", "tommo");  // nothing goes that way in a store
  switch_off("tommo", "lsa");
  const auto plan = plan_reference(snapshot);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->shares[1].site, site("lsb"));
  EXPECT_EQ(plan->reasons.back(), "transport is switched off from tommo to lsa, from lsa to tommo");
  switch_off("tommo", "lsb");
  EXPECT_TRUE(says(plan_reference(snapshot), "transport is switched off from tommo to lsa"));
  EXPECT_TRUE(says(plan_reference(snapshot), "from tommo to lsb"));
}

TEST(Placement, NoShareTravelsThroughTheHolderOfAnEarlierOne) {
  // tuh can be reached over lsa only: lsa holds B already and would relay C.
  Snapshot snapshot = reference_network();
  unlink(snapshot, "tuh");
  for (const char* other : {"lsa", "cloud1", "cloud2", "cloud3"}) link(snapshot, "tuh", other);
  const auto plan = plan_reference(snapshot);
  EXPECT_TRUE(says(plan, "lsa would hold or relay 2 shares")) << plan.error().message;
}

TEST(Placement, NoNestedShareTravelsThroughAHolderOrTheOrigin) {
  // cloud3 can be reached from tuh only over lsa (holds B), tommo (the origin) or another cloud.
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"lsa", "lsa would hold or relay 2 shares"},
      {"tommo", "tommo cut the object"},
      {"cloud1", "cloud1 would hold or relay 2 shares"}};
  for (const auto& [relay, why] : cases) {
    Snapshot snapshot = reference_network();
    unlink(snapshot, "cloud3");
    link(snapshot, relay, "cloud3");
    if (std::string(relay) == "lsa") link(snapshot, "tuh", "lsa");
    const auto plan = plan_reference(snapshot);
    EXPECT_TRUE(says(plan, why)) << relay << ": " << plan.error().message;
  }
}

TEST(Placement, NoNestedShareTravelsThroughTheSource) {
  // The source holds no share here, but a route back over it would meet the whole object again.
  Snapshot snapshot = reference_network();
  snapshot.sites.push_back({site("lsb"), 7, {"vault"}});
  link(snapshot, "tommo", "lsb");
  unlink(snapshot, "cloud3");
  link(snapshot, "tommo", "cloud3");
  const auto plan =
      plan_placement(*parse_policy("2 of (vault, vault, 2 of (cloud, cloud, cloud) via gateway)"),
                     snapshot, sharing::RecordLayout(sharing::Chunking{{kGigabyte}}));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kRefused);
}

TEST(Placement, SaysWhatIsMissing) {
  Snapshot snapshot = reference_network();
  snapshot.free_bytes[site("lsa")] = 10;
  const auto plan = plan_reference(snapshot);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("lsa has no space"), std::string::npos)
      << plan.error().message;
}

TEST(Placement, ADearerWayIsTakenWhenTheCheapOneWouldTellARelayTooMuch) {
  // The cheap way to tuh leads over lsa, which holds B; there is a dearer one over "bypass".
  Snapshot snapshot = reference_network();
  unlink(snapshot, "tuh");
  for (const char* other : {"lsa", "cloud1", "cloud2", "cloud3"}) link(snapshot, "tuh", other);
  snapshot.sites.push_back({site("bypass"), 8, {}});
  link(snapshot, "tommo", "bypass");
  link(snapshot, "bypass", "tuh");
  for (EdgeState& edge : snapshot.edges) {
    if (edge.from == site("bypass") || edge.to == site("bypass")) edge.residual_bytes = 0;
  }
  const auto plan = plan_reference(snapshot);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(route_text(plan->shares[1].route), "tommo > lsa");
  EXPECT_EQ(route_text(plan->shares[2].route), "tommo > bypass > tuh");
}

TEST(Placement, TheFirstShareGivesWayWhenTheSecondHasOnlyOneWay) {
  // x is cheapest over m, but y can be reached over m only.
  Snapshot snapshot;
  snapshot.origin = site("o");
  for (const char* name : {"o", "m", "n", "x", "y"}) snapshot.sites.push_back({site(name), 1, {}});
  for (const auto& [a, b] : {std::pair{"o", "m"}, {"o", "n"}, {"m", "x"}, {"n", "x"}, {"m", "y"}}) {
    link(snapshot, a, b);
  }
  for (EdgeState& edge : snapshot.edges) {
    if (edge.from == site("n") || edge.to == site("n")) edge.residual_bytes = 0;
  }
  const auto plan = plan_placement(*parse_policy("2 of (origin, x, y)"), snapshot,
                                   sharing::RecordLayout(sharing::Chunking{{kGigabyte}}));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(route_text(plan->shares[1].route), "o > n > x");
  EXPECT_EQ(route_text(plan->shares[2].route), "o > m > y");
}

TEST(Placement, OperatorsForbidAndWeighSites) {
  Snapshot snapshot = reference_network();
  snapshot.sites.push_back({site("cloud4"), 7, {"cloud"}});
  link(snapshot, "tuh", "cloud4");
  const auto uses = [&](const char* name) {
    const auto plan = plan_reference(snapshot);
    return std::ranges::any_of(plan->shares[2].nested,
                               [&](const ShareTarget& part) { return part.site == site(name); });
  };
  const auto entry = [&](const char* name) {
    return std::ranges::find(snapshot.sites, site(name), &config::SiteEntry::name);
  };
  ASSERT_FALSE(uses("cloud4"));  // 9 GB of key against 20
  entry("cloud1")->accepts_shares = false;
  EXPECT_TRUE(uses("cloud4"));
  EXPECT_FALSE(uses("cloud1"));
  entry("cloud1")->accepts_shares = true;
  entry("cloud2")->weight = 100;
  EXPECT_TRUE(uses("cloud4"));
  EXPECT_FALSE(uses("cloud2"));
}

TEST(Placement, AdviceNamesTheRunnerUpAndTheHours) {
  Snapshot snapshot = reference_network();
  snapshot.sites.push_back({site("cloud4"), 7, {"cloud"}});
  link(snapshot, "tuh", "cloud4");
  for (EdgeState& edge : snapshot.edges) {
    if (edge.from == site("tommo")) {
      edge.residual_bytes = kGigabyte / 4;
      edge.inflow_bits_per_second = 1e6;
    }
  }
  const auto advice = advise_placement(*parse_policy(kReferencePolicy), snapshot,
                                       sharing::RecordLayout(sharing::Chunking{{kGigabyte}}));
  ASSERT_TRUE(advice) << advice.error().message;
  ASSERT_TRUE(advice->runner_up);
  EXPECT_GE(advice->runner_up->price, advice->plan.price);
  EXPECT_TRUE(std::ranges::any_of(advice->runner_up->shares[2].nested, [](const ShareTarget& part) {
    return part.site == site("cloud4");
  }));
  // 0.75 GB are missing at 1 Mbit/s.
  EXPECT_NEAR(*hours_for_key(advice->plan, snapshot), 0.75 * 8000 / 3600, 0.01);
  for (EdgeState& edge : snapshot.edges) edge.inflow_bits_per_second = 0;
  EXPECT_FALSE(hours_for_key(advice->plan, snapshot));
}

}  // namespace
}  // namespace warifu::planner
