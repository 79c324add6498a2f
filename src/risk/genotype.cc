// Log-likelihoods of three genotypes, summed over the reads.
#include "risk/genotype.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace warifu::risk {
namespace {

constexpr double kMostPhred = 99;

bool counts(const Observation& one, const GenotypeRules& rules) {
  return one.base_quality >= rules.min_base_quality &&
         one.mapping_quality >= rules.min_mapping_quality &&
         std::string_view("ACGT").contains(one.base);
}

double error_of(const Observation& one) {
  const int phred = std::clamp<int>(std::min(one.base_quality, one.mapping_quality), 1, 60);
  return std::pow(10.0, -phred / 10.0);
}

// Probability of the best of the three, and which it is.
void weigh(const std::array<double, 3>& log_likelihood, Genotype& genotype) {
  const auto best = std::ranges::max_element(log_likelihood);
  double others = 0;
  for (auto one = log_likelihood.begin(); one != log_likelihood.end(); ++one) {
    if (one != best) others += std::exp(*one - *best);
  }
  genotype.copies = static_cast<int>(best - log_likelihood.begin());
  const double wrong = others / (1 + others);
  const double phred = wrong > 0 ? -10 * std::log10(wrong) : kMostPhred;
  genotype.confidence = static_cast<std::uint8_t>(std::clamp(phred, 0.0, kMostPhred));
}

}  // namespace

std::string_view state_name(GenotypeState state) {
  switch (state) {
    case GenotypeState::kConfident: return "confident";
    case GenotypeState::kNoReads: return "no_reads";
    case GenotypeState::kLowDepth: return "low_depth";
    case GenotypeState::kLowConfidence: return "low_confidence";
    case GenotypeState::kOtherAlleles: return "other_alleles";
  }
  return "";
}

Genotype genotype_of(const SiteCounts& site, char effect, char other, const GenotypeRules& rules) {
  WARIFU_CHECK(effect != other);
  Genotype genotype;
  std::array<double, 3> log_likelihood{};
  for (const Observation& one : site.observations) {
    if (!counts(one, rules)) continue;
    ++genotype.depth;
    const double error = error_of(one);
    if (one.base != effect && one.base != other) continue;  // the same factor for all three
    const bool is_effect = one.base == effect;
    ++(is_effect ? genotype.effect : genotype.other);
    for (std::size_t copies = 0; copies <= 2; ++copies) {
      const double part = static_cast<double>(is_effect ? copies : 2 - copies) / 2;
      log_likelihood[copies] += std::log(part * (1 - error) + (1 - part) * error / 3);
    }
  }
  if (genotype.depth == 0) return genotype;
  weigh(log_likelihood, genotype);
  const std::uint32_t neither = genotype.depth - genotype.effect - genotype.other;
  genotype.state = neither > rules.most_other * genotype.depth  ? GenotypeState::kOtherAlleles
                   : genotype.depth < rules.min_depth           ? GenotypeState::kLowDepth
                   : genotype.confidence < rules.min_confidence ? GenotypeState::kLowConfidence
                                                                : GenotypeState::kConfident;
  return genotype;
}

std::optional<char> commonest_besides(const SiteCounts& site, char effect,
                                      const GenotypeRules& rules) {
  constexpr std::string_view kBases = "ACGT";
  std::array<std::size_t, 4> seen{};
  for (const Observation& one : site.observations) {
    if (counts(one, rules) && one.base != effect) ++seen[kBases.find(one.base)];
  }
  const auto most = std::ranges::max_element(seen);
  if (*most == 0) return std::nullopt;
  return kBases[static_cast<std::size_t>(most - seen.begin())];
}

char complement(char base) {
  switch (base) {
    case 'A': return 'T';
    case 'C': return 'G';
    case 'G': return 'C';
    case 'T': return 'A';
    default: return 'N';
  }
}

}  // namespace warifu::risk
