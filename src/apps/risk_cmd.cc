// `warifu risk score|absolute|meter`: files in, numbers with their limits out. No site takes part.
#include "apps/risk_cmd.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/risk_json.h"
#include "apps/output.h"
#include "apps/region_words.h"
#include "consent/scope.h"
#include "os/system.h"
#include "risk/curve.h"
#include "scoring/genome_counts.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
constexpr std::size_t kMostPileupBytes = 512U << 20;

void print_limits(const std::vector<std::string>& limits) {
  for (const std::string& one : limits) fmt::print("- {}\n", one);
}

Result<risk::ScoringFile> scoring_of(const RiskOptions& options) {
  std::optional<risk::Assembly> assumed;
  if (!options.build.empty()) {
    TRY_ASSIGN(assumed, risk::parse_assembly(options.build));
  }
  TRY_ASSIGN(const Bytes bytes,
             os::read_file(os::real_files(), options.score, risk::kMaxScoringBytes));
  auto file = risk::parse_scoring_file(bytes, assumed);
  if (!file) return fail_in("'" + options.score + "'", file.error());
  return file;
}

Result<std::vector<risk::SiteCounts>> counts_of(const RiskOptions& options,
                                                const risk::ScoringFile& file,
                                                const risk::GenotypeRules& rules) {
  if (options.pileup.empty() == options.genome.empty()) {
    return fail(Code::kInvalidArgument,
                "say where the base counts come from: --genome or --pileup (for these sites: "
                "--sites)");
  }
  if (!options.genome.empty()) {
    return scoring::counts_from_genome({options.genome, options.fasta}, file.assembly,
                                       risk::sites_of(file), rules);
  }
  TRY_ASSIGN(const Bytes bytes, os::read_file(os::real_files(), options.pileup, kMostPileupBytes));
  auto counts =
      risk::parse_pileup(as_text(bytes), static_cast<std::uint8_t>(options.mapping_quality));
  if (!counts) return fail_in("'" + options.pileup + "'", counts.error());
  return counts;
}

Result<risk::ScoreReport> report_of(const RiskOptions& options, const risk::ScoringFile& file) {
  risk::ScoreRules rules{.min_coverage = options.min_coverage,
                         .leave_out_ambiguous = options.leave_out_ambiguous};
  rules.genotypes.min_depth = options.min_depth;
  TRY_ASSIGN(const auto counts, counts_of(options, file, rules.genotypes));
  return risk::score_of(file, counts, rules);
}

Result<api::FhirSubject> subject_of(const RiskOptions& options) {
  if (options.person.empty()) {
    return fail(Code::kInvalidArgument, "--fhir needs --person, whom the document is about");
  }
  return api::FhirSubject{options.person, os::utc_text(os::real_clock().now())};
}

void print_sites(const risk::ScoringFile& file, const RiskOptions& options) {
  for (const risk::Site& site : risk::sites_of(file)) {
    const bool is_mitochondrion = site.chromosome == "MT" && !options.bare;
    fmt::print("{}{}\t{}\n", options.bare ? "" : "chr", is_mitochondrion ? "M" : site.chromosome,
               site.position);
  }
}

void print_score(const risk::ScoringFile& file, const risk::ScoreReport& report,
                 risk::Language language) {
  fmt::print("{} {}: {:.6g}\n", file.header.pgs_id, file.header.trait, report.score);
  fmt::print("{} of {} sites confident ({:.1f} %), mean depth {:.1f}, confidence {:.0f}\n",
             report.used, report.variants, 100 * report.coverage(), report.mean_depth,
             report.mean_confidence);
  for (const auto& [reason, many] : report.missing) fmt::print("  {}: {}\n", reason, many);
  if (report.population && report.population->deviation > 0) {
    fmt::print("population (the file's allele frequencies): mean {:.6g}, deviation {:.6g}\n",
               report.population->mean, report.population->deviation);
  }
  print_limits(risk::score_limits(file, report, language));
}

Result<risk::RiskModel> model_of(const RiskOptions& options) {
  if (options.model.empty()) return risk::breast_model();
  TRY_ASSIGN(const Bytes bytes,
             os::read_file(os::real_files(), options.model, risk::kMaxModelBytes));
  auto model = risk::parse_model(bytes);
  if (!model) return fail_in("'" + options.model + "'", model.error());
  return model;
}

void print_questions(const Common& common, const risk::RiskModel& model, risk::Language language) {
  const json::object document = api::questions_json(model, language);
  if (common.json) return print_json(document);
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : document.at("questions").as_array()) {
    std::string levels;
    for (const json::value& level : one.at("levels").as_array()) {
      levels += (levels.empty() ? "" : ", ") + std::string(level.as_string());
    }
    if (levels.empty()) {
      levels = fmt::format("{} to {}", one.at("least").as_double(), one.at("most").as_double());
    }
    rows.push_back({text_of(one, "name"),
                    fmt::format("{}-{}", one.at("from").as_int64(), one.at("to").as_int64()),
                    levels, text_of(one, language == risk::Language::kJapanese ? "ja" : "en")});
  }
  print_table({"NAME", "AGES", "ANSWERS", "QUESTION"}, rows);
}

// The score's part, when there is one. Without the population's mean a score cannot be placed.
Result<std::optional<risk::GeneticTerm>> genetic_of(const RiskOptions& options) {
  if (options.score.empty()) return std::optional<risk::GeneticTerm>();
  TRY_ASSIGN(const risk::ScoringFile file, scoring_of(options));
  TRY_ASSIGN(const risk::ScoreReport report, report_of(options, file));
  const auto term = risk::genetic_term(report);
  if (!term) return fail_in("'" + options.score + "'", term.error());
  return std::optional(*term);
}

Result<> write_curve(const RiskOptions& options, const risk::RiskModel& model,
                     const risk::AbsoluteRisk& result, risk::Language language) {
  if (options.svg.empty()) return {};
  const auto text = risk::curve_text(model, !options.score.empty(), language);
  return os::replace_file(os::real_files(), options.svg,
                          as_bytes(risk::curve_svg(result.curve, text)));
}

Result<risk::Granted> granted_of(const std::vector<std::string>& texts) {
  TRY_ASSIGN(const auto resolved, regions_in_words(texts));
  risk::Granted granted;
  for (const std::string& text : resolved) {
    TRY_ASSIGN(const consent::Scope scope, consent::parse_scope(std::span(&text, 1)));
    for (const consent::Region& one : scope.regions) {
      granted.regions.push_back({scope.assembly, one.reference, one.start, one.end});
    }
  }
  return granted;
}

}  // namespace

Result<> risk_score(const Common& common, const RiskOptions& options) {
  if (!options.grant.empty()) return risk_score_at_site(common, options);
  TRY_ASSIGN(const risk::Language language, risk::parse_language(options.lang));
  TRY_ASSIGN(const risk::ScoringFile file, scoring_of(options));
  if (options.sites) {
    print_sites(file, options);
    return {};
  }
  TRY_ASSIGN(const risk::ScoreReport report, report_of(options, file));
  if (options.fhir) {
    TRY_ASSIGN(const api::FhirSubject subject, subject_of(options));
    print_json(api::fhir_score(file, report, subject, language));
  } else if (common.json) {
    print_json(api::score_json(file, report, language, options.genotypes));
  } else {
    print_score(file, report, language);
  }
  return {};
}

Result<> risk_absolute(const Common& common, const RiskOptions& options) {
  TRY_ASSIGN(const risk::Language language, risk::parse_language(options.lang));
  TRY_ASSIGN(const risk::RiskModel model, model_of(options));
  if (options.questions) {
    print_questions(common, model, language);
    return {};
  }
  if (options.answers.empty()) {
    return fail(Code::kInvalidArgument,
                "--answers must name the answers; what is asked: --questions");
  }
  if (!options.grant.empty()) return risk_absolute_at_site(common, options);
  TRY_ASSIGN(const Bytes bytes,
             os::read_file(os::real_files(), options.answers, risk::kMaxModelBytes));
  auto answers = risk::parse_answers(bytes);
  if (!answers) return fail_in("'" + options.answers + "'", answers.error());
  TRY_ASSIGN(const auto genetic, genetic_of(options));
  TRY_ASSIGN(const risk::AbsoluteRisk result,
             risk::absolute_risk(model, *answers, options.from, options.to, genetic));
  TRY(write_curve(options, model, result, language));
  const bool has_score = genetic.has_value();
  if (options.fhir) {
    TRY_ASSIGN(const api::FhirSubject subject, subject_of(options));
    print_json(api::fhir_risk(model, result, has_score, subject, language));
  } else if (common.json) {
    print_json(api::absolute_json(model, result, has_score, language));
  } else {
    fmt::print("{} from {} to {}: {:.3g} %, population {:.3g} %\n",
               language == risk::Language::kJapanese ? model.disease_ja : model.disease_en,
               result.from, result.to, 100 * result.person, 100 * result.population);
    print_limits(risk::absolute_limits(model, has_score, language));
  }
  return {};
}

Result<> risk_meter(const Common& common, const RiskOptions& options) {
  TRY_ASSIGN(const risk::Language language, risk::parse_language(options.lang));
  TRY_ASSIGN(const risk::Granted past, granted_of(options.had));
  TRY_ASSIGN(risk::Granted asked, granted_of(options.regions));
  asked.whole = options.whole;
  if (!options.score.empty()) {
    TRY_ASSIGN(const risk::ScoringFile file, scoring_of(options));
    for (const risk::Site& site : risk::sites_of(file)) {
      asked.regions.push_back({std::string(risk::assembly_name(file.assembly)), site.chromosome,
                               site.position, site.position});
    }
  }
  if (asked.regions.empty() && !asked.whole) {
    return fail(Code::kInvalidArgument, "say what is granted: --region, --score or --whole");
  }
  const risk::MeterReading reading = risk::read_meter(past, asked);
  if (common.json) {
    print_json(api::meter_json(reading, language));
  } else {
    fmt::print("{}\n", risk::meter_text(reading, language));
  }
  return {};
}

}  // namespace warifu::apps
