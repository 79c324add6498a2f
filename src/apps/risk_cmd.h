// `warifu risk`: options as values, one function per command (command_options.h).
#pragma once

#include "apps/command_options.h"

namespace warifu::apps {

// On values without a site, or under a consent at one (`grant`).
struct RiskOptions {
  std::string genome, fasta;         // instead of a pileup: a BAM or CRAM, the assembly for it
  std::string score, pileup, build;  // files; which assembly, where the scoring file does not say
  std::string answers, model;        // files; model empty: the built-in one
  std::string svg;                   // file to write
  std::string person, lang = "en";
  std::string grant;              // computed at a site, under this consent
  std::vector<std::string> uses;  // stated to the sites
  bool with_score = false;
  double min_coverage = 0.95;
  std::uint32_t min_depth = 10, mapping_quality = 60;
  int from = 0, to = 0;
  bool sites = false, bare = false, genotypes = false, leave_out_ambiguous = false, fhir = false;
  bool questions = false;
  std::vector<std::string> regions, had;  // of the meter
  bool whole = false;
};
[[nodiscard]] Result<> risk_score(const Common& common, const RiskOptions& options);
[[nodiscard]] Result<> risk_absolute(const Common& common, const RiskOptions& options);
[[nodiscard]] Result<> risk_meter(const Common& common, const RiskOptions& options);
// At a site, under a consent.
[[nodiscard]] Result<> risk_score_at_site(const Common& common, const RiskOptions& options);
[[nodiscard]] Result<> risk_absolute_at_site(const Common& common, const RiskOptions& options);
[[nodiscard]] Result<> risk_fhir(const Common& common, const RiskOptions& options);

}  // namespace warifu::apps
