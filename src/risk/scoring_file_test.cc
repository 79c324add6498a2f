// Scoring files as they are met, written here in their format; hostile ones; every prefix of one.
#include "risk/scoring_file.h"

#include <gtest/gtest.h>

#include "base/gzip.h"
#include "risk/gzip.h"

namespace warifu::risk {
namespace {

const std::string kHead =
    "###PGS CATALOG SCORING FILE - see https://www.pgscatalog.org/downloads/ for more\t\t\t\n"
    "#format_version=2.0\t\t\n##POLYGENIC SCORE (PGS) "
    "INFORMATION\n#pgs_id=PGS999001\n#pgs_name=made\n"
    "#trait_reported=Height\n#genome_build=NR\n#variants_number=3\n#weight_type=beta\n#license="
    "CC0\n"
    "##HARMONIZATION DETAILS\n#HmPOS_build=GRCh38\n#HmPOS_match_chr={\"\"True\"\": null, "
    "\"\"False\"\": null}\n";
const std::string kColumns =
    "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tis_dominant\tis_"
    "recessive\t"
    "locus_name\thm_source\thm_rsID\thm_chr\thm_pos\thm_inferOtherAllele\n";
const std::string kRows =
    "rs1\t20\t5\tG\tA\t0.123\tTrue\tFalse\t\"MYNN, \"\"X\"\"\"\tENSEMBL\trs1\t20\t6699595\t\r\n"
    "rs2\t20\t6\tC\tG\t-1e-2\tFALSE\tFALSE\tL\tENSEMBL\trs2\t20\t7812350\n"
    "rs3\t20\t7\tt\tc\t+0.5\t\t\t\t\t\t\t\t\n";

std::string packed(const std::string& text) {
  return std::string(as_text(gzip(as_bytes(text))));
}

Result<ScoringFile> parse(const std::string& text, std::optional<Assembly> assumed = std::nullopt) {
  return parse_scoring_file(as_bytes(text), assumed);
}

TEST(ScoringFileTest, AHarmonisedFileWithItsOddities) {
  const auto file = parse(kHead + kColumns + kRows);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->header.pgs_id, "PGS999001");
  EXPECT_EQ(file->header.licence, "CC0");
  EXPECT_EQ(file->header.variants, 3U);
  EXPECT_EQ(file->assembly, Assembly::kGrch38);
  ASSERT_EQ(file->variants.size(), 3U);
  EXPECT_EQ(file->variants[0].position, 6699595U);
  EXPECT_EQ(file->variants[0].effect, Effect::kDominant);
  EXPECT_EQ(file->variants[0].weights, (std::array<double, 3>{0, 0.123, 0.123}));
  EXPECT_EQ(file->variants[1].weights[2], -2e-2);
  EXPECT_TRUE(file->variants[1].is_ambiguous);
  EXPECT_EQ(file->variants[2].effect_allele, 'T');
  EXPECT_EQ(file->variants[2].position, 0U);
  EXPECT_EQ(file->without_position, 1U);
  EXPECT_EQ(file->ambiguous, 1U);
}

TEST(ScoringFileTest, GzipIsReadMemberByMember) {
  const auto file = parse(packed(kHead + kColumns) + packed(kRows));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->variants.size(), 3U);
}

TEST(ScoringFileTest, WeightsByDosage) {
  const auto file = parse(
      "#genome_build=hg19\nchr_name\tchr_position\teffect_allele\tother_allele\tdosage_0_weight\t"
      "dosage_1_weight\tdosage_2_weight\t\t\n1\t7.0\tA\tC\t0\t0.1\t-0.4\n");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->assembly, Assembly::kGrch37);
  EXPECT_EQ(file->variants[0].weights, (std::array<double, 3>{0, 0.1, -0.4}));
  EXPECT_EQ(file->variants[0].position, 7U);
}

TEST(ScoringFileTest, HaplotypesDiplotypesAndInteractionsAreRefusedByName) {
  for (const char* const what : {"is_haplotype", "is_diplotype", "is_interaction"}) {
    const auto file =
        parse("#pgs_id=PGS000021\n#genome_build=GRCh37\nchr_name\teffect_allele\teffect_weight\t" +
              std::string(what) + "\n6\tHLA-B*08:01\t0.4\tTRUE\n");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Code::kRefused);
    EXPECT_NE(file.error().message.find(what), std::string::npos);
    EXPECT_NE(file.error().message.find("HLA-B*08:01"), std::string::npos);
    EXPECT_NE(file.error().message.find("line 4"), std::string::npos);
  }
}

TEST(ScoringFileTest, IndelsAndDuplicatesAreCounted) {
  const auto file = parse(
      "#genome_build=GRCh37\nchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
      "1\t5\tAT\tA\t1\n1\t9\tA\tAT\t1\n1\t9\tA\tC\t1\n1\t9\tA\tC\t1\n");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->not_single_base, 2U);
  EXPECT_EQ(file->duplicates, 1U);
}

TEST(ScoringFileTest, TheAssemblyMustBeKnownAndFit) {
  const std::string rest = "chr_name\tchr_position\teffect_allele\teffect_weight\n1\t5\tA\t1\n";
  EXPECT_FALSE(parse("#genome_build=NR\n" + rest));
  EXPECT_EQ(parse("#genome_build=NR\n" + rest, Assembly::kGrch37)->assembly, Assembly::kGrch37);
  EXPECT_FALSE(parse("#genome_build=GRCh38\n" + rest, Assembly::kGrch37));
  EXPECT_FALSE(parse("#genome_build=hg18\n" + rest));
}

TEST(ScoringFileTest, BadRowsAreNamedByTheirLine) {
  const std::string head =
      "#genome_build=GRCh37\nchr_name\tchr_position\teffect_allele\tother_allele\teffect_"
      "weight\tis_dominant\tallelefrequency_effect\n";
  for (const char* const bad :
       {"1\tx\tA\tC\t1\n", "1\t-5\tA\tC\t1\n", "1\t5\t\tC\t1\n", "1\t5\tA\tC\tinf\n",
        "1\t5\tA\tC\t1,5\n", "1\t5\tA\tC\t1.1e9\n", "1\t5\tA\tC\t-1e308\n", "1\t5\tA\tC\t\n",
        "1\t5\tA\tA\t1\n", "1\t5\tA\tC\t1\tmaybe\n", "1\t5\tA\tC\t1\t\t1.5\n", "1\t5\tA\n"}) {
    const auto file = parse(head + "1\t4\tA\tC\t1\n" + bad);
    ASSERT_FALSE(file) << bad;
    EXPECT_NE(file.error().message.find("line 4"), std::string::npos) << file.error().message;
  }
  EXPECT_FALSE(parse(""));
  EXPECT_FALSE(parse("#genome_build=GRCh37\nrsID\teffect_weight\nrs1\t1\n"));
  EXPECT_FALSE(
      parse("#genome_build=GRCh37\neffect_allele\teffect_weight\teffect_weight\nA\t1\t1\n"));
  EXPECT_FALSE(parse(head + std::string(kMaxScoringLine + 1, 'A') + "\n"));
}

// No prefix and no changed byte crashes; what is taken has sane values.
TEST(ScoringFileTest, HostileBytesGiveErrorsAndNothingElse) {
  const std::string good = kHead + kColumns + kRows, zipped = packed(good);
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto file = parse(good.substr(0, size));
    if (file) {
      EXPECT_LE(file->variants.size(), 3U);
    }
  }
  for (std::size_t at = 0; at < zipped.size(); ++at) {
    std::string bent = zipped;
    bent[at] = static_cast<char>(bent[at] ^ 0x55);
    const auto file = parse(bent);
    if (file) {
      EXPECT_LE(file->variants.size(), 3U);
    }
    EXPECT_FALSE(parse(zipped.substr(0, at)));
  }
  const std::string bomb = packed(std::string(1 << 20, 'A'));
  EXPECT_FALSE(unpacked_text(as_bytes(bomb), 1 << 16));
}

}  // namespace
}  // namespace warifu::risk
