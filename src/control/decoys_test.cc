// Decoys: what a holder sees of a consent to one gene is one of several genes that it may be.
#include "control/decoys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "control/region_cuts.h"
#include "risk/genes.h"

namespace warifu::control {
namespace {

constexpr std::int64_t kBases = 60'000'000;  // of each chromosome that the file covers
constexpr std::int64_t kSlice = 50'000;

// A container of 200 kB for each 50 kb of every autosome: like a genome at 30-fold coverage.
genome::Lead genome_lead(const std::string& prefix) {
  genome::Lead lead;
  lead.kind = genome::FileKind::kCram;
  lead.index_kind = genome::IndexKind::kCrai;
  lead.assembly = "GRCh38";
  lead.chunks = 3;
  std::string crai;
  std::uint64_t offset = 1000;
  for (int i = 0; i < 22; ++i) {
    lead.references.push_back({prefix + std::to_string(i + 1), 250'000'000, ""});
    for (std::int64_t start = 0; start < kBases; start += kSlice, offset += 200'000) {
      crai += std::to_string(i) + "\t" + std::to_string(start + 1) + "\t" + std::to_string(kSlice) +
              "\t" + std::to_string(offset) + "\t100\t199000\n";
    }
  }
  lead.file = {offset + 38, 38};
  lead.index.assign(crai.begin(), crai.end());
  return lead;
}

const genome::Lead kLead = genome_lead("chr");
const Bytes kKey(32, 0x33);
const ObjectId kObject{{1, 2, 3}};

Hiding hiding(std::uint32_t decoys) {
  return {decoys, kObject, kKey};
}
consent::Scope gene(const std::string& name) {
  const auto texts = risk::with_genes_resolved({"GRCh38:gene:" + name});
  return *consent::parse_scope(*texts);
}
consent::ChunkRanges chunks(const consent::Scope& scope, std::uint32_t decoys) {
  return find_cuts(kLead, scope, hiding(decoys))->cuts[0].scope.chunks;
}

TEST(Decoys, LookLikeTheRegionAndStandApartFromIt) {
  const consent::Scope brca1 = gene("BRCA1");
  const auto plain = find_cuts(kLead, brca1);
  const auto hidden = find_cuts(kLead, brca1, hiding(7));
  ASSERT_TRUE(hidden) << hidden.error().message;
  const auto& own = plain->cuts[0].scope.chunks;
  const auto& all = hidden->cuts[0].scope.chunks;
  const std::uint64_t each = consent::chunk_count(own);
  for (const consent::ChunkRange& range : own) {
    EXPECT_TRUE(consent::has_chunks(all, range.first, range.count));
    EXPECT_NE(std::ranges::find(all, range), all.end()) << "a decoy touches the region";
  }
  // Seven ranges more, none much longer or shorter: genes of half to twice the length.
  EXPECT_EQ(all.size(), own.size() + 7);
  for (const consent::ChunkRange& range : all) EXPECT_LE(range.count, 2 * each + 2);
  EXPECT_EQ(hidden->cuts[0].cut.bytes(), plain->cuts[0].cut.bytes());  // read, and not given
}

TEST(Decoys, AreTheSameEveryTimeOfOneObjectAndOthersOfAnother) {
  const consent::Scope brca1 = gene("BRCA1");
  EXPECT_EQ(chunks(brca1, 5), chunks(brca1, 5));
  Hiding other = hiding(5);
  other.object = ObjectId{{9}};
  EXPECT_NE(find_cuts(kLead, brca1, other)->cuts[0].scope.chunks, chunks(brca1, 5));
  const Bytes key(32, 0x34);
  other = hiding(5);
  other.key = key;
  EXPECT_NE(find_cuts(kLead, brca1, other)->cuts[0].scope.chunks, chunks(brca1, 5));
  // More of them are those and others: two consents have no less in common than all of the first.
  for (const consent::ChunkRange& range : chunks(brca1, 3)) {
    EXPECT_TRUE(consent::has_chunks(chunks(brca1, 9), range.first, range.count));
  }
}

TEST(Decoys, OfOneRegionAloneAreItsOwn) {
  const auto both = consent::make_scope("GRCh38", [] {
    auto regions = gene("BRCA1").regions;
    const auto more = gene("TP53").regions;
    regions.insert(regions.end(), more.begin(), more.end());
    return regions;
  }());
  const RegionCuts cuts = *find_cuts(kLead, *both, hiding(4));
  ASSERT_EQ(cuts.cuts.size(), 3u);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_GE(cuts.cuts[i].scope.chunks.size(), 5u);
    for (const consent::ChunkRange& range : cuts.cuts[i].scope.chunks) {
      EXPECT_TRUE(consent::has_chunks(cuts.cuts[0].scope.chunks, range.first, range.count));
    }
  }
}

// The most that a holder may conclude: which range is the gene's it has to guess.
TEST(Decoys, TheRegionIsInNoPlaceOfItsOwn) {
  std::map<std::size_t, int> rank;
  int many = 0;
  for (const risk::GeneRegion& one : risk::all_genes(risk::Assembly::kGrch38)) {
    if (one.chromosome.size() > 2 || !std::isdigit(one.chromosome[0]) || one.end > kBases) continue;
    if (++many % 150 != 0) continue;  // a hundred of them
    const consent::Scope scope =
        *consent::make_scope("GRCh38", {{"chr" + one.chromosome, one.start, one.end, one.symbol}});
    const auto own = find_cuts(kLead, scope)->cuts[0].scope.chunks.back();
    auto all = find_cuts(kLead, scope, hiding(3));
    ASSERT_TRUE(all) << one.symbol << ": " << all.error().message;
    const auto& ranges = all->cuts[0].scope.chunks;
    std::vector<consent::ChunkRange> behind_header(ranges.end() - 4, ranges.end());
    std::ranges::sort(behind_header, {}, &consent::ChunkRange::count);
    std::size_t at = 0;
    while (at < 4 && behind_header[at].first != own.first) ++at;
    ++rank[at];
  }
  // By length it is the shortest, longest or between about equally often.
  for (std::size_t at = 0; at < 4; ++at) EXPECT_GT(rank[at], 5) << at;
  EXPECT_EQ(rank[4], 0);
}

TEST(Decoys, GoWithTheGrantAsAVeilAndAnOpening) {
  const consent::Scope brca1 = gene("BRCA1");
  const RegionCuts cuts = *find_cuts(kLead, brca1, hiding(2));
  const consent::Scope allowed = cuts.allowed();
  ASSERT_TRUE(allowed.veil);
  EXPECT_EQ(consent::opened(consent::closed(allowed), cuts.opening())->regions, brca1.regions);
  const auto again = decode_cuts(encode_cuts(cuts));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->allowed(), allowed);
  EXPECT_EQ(again->opening(), cuts.opening());
  EXPECT_TRUE(find_cuts(kLead, brca1)->opening().empty());
  EXPECT_FALSE(find_cuts(kLead, brca1)->allowed().veil);
}

TEST(Decoys, SmallPlacesAndOtherNamesOfChromosomes) {
  const genome::Lead plain = genome_lead("");
  const auto place = *consent::parse_scope(std::vector<std::string>{"GRCh38:17:43044295-43044295"});
  const auto cuts = find_cuts(plain, place, hiding(6));
  ASSERT_TRUE(cuts) << cuts.error().message;
  EXPECT_GE(consent::chunk_count(cuts->cuts[0].scope.chunks), 7u);
}

TEST(Decoys, WhereThereIsNoRoomItIsSaid) {
  genome::Lead small = kLead;
  const std::string line = "0\t1\t50000\t1000\t100\t199000\n";
  small.index.assign(line.begin(), line.end());
  const auto place = *consent::parse_scope(std::vector<std::string>{"GRCh38:chr1:100-200"});
  const auto none = find_cuts(small, place, hiding(1));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kInvalidArgument);
  EXPECT_NE(none.error().message.find("no room for 1 decoy "), std::string::npos)
      << none.error().message;
  EXPECT_EQ(find_cuts(kLead, gene("BRCA1"), hiding(17)).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace warifu::control
