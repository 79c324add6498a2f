// A diploid genotype at a site with two known alleles, from base counts and qualities.
//
// The model, ours and plain: reads are independent draws from two chromosomes. A read whose base
// has error probability e (of its base quality or its mapping quality, whichever is worse) shows
// allele A with
//   P(A | g) = g/2 (1-e) + (1-g/2) e/3      g = 0, 1, 2 copies of A
// and the other allele B with A and B exchanged; any other base has e/3 whatever g is. The three
// genotypes are equally likely beforehand: no population's frequencies enter, nothing is imputed.
// The confidence is the probability of the best genotype given the reads, as a Phred value. At 30 a
// prior of 1.1e-3 for a variant, as bcftools takes, would not turn a call by these likelihoods. (The
// same as in Li, Bioinformatics 2011, eq. 2, for two chromosomes; bcftools weakens the
// weight of many equal errors besides.)
//
// Pure functions, any thread.
#pragma once

#include <optional>

#include "risk/site_counts.h"

namespace warifu::risk {

struct GenotypeRules {
  std::uint8_t min_mapping_quality = 20;
  std::uint8_t min_base_quality = 13;
  std::uint32_t min_depth = 10;      // reads that count
  std::uint8_t min_confidence = 30;  // Phred
  double most_other = 0.2;           // part of the reads that may show neither allele
};

enum class GenotypeState : std::uint8_t {
  kConfident,
  kNoReads,
  kLowDepth,
  kLowConfidence,
  kOtherAlleles,  // the reads show something else than these two alleles
};
[[nodiscard]] std::string_view state_name(GenotypeState state);  // "confident", "no_reads", ...

struct Genotype {
  GenotypeState state = GenotypeState::kNoReads;
  int copies = 0;               // of the effect allele, 0 to 2; meaningful only when confident
  std::uint32_t depth = 0;      // reads that count
  std::uint32_t effect = 0;     // of these, with the effect allele
  std::uint32_t other = 0;      // with the other one
  std::uint8_t confidence = 0;  // Phred, at most 99
};

// `effect` and `other` are A, C, G or T and differ.
[[nodiscard]] Genotype genotype_of(const SiteCounts& site, char effect, char other,
                                   const GenotypeRules& rules);
// The most frequent base besides `effect` among those that count; none when there is none.
[[nodiscard]] std::optional<char> commonest_besides(const SiteCounts& site, char effect,
                                                    const GenotypeRules& rules);
[[nodiscard]] char complement(char base);

}  // namespace warifu::risk
