// Failure domains: the planner and the search without ways against all assignments, and what is
// said about them.
#include "planner/failure_domains.h"

#include <gtest/gtest.h>

#include <random>

#include "config/site_selector.h"
#include "planner/policy_sets_test_support.h"
#include "planner/snapshot_test_support.h"

namespace warifu::planner {
namespace {

const sharing::RecordLayout kRecords(sharing::Chunking{{1'000'000'000}});

// Everybody has a link with everybody: ways never matter.
config::SiteConfig meshed(std::vector<config::SiteEntry> sites) {
  config::SiteConfig config;
  config.name = config.controller = sites.front().name;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) config.links.push_back({sites[j].name, sites[i].name});
  }
  config.sites = std::move(sites);
  return config;
}

config::SiteEntry entry(const std::string& name, std::vector<std::string> labels,
                        std::string region, std::vector<std::string> domains = {}) {
  return {.name = site(name),
          .number = 1,
          .labels = std::move(labels),
          .region = std::move(region),
          .failure_domains = std::move(domains)};
}

// All assignments of different sites to shares, one by one; the rule as it is written.
class BruteForce {
 public:
  BruteForce(const PolicyNode& policy, const config::SiteConfig& config)
      : spelled_(policy), config_(config) {
    list(policy);
    for (const config::SiteEntry& site : config.sites) names_.merge(domains_of(site));
  }

  bool possible() { return place(0); }

  bool legal(const std::vector<Resting>& resting) const {
    return std::ranges::all_of(names_, [&](const std::string& domain) {
      NodeSet inside;
      for (const Resting& share : resting) {
        if (domains_of(*config_.find(share.site)).contains(domain)) inside.set(share.node);
      }
      return spelled_.survives(inside) && spelled_.keeps(inside);
    });
  }

 private:
  void list(const PolicyNode& cut) {
    for (const PolicyNode& child : cut.children) {
      nodes_.push_back(&child);
      list(child);
    }
  }

  bool means(const std::string& selector, const config::SiteEntry& site) const {
    const config::SiteEntry& origin = config_.sites.front();
    if (selector == "origin") return &site == &origin;
    if (&site == &origin) return false;
    const bool known = !site.region.empty() && !origin.region.empty();
    if (selector == "region:same") return known && site.region == origin.region;
    if (selector == "region:other") return known && site.region != origin.region;
    if (selector == "region:" + site.region) return !site.region.empty();
    return selector == site.name.text() || std::ranges::count(site.labels, selector) > 0;
  }

  bool place(std::size_t at) {
    if (at == nodes_.size()) return legal(resting_);
    const std::string& selector = nodes_[at]->is_leaf() ? nodes_[at]->label : nodes_[at]->via;
    for (const config::SiteEntry& site : config_.sites) {
      const bool used = std::ranges::any_of(
          resting_, [&](const Resting& share) { return share.site == site.name; });
      if (used || !means(selector, site)) continue;
      resting_.push_back({nodes_[at]->number, site.name});
      const bool found = place(at + 1);
      resting_.pop_back();
      if (found) return true;
    }
    return false;
  }

  Spelled spelled_;
  const config::SiteConfig& config_;
  std::set<std::string> names_;  // of all failure domains
  std::vector<const PolicyNode*> nodes_;
  std::vector<Resting> resting_;
};

// The more regions are drawn from, the more sites are in none.
config::SiteConfig random_network(std::mt19937& random, int count, unsigned regions_drawn) {
  std::vector<config::SiteEntry> sites;
  const char* regions[] = {"", "north", "south", "west"};
  for (int i = 0; i < count; ++i) {
    std::vector<std::string> labels, domains;
    if (random() % 3 != 0) labels.emplace_back("v");
    if (random() % 2 != 0) labels.emplace_back("w");
    if (random() % 4 == 0) domains.emplace_back("power:a");
    if (random() % 4 == 0) domains.emplace_back("power:b");
    const std::size_t drawn = random() % regions_drawn;
    const char* region = drawn < std::size(regions) ? regions[drawn] : "";
    sites.push_back(entry("s" + std::to_string(i), labels, region, domains));
  }
  return meshed(std::move(sites));
}

TEST(FailureDomains, ThePlannerFindsWhatAllAssignmentsFind) {
  std::mt19937 random(20261126);
  const char* policies[] = {"2 of (origin, v, v)",
                            "2 of (origin, region:other, region:other)",
                            "3 of (origin, v, v, w)",
                            "3 of (origin, region:same, region:other, v, w)",
                            "ramp 3 of (origin, v, w, w)",
                            "2 of (origin, region:north, w)",
                            "2 of (origin, v, 2 of (w, w, w) via v)",
                            "2 of (origin, region:other, 2 of (v, w, w) via region:other)",
                            "3 of (origin, v, w, 2 of (w, w) via v)",
                            "2 of (2 of (v, w) via v, origin, v)"};
  std::size_t possible = 0, refused = 0, by_domain = 0;
  for (int round = 0; round < 15; ++round) {
    const config::SiteConfig config = random_network(random, 7, 4);
    for (const char* text : policies) {
      const PolicyNode policy = *parse_policy(text);
      const auto plan = plan_placement(policy, configured_network(config), kRecords);
      BruteForce reference(policy, config);
      ASSERT_EQ(plan.has_value(), reference.possible())
          << text << " round " << round << " " << (plan ? "" : plan.error().message);
      (plan ? possible : refused) += 1;
      if (plan) {
        EXPECT_TRUE(reference.legal(resting_of(policy, plan->shares))) << text;
      } else if (plan.error().message.find("failure domain") != std::string::npos) {
        ++by_domain;
      }
    }
  }
  EXPECT_GT(possible, 20u);
  EXPECT_GT(refused, 20u);
  EXPECT_GT(by_domain, 10u);
}

TEST(FailureDomains, ThePlannerFindsDeepTreesAsAllAssignmentsDo) {
  std::mt19937 random(20261130);
  const char* policies[] = {"2 of (origin, v, 2 of (w, 2 of (v, w) via v) via w)",
                            "2 of (origin, w, 2 of (v, 2 of (w, w) via v) via v)"};
  std::size_t possible = 0, refused = 0;
  for (int round = 0; round < 10; ++round) {
    const config::SiteConfig config = random_network(random, 9, 12);
    for (const char* text : policies) {
      const PolicyNode policy = *parse_policy(text);
      const auto plan = plan_placement(policy, configured_network(config), kRecords);
      BruteForce reference(policy, config);
      ASSERT_EQ(plan.has_value(), reference.possible())
          << text << " round " << round << " " << (plan ? "" : plan.error().message);
      if (plan) {
        EXPECT_TRUE(reference.legal(resting_of(policy, plan->shares))) << text;
      }
      (plan ? possible : refused) += 1;
    }
  }
  EXPECT_GT(possible, 0u);
  EXPECT_GT(refused, 2u);
}

TEST(FailureDomains, ThePlanTakesADearerSiteAndSaysWhy) {
  Snapshot snapshot = reference_network();
  snapshot.domains[site("tommo")] = {"power:sendai"};
  const PolicyNode policy = *parse_policy("2 of (origin, vault, cloud)");
  const auto free = advise_placement(policy, snapshot, kRecords);
  ASSERT_TRUE(free) << free.error().message;
  EXPECT_EQ(free->plan.shares[1].site, site("lsa"));

  link(snapshot, "tommo", "cloud1");
  snapshot.domains[site("lsa")] = {"power:sendai"};
  const auto moved = advise_placement(policy, snapshot, kRecords);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->plan.shares[1].site, site("tuh"));
  EXPECT_NE(moved->excluded.find("share B at lsa would lie in failure domain 'power:sendai': its "
                                 "loss would leave 1 of 3 shares, and 2 are needed"),
            std::string::npos)
      << moved->excluded;
  EXPECT_EQ(moved->domains.at("power:sendai"), NodeSet(1U << 1U));

  snapshot.domains[site("tuh")] = {"power:sendai"};
  const auto none = plan_placement(policy, snapshot, kRecords);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kRefused);
  const auto fragile =
      plan_placement(*parse_policy("fragile 2 of (origin, vault, cloud)"), snapshot, kRecords);
  ASSERT_TRUE(fragile) << fragile.error().message;
  EXPECT_EQ(fragile->shares[1].site, site("lsa"));
}

TEST(FailureDomains, ADomainThatCouldRestoreAloneIsFull) {
  const PolicyNode policy = *parse_policy("2 of (origin, a, b, c, d)");
  NodeSet two;
  two.set(2).set(3);
  EXPECT_EQ(domain_fault(policy, two), "what lies there would restore the object by itself");
  EXPECT_FALSE(domain_fault(policy, NodeSet(1U << 2U)));
}

TEST(FailureDomains, TheSiteThatCutsCountsWhileItHoldsTheShare) {
  const PolicyNode policy = *parse_policy(kReferencePolicy);
  DomainMap domains;
  domains[site("lsa")] = domains[site("tuh")] = {"power:sendai"};
  const auto clash = check_domains(policy, domains, {{2, site("lsa")}, {3, site("tuh")}});
  ASSERT_FALSE(clash);
  EXPECT_NE(clash.error().message.find("'power:sendai' (lsa, tuh): its loss would leave 1 of 3"),
            std::string::npos)
      << clash.error().message;
  EXPECT_TRUE(check_domains(policy, domains, {{2, site("lsa")}, {4, site("tuh")}}));
  EXPECT_TRUE(check_domains(policy, domains, {{2, site("lsa")}, {3, site("tuh")}}, site("tommo")));
}

TEST(SiteSelector, RegionsAndNames) {
  const config::SiteEntry origin = entry("home", {"origin"}, "north");
  const config::SiteEntry near = entry("near", {"v"}, "north");
  const config::SiteEntry far = entry("far", {"v"}, "south");
  const config::SiteEntry nowhere = entry("nowhere", {"v"}, "");
  config::SiteEntry closed = entry("closed", {"v"}, "south");
  closed.accepts_shares = false;
  const struct {
    const char* selector;
    std::vector<const config::SiteEntry*> meant;
  } cases[] = {
      {"origin", {&origin}},    {"v", {&near, &far, &nowhere}}, {"region:same", {&near}},
      {"region:other", {&far}}, {"region:south", {&far}},       {"region:north", {&origin, &near}},
      {"region:west", {}},      {"closed", {&closed}},          {"nowhere", {&nowhere}}};
  for (const auto& [selector, meant] : cases) {
    for (const config::SiteEntry* one :
         std::vector<const config::SiteEntry*>{&origin, &near, &far, &nowhere, &closed}) {
      EXPECT_EQ(config::may_place(selector, *one, &origin), std::ranges::count(meant, one) > 0)
          << selector << " " << one->name.text();
    }
  }
  EXPECT_FALSE(config::may_place("region:same", near, nullptr));
  EXPECT_FALSE(config::may_place("region:other", far, &nowhere));
}

}  // namespace
}  // namespace warifu::planner
