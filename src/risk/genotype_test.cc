// Genotypes, pileup text, and scores on values worked out by hand.
#include "risk/genotype.h"

#include <gtest/gtest.h>

#include <cmath>

#include "risk/score.h"

namespace warifu::risk {
namespace {

SiteCounts site(const std::string& bases, int quality = 30, int mapping = 60) {
  SiteCounts result{.chromosome = "chr20", .position = 100, .reference = 'A'};
  for (const char base : bases) {
    result.observations.push_back({.base = base,
                                   .base_quality = static_cast<std::uint8_t>(quality),
                                   .mapping_quality = static_cast<std::uint8_t>(mapping)});
  }
  return result;
}

Genotype genotype(const SiteCounts& at) {
  return genotype_of(at, 'G', 'A', {});
}

TEST(GenotypeTest, ThreeGenotypesAreTold) {
  EXPECT_EQ(genotype(site("AAAAAAAAAAAA")).copies, 0);
  EXPECT_EQ(genotype(site("AAAAAAGGGGGG")).copies, 1);
  EXPECT_EQ(genotype(site("GGGGGGGGGGGG")).copies, 2);
  EXPECT_EQ(genotype(site("AAAAAAAAAAAAAAAG")).copies, 0);  // one error
  for (const char* const bases : {"AAAAAAAAAAAA", "AAAAAAGGGGGG", "GGGGGGGGGGGG"}) {
    EXPECT_EQ(genotype(site(bases)).state, GenotypeState::kConfident);
    EXPECT_GE(genotype(site(bases)).confidence, 30);
  }
}

// Ten reads, all A, quality 30: het has 2^-10, hom (1-e)^10; 10 log10(1024) = 30.
TEST(GenotypeTest, ConfidenceIsThePosteriorAsPhred) {
  const Genotype at = genotype(site("AAAAAAAAAA"));
  EXPECT_EQ(at.confidence, 30);
  EXPECT_EQ(genotype(site("AAAAAAAAA")).state, GenotypeState::kLowDepth);
  // One of eleven: an error or a chromosome, nearly as likely.
  EXPECT_EQ(genotype(site("AAAAAAAAAAG")).state, GenotypeState::kLowConfidence);
}

TEST(GenotypeTest, WhatIsNotConfidentIsNotCalled) {
  EXPECT_EQ(genotype(site("")).state, GenotypeState::kNoReads);
  EXPECT_EQ(genotype(site("AAAAAAAAAAAA", 12)).state, GenotypeState::kNoReads);
  EXPECT_EQ(genotype(site("AAAAAAAAAAAA", 30, 19)).state, GenotypeState::kNoReads);
  EXPECT_EQ(genotype(site("TTTTTTTTCCCC")).state, GenotypeState::kOtherAlleles);
  EXPECT_EQ(genotype(site("AAAAAAAAAAGG", 13)).state, GenotypeState::kLowConfidence);
  EXPECT_EQ(genotype(site("NNNNNNNNNNNN")).state, GenotypeState::kNoReads);
}

TEST(PileupTest, EveryLetterOfTheColumnIsRead) {
  const auto sites = parse_pileup(
      "chr20\t100\ta\t8\t^I.,Gg$*+2ACt-1n.<\tIIIIIIII\t]]]]]]]]\nchr20\t101\tC\t0\t*\t*\n", 0);
  ASSERT_TRUE(sites) << sites.error().message;
  ASSERT_EQ(sites->size(), 2U);
  std::string bases;
  for (const Observation& one : sites->front().observations) bases += one.base;
  EXPECT_EQ(bases, "AAGGNTAN");
  EXPECT_TRUE(sites->front().observations[1].is_reverse);
  EXPECT_EQ(sites->front().observations[0].mapping_quality, 60);
  EXPECT_EQ(sites->front().observations[0].base_quality, 40);
  EXPECT_TRUE((*sites)[1].observations.empty());
}

TEST(PileupTest, BadLinesAreNamed) {
  for (const char* const bad : {"chr20\t100\n", "chr20\tx\tA\t1\t.\tI\n", "chr20\t0\tA\t1\t.\tI\n",
                                "chr20\t1\tA\t2\t..\tI\n", "chr20\t1\tA\t1\t+9AC\tI\n",
                                "chr20\t1\tA\t1\t.\tI\t]]\n", "chr20\t1\tAC\t1\t.\tI\n"}) {
    const auto sites = parse_pileup(std::string("20\t5\tA\t1\t.\tI\n") + bad, 60);
    ASSERT_FALSE(sites) << bad;
    EXPECT_NE(sites.error().message.find("line 2"), std::string::npos) << sites.error().message;
  }
}

ScoringFile scoring(const std::string& rows) {
  const std::string text =
      "#pgs_id=PGS9\n#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\tother_allele\t"
      "effect_weight\tis_dominant\tis_recessive\tallelefrequency_effect\n" +
      rows;
  auto file = parse_scoring_file(as_bytes(text), std::nullopt);
  EXPECT_TRUE(file) << file.error().message;
  return *file;
}

TEST(ScoreTest, AdditiveDominantAndRecessiveAddWhatTheyShould) {
  const std::string row = "20\t100\tG\tA\t0.5\t";
  const auto score = [&](const char* kind, const char* bases) {
    return score_of(scoring(row + kind), {site(bases)}, {})->score;
  };
  EXPECT_EQ(score("\t\t0.3\n", "AAAAAAAAAA"), 0);
  EXPECT_EQ(score("\t\t0.3\n", "AAAAAGGGGG"), 0.5);
  EXPECT_EQ(score("\t\t0.3\n", "GGGGGGGGGG"), 1);
  EXPECT_EQ(score("True\tFalse\t0.3\n", "AAAAAGGGGG"), 0.5);
  EXPECT_EQ(score("True\tFalse\t0.3\n", "GGGGGGGGGG"), 0.5);
  EXPECT_EQ(score("False\tTrue\t0.3\n", "AAAAAGGGGG"), 0);
  EXPECT_EQ(score("False\tTrue\t0.3\n", "GGGGGGGGGG"), 0.5);
}

TEST(ScoreTest, ThePopulationFollowsFromFrequencies) {
  const auto report = score_of(scoring("20\t100\tG\tA\t0.5\t\t\t0.3\n"), {site("AAAAAGGGGG")}, {});
  ASSERT_TRUE(report->population);
  EXPECT_NEAR(report->population->mean, 0.3, 1e-12);
  EXPECT_NEAR(report->population->deviation, 0.5 * std::sqrt(2 * 0.3 * 0.7), 1e-12);
}

TEST(ScoreTest, ReadsOfTheOtherStrandAreTurnedOnlyWhereThatIsCertain) {
  const auto turned = score_of(scoring("20\t100\tC\tT\t0.5\t\t\t\n"), {site("AAAAAGGGGG")}, {});
  ASSERT_TRUE(turned) << turned.error().message;
  EXPECT_EQ(turned->flipped, 1U);
  EXPECT_EQ(turned->score, 0.5);
  const auto ambiguous = scoring("20\t100\tA\tT\t0.5\t\t\t\n");
  EXPECT_EQ(ambiguous.ambiguous, 1U);
  EXPECT_EQ(score_of(ambiguous, {site("AAAAAAAAAA")}, {})->ambiguous_used, 1U);
  EXPECT_FALSE(score_of(ambiguous, {site("AAAAAAAAAA")}, {.leave_out_ambiguous = true}));
  EXPECT_FALSE(score_of(ambiguous, {site("CCCCCGGGGG")}, {}));
}

TEST(ScoreTest, NothingIsImputedAndTooLittleIsRefused) {
  const auto file =
      scoring("20\t100\tG\tA\t0.5\t\t\t\n20\t200\tG\tA\t0.25\t\t\t\n\t\tG\tA\t1\t\t\t\n");
  EXPECT_EQ(file.without_position, 1U);
  const auto refused = score_of(file, {site("AAAAAGGGGG")}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_NE(refused.error().message.find("1 of 3 sites"), std::string::npos);
  EXPECT_NE(refused.error().message.find("no_position 1"), std::string::npos);
  const auto part = score_of(file, {site("AAAAAGGGGG")}, {.min_coverage = 0.3});
  ASSERT_TRUE(part);
  EXPECT_EQ(part->score, 0.5);
  EXPECT_EQ(part->lowest, 0.5);
  EXPECT_EQ(part->highest, 3.0);
  EXPECT_EQ(sites_of(file).size(), 2U);
  EXPECT_FALSE(score_of(file, {site("A"), site("A")}, {}));
}

TEST(ScoreTest, AnAlleleThatTheFileDoesNotNameComesFromTheReferenceOrTheReads) {
  const auto file = scoring("20\t100\tG\t\t0.5\t\t\t\n");
  EXPECT_EQ(score_of(file, {site("AAAAAGGGGG")}, {})->score, 0.5);
  SiteCounts effect_is_reference = site("CCCCCGGGGG");
  effect_is_reference.reference = 'G';
  EXPECT_EQ(score_of(file, {effect_is_reference}, {})->score, 0.5);
  effect_is_reference = site("GGGGGGGGGG");
  effect_is_reference.reference = 'N';
  EXPECT_EQ(score_of(file, {effect_is_reference}, {})->score, 1.0);
}

}  // namespace
}  // namespace warifu::risk
