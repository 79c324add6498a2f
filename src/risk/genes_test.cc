// Known places of genes in both builds, names that mislead, and panels.
#include "risk/genes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "risk/panels.h"

namespace warifu::risk {
namespace {

struct Known {
  const char* symbol;
  const char* chromosome;
  std::uint32_t inside_37, inside_38;  // a position that every annotation has within the gene
};

// Positions of well-known variants: rs80357906 (BRCA1), rs80359550 (BRCA2), rs429358 (APOE),
// rs3892097 (CYP2D6), rs28934578 (TP53), rs121908025 (LDLR), rs1799990 (PRNP), rs121913495 (GNAS).
constexpr Known kKnown[] = {
    {"BRCA1", "17", 41209080, 43057063}, {"BRCA2", "13", 32914438, 32340301},
    {"APOE", "19", 45411941, 44908684},  {"CYP2D6", "22", 42524947, 42128945},
    {"TP53", "17", 7578406, 7675088},    {"LDLR", "19", 11224326, 11113650},
    {"PRNP", "20", 4680251, 4699605},    {"GNAS", "20", 57484420, 58909365}};

TEST(GenesTest, KnownGenesAreWhereTheirVariantsAre) {
  for (const Known& known : kKnown) {
    for (const Assembly assembly : {Assembly::kGrch37, Assembly::kGrch38}) {
      const auto regions = resolve(known.symbol, assembly);
      ASSERT_TRUE(regions) << regions.error().message;
      ASSERT_EQ(regions->size(), 1U) << known.symbol;
      const std::uint32_t inside =
          assembly == Assembly::kGrch37 ? known.inside_37 : known.inside_38;
      EXPECT_EQ(regions->front().chromosome, known.chromosome);
      EXPECT_LE(regions->front().start, inside) << known.symbol;
      EXPECT_GE(regions->front().end, inside) << known.symbol;
    }
  }
}

TEST(GenesTest, BothTablesAreWholeAndSayWhereTheyComeFrom) {
  EXPECT_GT(gene_table_info(Assembly::kGrch37).symbols, 21'000U);
  EXPECT_GT(gene_table_info(Assembly::kGrch38).symbols, 30'000U);
  EXPECT_NE(gene_table_info(Assembly::kGrch37).source.find("biovizBase 1.46.0"), std::string::npos);
  EXPECT_NE(gene_table_info(Assembly::kGrch38).source.find("release 110"), std::string::npos);
  EXPECT_FALSE(gene_table_info(Assembly::kGrch38).licence.empty());
}

TEST(GenesTest, ANameMayBeWrittenInEitherCaseOrBeAnAlias) {
  EXPECT_EQ(resolve("brca1", Assembly::kGrch38)->front().symbol, "BRCA1");
  EXPECT_EQ(resolve("HER2", Assembly::kGrch38)->front().symbol, "ERBB2");
  EXPECT_EQ(resolve("her2", Assembly::kGrch37)->front().symbol, "ERBB2");
}

TEST(GenesTest, WhatIsUnknownOrMeansSeveralIsRefused) {
  EXPECT_EQ(resolve("NOGENE1", Assembly::kGrch38).error().code, Code::kNotFound);
  EXPECT_EQ(resolve("", Assembly::kGrch38).error().code, Code::kNotFound);
  const auto several = resolve("P40", Assembly::kGrch38);
  ASSERT_FALSE(several);
  EXPECT_EQ(several.error().code, Code::kInvalidArgument);
  EXPECT_NE(several.error().message.find("several genes"), std::string::npos);
}

std::vector<std::string> symbols_of(const GeneMatches& matches) {
  std::vector<std::string> symbols;
  for (const GeneMatch& one : matches.genes) symbols.push_back(one.regions.front().symbol);
  return symbols;
}

TEST(GenesTest, WhatIsTypedFindsSymbolsFirstAndAliasesAfterThem) {
  const GeneMatches brca = find_genes("brca", Assembly::kGrch38, 20);
  ASSERT_GE(brca.genes.size(), 2U);
  EXPECT_EQ(brca.genes[0].regions.front().symbol, "BRCA1");
  EXPECT_TRUE(brca.genes[0].alias.empty());
  EXPECT_EQ(brca.genes[1].regions.front().symbol, "BRCA2");
  // A symbol that is what was typed comes first, though longer ones begin so too.
  EXPECT_EQ(symbols_of(find_genes("TP53", Assembly::kGrch38, 3)).front(), "TP53");
  const GeneMatches her2 = find_genes("Her2", Assembly::kGrch38, 20);
  const auto by_alias = std::ranges::find(her2.genes, "HER2", &GeneMatch::alias);
  ASSERT_NE(by_alias, her2.genes.end());
  EXPECT_EQ(by_alias->regions.front().symbol, "ERBB2");
}

TEST(GenesTest, ASearchIsBoundedAndNamesNoGeneTwice) {
  const GeneMatches some = find_genes("A", Assembly::kGrch37, 5);
  EXPECT_EQ(some.genes.size(), 5U);
  EXPECT_TRUE(some.has_more);
  EXPECT_TRUE(find_genes("", Assembly::kGrch38, 5).genes.empty());
  EXPECT_TRUE(find_genes("no such gene", Assembly::kGrch38, 5).genes.empty());
  EXPECT_TRUE(find_genes("A", Assembly::kGrch38, 0).genes.empty());
  const GeneMatches all = find_genes("P", Assembly::kGrch38, 100'000);
  EXPECT_FALSE(all.has_more);
  auto symbols = symbols_of(all);
  std::ranges::sort(symbols);
  EXPECT_TRUE(std::ranges::adjacent_find(symbols) == symbols.end());
}

TEST(GenesTest, GenesBecomeRegionsOfAConsent) {
  const auto texts = with_genes_resolved({"gene:BRCA2", "GRCh38:chr1:5-9=x", "GRCh37:gene:TP53"});
  ASSERT_TRUE(texts) << texts.error().message;
  EXPECT_EQ(*texts,
            (std::vector<std::string>{"GRCh38:chr13:32315086-32400268=BRCA2", "GRCh38:chr1:5-9=x",
                                      "GRCh37:17:7571720-7590863=TP53"}));
  EXPECT_EQ(with_genes_resolved({"hg19:gene:BRCA1,TP53"})->size(), 2U);
  EXPECT_EQ(with_genes_resolved({"gene:"}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(with_genes_resolved({"T2T:gene:BRCA1"}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(with_genes_resolved({"gene:NOGENE1"}).error().code, Code::kNotFound);
}

TEST(GenesTest, PanelsComeFromAFile) {
  const auto panels = parse_panels("# own\n[breast]\nBRCA1, BRCA2\nTP53\n\n[lipids]\nLDLR\n");
  ASSERT_TRUE(panels);
  ASSERT_EQ(panels->size(), 2U);
  EXPECT_EQ(resolve_panel(*panels, "breast", Assembly::kGrch38)->size(), 3U);
  EXPECT_EQ(resolve_panel(*panels, "none", Assembly::kGrch38).error().code, Code::kNotFound);
  const std::string bad = parse_panels("BRCA1\n").error().message;
  EXPECT_NE(bad.find("line 1"), std::string::npos);
  EXPECT_FALSE(parse_panels("[a]\n[a]\n"));
  EXPECT_FALSE(parse_panels("[a\n"));
}

}  // namespace
}  // namespace warifu::risk
