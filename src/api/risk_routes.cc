// Scores and risks under a consent (scoring/score_desk.h), for the pages and `--grant` of the
// command line.
#include "api/consent_parts.h"
#include "api/fhir_bundle.h"
#include "api/json.h"
#include "api/risk_json.h"

namespace warifu::api {
namespace {

constexpr std::size_t kMostScoringFile = 32 << 20;  // as it is sent, plain or gzip
constexpr std::size_t kMostModel = 4 << 20;
constexpr std::size_t kMostLogRecords = 500;

std::string query_text(http::RequestContext& context, const char* name) {
  return std::string(context.request().query.find(name).value_or(""));
}

Result<risk::Language> language_of(http::RequestContext& context) {
  const std::string text = query_text(context, "lang");
  return text.empty() ? risk::Language::kEnglish : risk::parse_language(text);
}

Result<scoring::ScoreWish> score_wish(http::RequestContext& context) {
  scoring::ScoreWish wish;
  TRY_ASSIGN(wish.grant, GrantId::parse(context.parameter("grant")));
  wish.file = context.body().view();
  if (wish.file.empty()) return fail(Code::kInvalidArgument, "the scoring file is missing");
  if (const std::string build = query_text(context, "build"); !build.empty()) {
    TRY_ASSIGN(wish.assumed, risk::parse_assembly(build));
  }
  wish.rules.leave_out_ambiguous = query_text(context, "ambiguous") == "leave_out";
  std::vector<std::string> stated;
  for (const auto& [name, value] : context.request().query.all()) {
    if (name == "use") stated.push_back(value);
  }
  TRY_ASSIGN(wish.stated, consent::parse_statements(stated));
  return wish;
}

Result<json::value> plan_for_score(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const scoring::ScoreWish wish, score_wish(context));
  TRY_ASSIGN(const scoring::ScorePlan plan, control.scores.plan(wish));
  const risk::ScoringHeader& header = plan.file.header;
  return json::value{{"pgs_id", header.pgs_id},
                     {"pgs_name", header.pgs_name},
                     {"trait", header.trait},
                     {"citation", header.citation},
                     {"licence", header.licence},
                     {"assembly", risk::assembly_name(plan.file.assembly)},
                     {"sites", plan.file.variants.size()},
                     {"usable", plan.usable},
                     {"outside_consent", plan.outside},
                     {"least_coverage", wish.rules.min_coverage},
                     {"uses", plan.grant.uses},
                     {"refusal", plan.refusal}};
}

json::value results_json(const GrantId& grant, const scoring::Kept& kept, risk::Language language) {
  json::object out = {{"grant", grant.text()},
                      {"score", nullptr},
                      {"risk", nullptr},
                      {"kept_in", "memory"},
                      {"kept_until", os::utc_text(kept.until)}};
  if (kept.score) {
    json::object score = score_json(kept.score->file, kept.score->report, language, false);
    score["outside_consent"] = kept.score->outside;
    score["job"] = kept.score->job.text();
    score["computed"] = os::utc_text(kept.score->when);
    out["score"] = std::move(score);
  }
  if (kept.risk) {
    json::object risk =
        absolute_json(kept.risk->model, kept.risk->result, kept.risk->has_score, language);
    risk["computed"] = os::utc_text(kept.risk->when);
    out["risk"] = std::move(risk);
  }
  return out;
}

Result<json::value> compute_score(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const risk::Language language, language_of(context));
  TRY_ASSIGN(const scoring::ScoreWish wish, score_wish(context));
  TRY_ASSIGN(const scoring::Kept kept, control.scores.score(wish));
  return results_json(wish.grant, kept, language);
}

// Texts and numbers as they stand in a form.
Result<risk::Answers> answers_of(const json::object& body) {
  const json::value* answers = body.if_contains("answers");
  if (answers == nullptr || !answers->is_object()) {
    return fail(Code::kInvalidArgument, "field 'answers' must be an object");
  }
  return risk::parse_answers(as_bytes(json::serialize(*answers)));
}

Result<json::value> compute_risk(http::RequestContext& context, ControlServices& control) {
  constexpr std::uint64_t kMostAge = risk::kMaxAge;
  TRY_ASSIGN(const risk::Language language, language_of(context));
  TRY_ASSIGN(const GrantId grant, GrantId::parse(context.parameter("grant")));
  TRY_ASSIGN(const json::object body, body_object(context));
  std::optional<risk::RiskModel> own;
  if (const json::value* model = body.if_contains("model"); model != nullptr && !model->is_null()) {
    TRY_ASSIGN(own, risk::parse_model(as_bytes(json::serialize(*model))));
  }
  scoring::RiskWish wish{.grant = grant, .model = own ? *own : risk::breast_model(), .answers = {}};
  TRY_ASSIGN(wish.answers, answers_of(body));
  TRY_ASSIGN(const std::uint64_t from, number_field(body, "from", kMostAge));
  TRY_ASSIGN(const std::uint64_t to, number_field(body, "to", kMostAge));
  wish.from = static_cast<int>(from);
  wish.to = static_cast<int>(to);
  const json::value* with_score = body.if_contains("with_score");
  wish.with_score = with_score != nullptr && with_score->is_bool() && with_score->get_bool();
  TRY_ASSIGN(const scoring::Kept kept, control.scores.absolute(wish));
  return results_json(grant, kept, language);
}

Result<json::value> show_results(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const risk::Language language, language_of(context));
  TRY_ASSIGN(const GrantId grant, GrantId::parse(context.parameter("grant")));
  TRY_ASSIGN(const scoring::Kept kept, control.scores.kept(grant));
  return results_json(grant, kept, language);
}

Result<json::value> forget_results(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const GrantId grant, GrantId::parse(context.parameter("grant")));
  control.scores.forget(grant);
  return json::value{{"grant", grant.text()}, {"forgotten", true}};
}

// Ids under which the log tells of it.
Result<std::vector<std::string>> ids_of(const ConsentParts& parts, const scoring::Kept& kept,
                                        ControlServices& control) {
  std::vector<std::string> ids = {parts.record.grant.text()};
  TRY_ASSIGN(const auto requests, control.catalog.list_requests({.object = parts.record.object},
                                                                {.count = catalog::kMaxPageRows}));
  for (const catalog::Request& request : requests) {
    if (request.grant == parts.record.grant) ids.push_back(request.request.text());
  }
  if (kept.score) ids.push_back(kept.score->job.text());
  return ids;
}

Result<json::value> give_bundle(http::RequestContext& context, ControlServices& control,
                                Services services) {
  TRY_ASSIGN(const risk::Language language, language_of(context));
  TRY_ASSIGN(const GrantId grant, GrantId::parse(context.parameter("grant")));
  TRY_ASSIGN(const ConsentParts consent, consent_parts(services, control, grant));
  scoring::Kept kept;
  if (auto found = control.scores.kept(grant)) {
    kept = std::move(*found);
  } else if (found.error().code != Code::kRefused) {
    return std::unexpected(found.error());
  }  // of a consent that is over its papers remain
  TRY_ASSIGN(const auto ids, ids_of(consent, kept, control));
  BundleParts parts{.consent = consent,
                    .kept = kept,
                    .log = {},
                    .language = language,
                    .now = services.site.system.clock.now()};
  TRY_ASSIGN(parts.log, records_about(services.site.log, ids, kMostLogRecords));
  TRY_ASSIGN(json::object bundle, fhir_bundle(parts, services.site.system.random));
  return json::value(std::move(bundle));
}

Result<json::value> built_in_model(http::RequestContext& context) {
  TRY_ASSIGN(const risk::Language language, language_of(context));
  return json::value(questions_json(risk::breast_model(), language));
}

Result<json::value> other_model(http::RequestContext& context) {
  TRY_ASSIGN(const risk::Language language, language_of(context));
  TRY_ASSIGN(const risk::RiskModel model, risk::parse_model(context.body().view()));
  return json::value(questions_json(model, language));
}

}  // namespace

void add_risk_routes(http::Router& router, Services services) {
  using enum http::Method;
  const http::RouteOptions scoring_file{.max_body = kMostScoringFile};
  const http::RouteOptions model_file{.max_body = kMostModel};
  router.add(kGet, "/v1/risk/model", json_handler(built_in_model));
  router.add(kPost, "/v1/risk/model", json_handler(other_model), model_file);
  router.add(kPost, "/v1/risk/{grant}/plan", control_handler(services, plan_for_score),
             scoring_file);
  router.add(kPost, "/v1/risk/{grant}/score", control_handler(services, compute_score),
             scoring_file);
  router.add(kPost, "/v1/risk/{grant}/absolute", control_handler(services, compute_risk),
             model_file);
  router.add(kGet, "/v1/risk/{grant}", control_handler(services, show_results));
  router.add(kPost, "/v1/risk/{grant}/forget", control_handler(services, forget_results));
  router.add(kGet, "/v1/risk/{grant}/fhir",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return give_bundle(context, control, services);
                             }));
}

}  // namespace warifu::api
