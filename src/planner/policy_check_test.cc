// Policies against a configured network: what makes sense, what does not and what is said of it.
#include "planner/policy_check.h"

#include <gtest/gtest.h>

#include "planner/snapshot_test_support.h"

namespace warifu::planner {
namespace {

// The reference network; its vaults stand in the region of the origin, its clouds do not.
config::SiteConfig reference_config() {
  const Snapshot snapshot = reference_network();
  config::SiteConfig config;
  config.name = config.controller = snapshot.origin;
  config.sites = snapshot.sites;
  for (config::SiteEntry& site : config.sites) {
    site.region = site.name.text().starts_with("cloud") ? "kansai" : "tohoku";
  }
  for (const EdgeState& edge : snapshot.edges) {
    if (config::find_link(config.links, edge.from, edge.to) == nullptr) {
      config.links.push_back({edge.from, edge.to});
    }
  }
  return config;
}

config::SiteConfig without_regions() {
  config::SiteConfig config = reference_config();
  for (config::SiteEntry& site : config.sites) site.region.clear();
  return config;
}

Result<PolicyReport> check(const std::string& text, const config::SiteConfig& config) {
  TRY_ASSIGN(const PolicyNode policy, parse_policy(text));
  return check_policy(policy, config);
}

TEST(PolicyCheck, WhatMakesSense) {
  const config::SiteConfig config = without_regions();
  for (const char* good :
       {kReferencePolicy, "3 of (origin, lsa, tuh, cloud1)", "2 of (origin, lsa, cloud)",
        "2 of (2 of (cloud, cloud) via tuh, origin, lsa)",
        "2 of (origin, lsa, 3 of (cloud, cloud, cloud) via tuh)"}) {
    const auto report = check(good, config);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->may_be_lost, 1u) << good;
    EXPECT_TRUE(report->warnings.empty()) << good;
  }
  EXPECT_EQ(check("fragile 2 of (origin, lsa)", config)->may_be_lost, 0u);
  EXPECT_EQ(check("3 of (origin, lsa, tuh, cloud1)", config)->must_collude, 3u);
}

TEST(PolicyCheck, WhatDoesNotIsToldWithShareAndReason) {
  const std::pair<const char*, const char*> cases[] = {
      {"2 of (origin, lsa)",
       "policy '2 of (origin, lsa)': without the site of share A ('origin') there are 1 of 2 "
       "shares, "
       "and 2 are needed; if that is meant, write 'fragile 2 of (origin, lsa)'"},
      {"3 of (origin, lsa, tuh)", "without the site of share A ('origin') there are 2 of 3 shares"},
      {"2 of (2 of (cloud, cloud, cloud) via tuh, lsa)",
       "without the site that cuts share A ('tuh', before it has) there are 1 of 2 shares"},
      {"2 of (origin, nobody, lsa)",
       "share B ('nobody'): no site of this network that takes shares is meant by 'nobody'"},
      {"2 of (origin, lsa, 2 of (cloud, other, cloud) via tuh)",
       "share C2 ('other'): no site of this network"},
      {"2 of (origin, lsa, 2 of (cloud, cloud, cloud) via bridge)",
       "share C ('2 of (cloud, cloud, cloud) via bridge'): no site of this network that takes "
       "shares "
       "is meant by 'bridge'"},
      {"2 of (origin, region:same, cloud)", "'region:same' needs a 'region' of tommo"},
      {"2 of (origin, lsa, region:kansai)", "meant by 'region:kansai'"},
      {"2 of (origin, tommo, lsa)", "share B ('tommo'): no site of this network"},
      {"2 of (origin, cloud, cloud, cloud, cloud)", "too few free sites carry 'cloud'"},
      {"2 of (origin, lsa, tuh, cloud1)", "tuh would hold or relay 2 shares"},
  };
  const config::SiteConfig config = without_regions();
  for (const auto& [text, why] : cases) {
    const auto report = check(text, config);
    ASSERT_FALSE(report) << text;
    EXPECT_EQ(report.error().code, Code::kRefused) << text;
    EXPECT_NE(report.error().message.find(why), std::string::npos) << report.error().message;
    EXPECT_NE(report.error().message.find(text), std::string::npos) << report.error().message;
  }
}

TEST(PolicyCheck, ARegionIsAFailureDomain) {
  const config::SiteConfig config = reference_config();
  const auto refused = check(kReferencePolicy, config);  // origin, vault and gateway in one region
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("share B at lsa would lie in failure domain "
                                         "'region:tohoku': its loss would leave 1 of 3 shares"),
            std::string::npos)
      << refused.error().message;
  EXPECT_TRUE(check("3 of (origin, region:same, region:other, region:other, region:kansai)", config)
                  .error()
                  .message.find("region:kansai") != std::string::npos);
}

TEST(PolicyCheck, FragileIsToldAsWarnings) {
  const auto lone = check("fragile 2 of (origin, lsa)", without_regions());
  ASSERT_TRUE(lone) << lone.error().message;
  ASSERT_EQ(lone->warnings.size(), 2u);
  EXPECT_NE(lone->warnings[1].find("without the site of share B ('lsa')"), std::string::npos);
  const auto region = check(std::string("fragile ") + kReferencePolicy, reference_config());
  ASSERT_TRUE(region) << region.error().message;
  ASSERT_EQ(region->warnings.size(), 1u);
  EXPECT_NE(region->warnings[0].find("failure domain 'region:tohoku'"), std::string::npos);
  EXPECT_FALSE(check("fragile 2 of (origin, nobody)", without_regions()));
}

TEST(PolicyCheck, DeepTreesAreJudgedToo) {
  config::SiteConfig config = without_regions();
  config.sites.push_back({site("cloud4"), 7, {"cloud"}});
  config.sites.push_back({site("cloud5"), 8, {"cloud"}});
  for (const char* name : {"cloud4", "cloud5"}) config.links.push_back({site("tuh"), site(name)});
  const char* deep = "2 of (origin, lsa, 2 of (cloud, 2 of (cloud, cloud) via cloud) via tuh)";
  const auto report = check(deep, config);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->nesting, 2u);
  EXPECT_EQ(report->may_be_lost, 1u);
  EXPECT_EQ(report->must_collude, 2u);
  for (config::SiteEntry& each : config.sites) each.failure_domains = {"power:all"};
  const auto refused = check(deep, config);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("failure domain 'power:all'"), std::string::npos)
      << refused.error().message;
}

}  // namespace
}  // namespace warifu::planner
