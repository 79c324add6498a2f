// `warifu risk ... --grant`: computed at a site under a person's consent (docs/risk.md).
#include <fmt/format.h>

#include "apps/api_client.h"
#include "apps/output.h"
#include "apps/risk_cmd.h"
#include "base/ids.h"
#include "os/system.h"
#include "risk/model.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

Result<std::string> risk_path(const RiskOptions& options, const char* what) {
  TRY_ASSIGN(const GrantId grant, GrantId::parse(options.grant));
  return "/v1/risk/" + grant.text() + what + "?lang=" + url_text(options.lang);
}

void print_limits(const json::value& document) {
  for (const json::value& one : document.at("limits").as_array()) {
    fmt::print("- {}\n", std::string_view(one.as_string()));
  }
}

double real_of(const json::value& document, const char* key) {
  return document.at(key).to_number<double>();
}

Result<json::value> json_file(const std::string& path) {
  TRY_ASSIGN(const Bytes bytes, os::read_file(os::real_files(), path, risk::kMaxModelBytes));
  json::error_code bad;
  json::value value = json::parse(as_text(bytes), bad);
  if (bad) return fail(Code::kInvalidArgument, "'" + path + "' is no JSON: " + bad.message());
  return value;
}

// Either part of what the site has kept.
void print_part(const Common& common, const json::value& kept, const char* which) {
  const json::value& part = kept.at(which);
  if (common.json) return print_json(part);
  if (text_of(part, "kind") == "polygenic_score") {
    fmt::print("{} {}: {:.6g}\n{} of {} sites confident ({:.1f} %), {} outside the consent\n",
               text_of(part, "pgs_id"), text_of(part, "trait"), real_of(part, "score"),
               number_of(part, "sites_used"), number_of(part, "sites"),
               100 * real_of(part, "coverage"), number_of(part, "outside_consent"));
  } else {
    fmt::print("{} from {} to {}: {:.3g} %, population {:.3g} %\n", text_of(part, "disease"),
               number_of(part, "from"), number_of(part, "to"), 100 * real_of(part, "risk"),
               100 * real_of(part, "population_risk"));
  }
  print_limits(part);
  fmt::print(
      "kept in the site's memory alone: gone when the site stops, and at {} at the latest. To save "
      "it: warifu risk fhir --grant {}\n",
      text_of(kept, "kept_until"), text_of(kept, "grant"));
}

}  // namespace

Result<> risk_score_at_site(const Common& common, const RiskOptions& options) {
  if (!options.genome.empty() || !options.pileup.empty() || options.fhir) {
    return fail(Code::kInvalidArgument,
                "with --grant the site reads the data: no --genome, no --pileup; documents: warifu "
                "risk fhir");
  }
  TRY_ASSIGN(std::string path, risk_path(options, "/score"));
  if (!options.build.empty()) path += "&build=" + url_text(options.build);
  if (options.leave_out_ambiguous) path += "&ambiguous=leave_out";
  for (const std::string& one : options.uses) path += "&use=" + url_text(one);
  ApiClient client(common);
  TRY_ASSIGN(const json::value kept, client.upload(path, options.score, {}));
  print_part(common, kept, "score");
  return {};
}

Result<> risk_absolute_at_site(const Common& common, const RiskOptions& options) {
  if (!options.score.empty() || !options.svg.empty() || options.fhir) {
    return fail(Code::kInvalidArgument,
                "with --grant the score is the one that the site has kept (--with-score); no "
                "--score, --svg or --fhir");
  }
  TRY_ASSIGN(const std::string path, risk_path(options, "/absolute"));
  json::object body = {
      {"from", options.from}, {"to", options.to}, {"with_score", options.with_score}};
  TRY_ASSIGN(body["answers"], json_file(options.answers));
  if (!options.model.empty()) {
    TRY_ASSIGN(body["model"], json_file(options.model));
  }
  ApiClient client(common);
  TRY_ASSIGN(const json::value kept, client.post(path, body));
  print_part(common, kept, "risk");
  return {};
}

Result<> risk_fhir(const Common& common, const RiskOptions& options) {
  TRY_ASSIGN(const std::string path, risk_path(options, "/fhir"));
  ApiClient client(common);
  TRY_ASSIGN(const json::value bundle, client.get(path));
  print_json(bundle);
  return {};
}

}  // namespace warifu::apps
