// What is known of a score before a use of the consent is taken.
#include <gtest/gtest.h>

#include "scoring/score_desk.h"

namespace warifu::scoring {
namespace {

const std::string kFile =
    "#pgs_id=PGS999\n#genome_build=GRCh38\n"
    "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
    "20\t1000\tA\tG\t0.5\n20\t2000\tA\tT\t0.5\n20\t900000\tC\tT\t0.1\n21\t1500\tC\tT\t0.1\n";

consent::Grant grant_for(std::vector<std::string> regions) {
  consent::Grant grant;
  const auto scope = consent::parse_scope(regions);
  EXPECT_TRUE(scope) << (scope ? "" : scope.error().message);
  if (scope) grant.scope = *scope;
  return grant;
}

ScoreWish wish_with(double coverage) {
  ScoreWish wish;
  wish.file = as_bytes(kFile);
  wish.rules.min_coverage = coverage;
  return wish;
}

TEST(ScorePlan, OnlySitesWithinTheConsentAreRead) {
  const auto plan = plan_score(wish_with(0.5), grant_for({"GRCh38:chr20:1000-2000"}));
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->sites.size(), 2U);
  EXPECT_EQ(plan->sites.back().position, 2000U);
  EXPECT_EQ(plan->outside, 2U);
  EXPECT_EQ(plan->usable, 2U);
  EXPECT_EQ(plan->refusal, "");
}

TEST(ScorePlan, WhatCannotReachTheThresholdIsRefusedBeforehand) {
  const auto plan = plan_score(wish_with(0.95), grant_for({"GRCh38:chr20:1000-2000"}));
  ASSERT_TRUE(plan);
  EXPECT_NE(plan->refusal.find("2 of 4 sites"), std::string::npos) << plan->refusal;
  ScoreWish wish = wish_with(0.5);
  wish.rules.leave_out_ambiguous = true;  // A/T counts no more
  const auto less = plan_score(wish, grant_for({"GRCh38:chr20:1000-2000"}));
  ASSERT_TRUE(less);
  EXPECT_EQ(less->usable, 1U);
  EXPECT_NE(less->refusal, "");
}

TEST(ScorePlan, TheWholeHasAllSites) {
  const auto plan = plan_score(wish_with(0.95), grant_for({}));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->sites.size(), 4U);
  EXPECT_EQ(plan->refusal, "");
}

TEST(ScorePlan, AnotherAssemblyAndTheIndexAloneAreRefused) {
  const auto other = plan_score(wish_with(0.5), grant_for({"GRCh37:20:1-2000"}));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kInvalidArgument);
  consent::Grant index;
  index.scope.chunks = {{0, 2}};
  const auto only_index = plan_score(wish_with(0.5), index);
  ASSERT_FALSE(only_index);
  EXPECT_EQ(only_index.error().code, Code::kRefused);
}

TEST(ScorePlan, ABadFileIsRefusedWithItsLine) {
  ScoreWish wish;
  const std::string bad =
      "#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\t"
      "effect_weight\n20\tx\tA\t0.5\n";
  wish.file = as_bytes(bad);
  const auto plan = plan_score(wish, grant_for({}));
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("line 3"), std::string::npos) << plan.error().message;
}

TEST(Pileup, ItsAnswerIsHeldAgainstTheQuestion) {
  const std::vector<risk::Site> sites = {{"20", 1000}, {"20", 2000}};
  const auto task = pileup_task(sites, {});
  ASSERT_TRUE(task);
  EXPECT_EQ(task->sites.at(1).position, 1999);
  genome::SitePileup read;
  read.reads.push_back(
      {.base = genome::Observation::kG, .base_quality = 30, .mapping_quality = 60});
  EXPECT_FALSE(counts_of(sites, {read}));
  const auto counts = counts_of(sites, {read, {}});
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->at(0).observations.at(0).base, 'G');
  EXPECT_TRUE(counts->at(1).observations.empty());
}

}  // namespace
}  // namespace warifu::scoring
