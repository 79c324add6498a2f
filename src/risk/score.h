// A polygenic score out of what reads say at its sites.
//
// The score is the sum of the weights that the file gives for the copies of each effect allele,
// over the sites whose genotype is confident. Nothing is imputed: a site without a confident
// genotype adds nothing and is counted, and the report says between which values the score of all
// sites lies. Below a part of confident sites no score is given at all.
//
// Pure functions, any thread.
#pragma once

#include <map>
#include <optional>

#include "risk/genotype.h"
#include "risk/scoring_file.h"

namespace warifu::risk {

struct ScoreRules {
  GenotypeRules genotypes;
  double min_coverage = 0.95;  // part of the file's variants that must be confident
  bool leave_out_ambiguous = false;
};

struct ScoredSite {
  std::size_t variant = 0;  // index in the file
  Genotype genotype;
  bool is_flipped = false;  // the reads show the complements of both alleles
  bool is_used = false;
  double adds = 0;
};

// Mean and deviation of the score in the population that the file's allele frequencies come from,
// the variants taken as independent and in Hardy-Weinberg equilibrium: an estimate.
struct PopulationScore {
  double mean = 0;
  double deviation = 0;
};

struct ScoreReport {
  double score = 0;
  std::size_t used = 0;
  std::size_t variants = 0;
  double lowest = 0, highest = 0;  // of the score of all variants, whatever the missing ones are
  std::size_t flipped = 0;
  std::size_t ambiguous_used = 0;
  std::map<std::string, std::size_t> missing;  // "no_position", "low_depth", ...: how many
  double mean_depth = 0;                       // of the used sites
  double mean_confidence = 0;                  // Phred, of the used sites
  std::optional<PopulationScore> population;   // when every used variant has a frequency
  std::vector<ScoredSite> sites;               // in the file's order
  [[nodiscard]] double coverage() const {
    return static_cast<double>(used) / static_cast<double>(variants);
  }
};

// Errors: kRefused when too few sites have a confident genotype (with what is missing);
// kInvalidArgument when a site is there twice.
[[nodiscard]] Result<ScoreReport> score_of(const ScoringFile& file,
                                           const std::vector<SiteCounts>& counts,
                                           const ScoreRules& rules);

// The sites whose base counts a score needs, sorted and distinct: "20<TAB>6699595".
struct Site {
  std::string chromosome;
  std::uint32_t position = 0;
  auto operator<=>(const Site&) const = default;
};
[[nodiscard]] std::vector<Site> sites_of(const ScoringFile& file);
// The same as the texts that `--region` takes, with the score's id as their label:
// "GRCh38:chr20:6699595-6699595=PGS000004"; references named as files of that assembly name them.
[[nodiscard]] std::vector<std::string> region_texts(const ScoringFile& file);

}  // namespace warifu::risk
