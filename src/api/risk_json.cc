// Fields one by one.
#include "api/risk_json.h"

#include <fmt/format.h>

#include <cmath>

#include "consent/veil.h"

namespace warifu::api {
namespace {

namespace json = boost::json;
using risk::Language;

constexpr std::uint64_t kPageRows = 200;
constexpr const char* kYears = "a";  // UCUM

json::array limit_texts(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& one : list) array.emplace_back(one);
  return array;
}

json::array notes(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& one : list) array.push_back(json::object{{"text", one}});
  return array;
}

json::object years(int age) {
  return {
      {"value", age}, {"unit", "years"}, {"system", "http://unitsofmeasure.org"}, {"code", kYears}};
}

json::object subject_of(const FhirSubject& subject) {
  const json::object identifier = {{"system", "urn:warifu:person"}, {"value", subject.person_id}};
  return json::object{{"identifier", identifier}};
}

// A list of one.
json::array one_of(json::object object) {
  json::array array;
  array.push_back(std::move(object));
  return array;
}

// Six digits behind the point are more than any of these numbers is worth.
double rounded(double value) {
  return std::round(value * 1e6) / 1e6;
}

json::array sites_json(const risk::ScoringFile& file, const risk::ScoreReport& report) {
  json::array sites;
  for (const risk::ScoredSite& site : report.sites) {
    const risk::ScoringVariant& variant = file.variants[site.variant];
    sites.push_back({{"rs_id", variant.rs_id},
                     {"chromosome", variant.chromosome},
                     {"position", variant.position},
                     {"effect_allele", std::string(1, variant.effect_allele)},
                     {"other_allele", std::string(1, variant.other_allele)},
                     {"state", risk::state_name(site.genotype.state)},
                     {"copies", site.is_used ? json::value(site.genotype.copies) : json::value()},
                     {"depth", site.genotype.depth},
                     {"confidence", site.genotype.confidence},
                     {"flipped", site.is_flipped},
                     {"used", site.is_used},
                     {"adds", site.adds}});
  }
  return sites;
}

risk::Granted granted_by(const consent::Grant& grant) {
  risk::Granted granted{.whole = grant.scope.is_whole()};
  for (const consent::Region& region : grant.scope.regions) {
    granted.regions.push_back({grant.scope.assembly, region.reference, region.start, region.end});
  }
  return granted;
}

}  // namespace

json::object score_json(const risk::ScoringFile& file, const risk::ScoreReport& report,
                        Language language, bool with_sites) {
  json::object missing;
  for (const auto& [reason, many] : report.missing) missing[reason] = many;
  json::object document = {{"kind", "polygenic_score"},
                           {"pgs_id", file.header.pgs_id},
                           {"pgs_name", file.header.pgs_name},
                           {"trait", file.header.trait},
                           {"weight_type", file.header.weight_type},
                           {"citation", file.header.citation},
                           {"licence", file.header.licence},
                           {"assembly", risk::assembly_name(file.assembly)},
                           {"score", report.score},
                           {"lowest", report.lowest},
                           {"highest", report.highest},
                           {"sites", report.variants},
                           {"sites_used", report.used},
                           {"coverage", report.coverage()},
                           {"missing", std::move(missing)},
                           {"imputed", 0},
                           {"flipped", report.flipped},
                           {"strand_ambiguous", file.ambiguous},
                           {"duplicates", file.duplicates},
                           {"mean_depth", report.mean_depth},
                           {"mean_confidence", report.mean_confidence}};
  if (report.population && report.population->deviation > 0) {
    document["population"] = {
        {"mean", report.population->mean},
        {"deviation", report.population->deviation},
        {"z", (report.score - report.population->mean) / report.population->deviation},
        {"basis", "allele frequencies of the scoring file, independent variants"}};
  }
  document["limits"] = limit_texts(risk::score_limits(file, report, language));
  if (with_sites) document["genotypes"] = sites_json(file, report);
  return document;
}

json::object absolute_json(const risk::RiskModel& model, const risk::AbsoluteRisk& result,
                           bool has_score, Language language) {
  json::array curve;
  for (const risk::RiskAtAge& at : result.curve) {
    curve.push_back({{"age", at.age}, {"person", at.person}, {"population", at.population}});
  }
  json::array predictors;
  for (const double one : result.linear_predictors) predictors.emplace_back(one);
  return {{"kind", "absolute_risk"},
          {"model", model.id},
          {"model_name", model.name},
          {"disease", language == Language::kJapanese ? model.disease_ja : model.disease_en},
          {"source", model.source},
          {"licence", model.licence},
          {"reference", model.reference_note},
          {"from", result.from},
          {"to", result.to},
          {"risk", result.person},
          {"population_risk", result.population},
          {"relative_to_population", result.person / result.population},
          {"linear_predictors", std::move(predictors)},
          {"score_adds", has_score ? json::value(result.genetic) : json::value()},
          {"curve", std::move(curve)},
          {"limits", limit_texts(risk::absolute_limits(model, has_score, language))}};
}

json::object questions_json(const risk::RiskModel& model, Language language) {
  json::array list;
  for (const risk::Phase& phase : model.phases) {
    for (const risk::Term& term : phase.terms) {
      json::array levels;
      for (const auto& level : term.levels) levels.emplace_back(level.first);
      list.push_back({{"name", term.name},
                      {"from", phase.from},
                      {"to", phase.to},
                      {"en", term.question_en},
                      {"ja", term.question_ja},
                      {"levels", std::move(levels)},
                      {"least", term.least},
                      {"most", term.most}});
    }
  }
  return {{"model", model.id},
          {"model_name", model.name},
          {"disease", language == Language::kJapanese ? model.disease_ja : model.disease_en},
          {"source", model.source},
          {"licence", model.licence},
          {"reference", model.reference_note},
          {"from", model.phases.front().from},
          {"to", model.phases.back().to},
          {"questions", std::move(list)},
          {"limits", limit_texts(risk::absolute_limits(model, false, language))}};
}

json::object meter_json(const risk::MeterReading& reading, Language language) {
  const auto one = [](const risk::Identification& identification) {
    return json::object{{"whole", identification.whole},
                        {"independent_snps", identification.independent_snps},
                        {"str_loci", identification.str_loci},
                        {"bases", identification.bases},
                        {"identifies", identification.identifies()}};
  };
  return {{"kind", "identification"},
          {"before", one(reading.before)},
          {"after", one(reading.after)},
          {"identifies", reading.after.identifies()},
          {"crosses", reading.crosses()},
          {"snp_threshold", risk::kSnpThreshold},
          {"str_threshold", risk::kStrThreshold},
          {"rule", "positions at least 10 kb apart; one four-base STR for each 25 kb"},
          {"text", risk::meter_text(reading, language)}};
}

json::object fhir_score(const risk::ScoringFile& file, const risk::ScoreReport& report,
                        const FhirSubject& subject, Language language) {
  const std::string name = file.header.pgs_id.empty() ? "own score" : file.header.pgs_id;
  json::object code = {{"text", "polygenic score " + name + " " + file.header.trait}};
  if (!file.header.pgs_id.empty()) {
    code["coding"] = one_of({{"system", "https://www.pgscatalog.org/score"}, {"code", name}});
  }
  const json::object laboratory = {
      {"coding", one_of({{"system", "http://terminology.hl7.org/CodeSystem/observation-category"},
                         {"code", "laboratory"}})}};
  const auto component = [](const char* text, double value) {
    const json::object what = {{"text", text}}, quantity = {{"value", value}};
    return json::object{{"code", what}, {"valueQuantity", quantity}};
  };
  json::array components;
  components.push_back(component("sites of the score", static_cast<double>(report.variants)));
  components.push_back(component("sites used", static_cast<double>(report.used)));
  components.push_back(component("mean depth of reads", rounded(report.mean_depth)));
  const json::object value = {{"value", rounded(report.score)}};
  const json::object method = {
      {"text", "sum of published weights over confident genotypes, none imputed"}};
  return {{"resourceType", "Observation"},
          {"status", "final"},
          {"category", one_of(laboratory)},
          {"code", std::move(code)},
          {"subject", subject_of(subject)},
          {"effectiveDateTime", subject.when},
          {"valueQuantity", value},
          {"note", notes(risk::score_limits(file, report, language))},
          {"method", method},
          {"component", std::move(components)}};
}

json::object fhir_risk(const risk::RiskModel& model, const risk::AbsoluteRisk& result,
                       bool has_score, const FhirSubject& subject, Language language) {
  json::object outcome = {
      {"text", language == Language::kJapanese ? model.disease_ja : model.disease_en}};
  if (!model.disease_code.empty()) {
    outcome["coding"] =
        one_of({{"system", model.disease_code_system}, {"code", model.disease_code}});
  }
  const json::object range = {{"low", years(result.from)}, {"high", years(result.to)}};
  const json::object prediction = {
      {"outcome", std::move(outcome)},
      {"probabilityDecimal", rounded(100 * result.person)},
      {"relativeRisk", rounded(result.person / result.population)},
      {"whenRange", range},
      {"rationale", fmt::format("population: {:.3f} %", 100 * result.population)}};
  const json::object method = {{"text", "iCARE absolute risk, " + model.name}};
  const json::object basis = {
      {"display", has_score ? "questionnaire and polygenic score" : "questionnaire"}};
  return {{"resourceType", "RiskAssessment"},
          {"status", "final"},
          {"method", method},
          {"subject", subject_of(subject)},
          {"occurrenceDateTime", subject.when},
          {"basis", one_of(basis)},
          {"prediction", one_of(prediction)},
          {"note", notes(risk::absolute_limits(model, has_score, language))}};
}

Result<risk::MeterReading> identification_of(catalog::Catalog& catalog,
                                             const consent::Grant& grant) {
  TRY_ASSIGN(const catalog::Object object, catalog.object(grant.object));
  risk::Granted past;
  for (std::uint64_t skip = 0;; skip += kPageRows) {
    TRY_ASSIGN(const auto records, catalog.list_grants({.person_id = object.person_id},
                                                       {.skip = skip, .count = kPageRows}));
    for (const catalog::Grant& record : records) {
      const auto earlier = consent::parse_opened(record.grant_bytes, record.opening);
      if (!earlier || earlier->grantee != grant.grantee) continue;
      const risk::Granted one = granted_by(*earlier);
      past.whole = past.whole || one.whole;
      past.regions.insert(past.regions.end(), one.regions.begin(), one.regions.end());
    }
    if (records.size() < kPageRows) break;
  }
  return risk::read_meter(past, granted_by(grant));
}

Result<json::object> identification_json(catalog::Catalog& catalog, const consent::Grant& grant) {
  TRY_ASSIGN(const risk::MeterReading reading, identification_of(catalog, grant));
  return meter_json(reading, grant.locale == consent::Locale::kJapanese ? Language::kJapanese
                                                                        : Language::kEnglish);
}

}  // namespace warifu::api
