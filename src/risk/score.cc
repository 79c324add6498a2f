// Site by site, then the sums.
#include "risk/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace warifu::risk {
namespace {

using CountsBySite = std::map<Site, const SiteCounts*>;

struct Alleles {
  char effect = 'N';
  char other = 'N';
};

// The file's alleles, the other one from the assembly or from the reads where the file does not say
// it.
Alleles alleles_of(const ScoringVariant& variant, const SiteCounts& counts,
                   const GenotypeRules& rules) {
  if (variant.other_allele != 'N') return Alleles{variant.effect_allele, variant.other_allele};
  const char effect = variant.effect_allele;
  if (counts.reference != effect && complement(counts.reference) != 'N') {
    return Alleles{effect, counts.reference};
  }
  const auto seen = commonest_besides(counts, effect, rules);
  // Only the effect allele was seen: any other one will do to say that there are two copies.
  return Alleles{effect, seen.value_or(effect == 'A' ? 'C' : 'A')};
}

// The genotype by the alleles as they stand, or by their complements when only these fit.
void read_site(const ScoringVariant& variant, const SiteCounts& counts, const ScoreRules& rules,
               ScoredSite& site) {
  const Alleles alleles = alleles_of(variant, counts, rules.genotypes);
  site.genotype = genotype_of(counts, alleles.effect, alleles.other, rules.genotypes);
  const bool fits = site.genotype.state != GenotypeState::kOtherAlleles;
  if (fits || variant.is_ambiguous || variant.other_allele == 'N') return;
  const Genotype turned =
      genotype_of(counts, complement(alleles.effect), complement(alleles.other), rules.genotypes);
  if (turned.state != GenotypeState::kConfident) return;
  site.genotype = turned;
  site.is_flipped = true;
}

// Why a variant adds nothing; empty when it does.
std::string missing_reason(const ScoringVariant& variant, const ScoredSite& site,
                           const ScoreRules& rules) {
  if (variant.effect_allele == 'N') return "not_single_base";
  if (!variant.is_usable()) return "no_position";
  if (variant.is_ambiguous && rules.leave_out_ambiguous) return "strand_ambiguous";
  if (site.genotype.state == GenotypeState::kConfident) return "";
  return std::string(state_name(site.genotype.state));
}

std::optional<PopulationScore> population_of(const ScoringFile& file, const ScoreReport& report) {
  PopulationScore population;
  double variance = 0;
  for (const ScoredSite& site : report.sites) {
    if (!site.is_used) continue;
    const ScoringVariant& variant = file.variants[site.variant];
    if (!variant.frequency) return std::nullopt;
    const double p = *variant.frequency, q = 1 - p;
    const auto& w = variant.weights;
    const double mean = q * q * w[0] + 2 * p * q * w[1] + p * p * w[2];
    population.mean += mean;
    variance += q * q * w[0] * w[0] + 2 * p * q * w[1] * w[1] + p * p * w[2] * w[2] - mean * mean;
  }
  population.deviation = std::sqrt(std::max(variance, 0.0));
  return population;
}

std::string reasons_text(const ScoreReport& report) {
  std::string text;
  for (const auto& [reason, many] : report.missing) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", reason, many);
  }
  return text;
}

void add_site(const ScoringVariant& variant, const std::string& missing, ScoredSite& site,
              ScoreReport& report) {
  const auto [least, most] = std::ranges::minmax(variant.weights);
  if (!missing.empty()) {
    ++report.missing[missing];
    report.lowest += least;
    report.highest += most;
    return;
  }
  site.is_used = true;
  site.adds = variant.weights[static_cast<std::size_t>(site.genotype.copies)];
  report.score += site.adds;
  report.lowest += site.adds;
  report.highest += site.adds;
  ++report.used;
  report.flipped += site.is_flipped ? 1 : 0;
  report.ambiguous_used += variant.is_ambiguous ? 1 : 0;
  report.mean_depth += site.genotype.depth;
  report.mean_confidence += site.genotype.confidence;
}

}  // namespace

Result<ScoreReport> score_of(const ScoringFile& file, const std::vector<SiteCounts>& counts,
                             const ScoreRules& rules) {
  CountsBySite by_site;
  for (const SiteCounts& one : counts) {
    const Site site{plain_chromosome(one.chromosome), one.position};
    if (!by_site.emplace(site, &one).second) {
      return fail(Code::kInvalidArgument,
                  fmt::format("the base counts have {}:{} twice", site.chromosome, site.position));
    }
  }
  ScoreReport report;
  report.variants = file.variants.size();
  for (std::size_t at = 0; at < file.variants.size(); ++at) {
    const ScoringVariant& variant = file.variants[at];
    ScoredSite site{.variant = at};
    const auto found = by_site.find(Site{variant.chromosome, variant.position});
    if (variant.is_usable() && found != by_site.end()) {
      read_site(variant, *found->second, rules, site);
    }
    add_site(variant, missing_reason(variant, site, rules), site, report);
    report.sites.push_back(std::move(site));
  }
  if (report.coverage() < rules.min_coverage) {
    return fail(Code::kRefused,
                fmt::format("{} of {} sites ({:.1f} %) have a confident genotype, {:.1f} % are "
                            "needed; missing: {}; no score is given",
                            report.used, report.variants, 100 * report.coverage(),
                            100 * rules.min_coverage, reasons_text(report)));
  }
  if (report.used > 0) {
    report.mean_depth /= static_cast<double>(report.used);
    report.mean_confidence /= static_cast<double>(report.used);
    report.population = population_of(file, report);
  }
  return report;
}

std::vector<Site> sites_of(const ScoringFile& file) {
  std::set<Site> sites;
  for (const ScoringVariant& variant : file.variants) {
    if (variant.is_usable()) sites.insert({variant.chromosome, variant.position});
  }
  return {sites.begin(), sites.end()};
}

std::vector<std::string> region_texts(const ScoringFile& file) {
  std::vector<GeneRegion> places;
  for (const Site& site : sites_of(file)) {
    places.push_back({.symbol = file.header.pgs_id,
                      .chromosome = site.chromosome,
                      .start = site.position,
                      .end = site.position});
  }
  return region_texts(places, file.assembly, file.assembly == Assembly::kGrch38 ? "chr" : "");
}

}  // namespace warifu::risk
