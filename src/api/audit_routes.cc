// Audits of objects, at the control site; reading over the shares of any site.
#include "api/json.h"
#include "base/reason.h"

namespace warifu::api {
namespace {

json::array names_json(const std::set<std::string>& names) {
  json::array list;
  for (const std::string& name : names) list.emplace_back(name);
  return list;
}

json::value report_json(const upkeep::AuditReport& report) {
  json::array shares, sums;
  for (const upkeep::AuditedShare& share : report.shares) {
    shares.push_back({{"share", share.letter},
                      {"site", share.site.text()},
                      {"state", upkeep::finding_name(share.finding)},
                      {"why", share.why}});
  }
  for (const upkeep::SumOutcome& outcome : report.sums) {
    json::array chain;
    for (const auto& helper : outcome.planned.sum.chain) chain.emplace_back(helper.site.text());
    sums.push_back({{"shares", names_json(outcome.planned.letters)},
                    {"chain", std::move(chain)},
                    {"zero", outcome.holds}});
  }
  return {{"audit", report.audit.text()},
          {"object", report.object.text()},
          {"verdict", upkeep::verdict_name(report.verdict)},
          {"shares", std::move(shares)},
          {"suspects", names_json(report.suspects)},
          {"sums", std::move(sums)},
          {"blocks", report.blocks},
          {"rounds", report.rounds},
          {"done_bytes", report.done_bytes},
          {"total_bytes", report.total_bytes},
          {"error", report.error}};
}

Result<json::value> start_audit(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const ObjectId object, ObjectId::parse(context.parameter("object")));
  TRY_ASSIGN(const JobId audit, control.audits.start(object));
  return json::value{{"object", object.text()}, {"audit", audit.text()}};
}

Result<json::value> show_audit(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const JobId audit, JobId::parse(context.parameter("audit")));
  TRY_ASSIGN(const upkeep::AuditReport report, control.audits.report(audit));
  return report_json(report);
}

// Everything that is stored, however much it is.
Result<json::value> auditable(http::RequestContext& context, ControlServices& control) {
  catalog::ObjectFilter filter{.state = catalog::ObjectState::kCommitted};
  const std::string person(context.request().query.find("person").value_or(""));
  if (!person.empty()) {
    TRY(control.catalog.person(person));
    filter.person_id = person;
  }
  json::array list;
  for (catalog::Page page{.count = catalog::kMaxPageRows};; page.skip += page.count) {
    TRY_ASSIGN(const auto objects, control.catalog.list_objects(filter, page));
    for (const catalog::Object& object : objects) list.emplace_back(object.object.text());
    if (objects.size() < page.count) return json::value{{"objects", std::move(list)}};
  }
}

json::value scrub_json(Services services) {
  const upkeep::ScrubStatus status = services.scrubber->status();
  const upkeep::ScrubState& state = status.state;
  json::array damage;
  for (const auto& [share, entry] : state.damage) {
    const Error why = error_of_text(Code::kCorrupt, entry.why);
    damage.push_back({{"share", share.text()},
                      {"why", why.message},
                      {"reason", reason_name(why.reason)},
                      {"found", os::utc_text(entry.found)},
                      {"told", entry.told}});
  }
  const auto time = [](os::UnixMs at) { return at.value == 0 ? "" : os::utc_text(at); };
  return {{"site", services.site.config.name.text()},
          {"running", status.running},
          {"rate", status.rate},
          {"interval_days", services.site.config.scrub_interval.count() / 24},
          {"passes", state.passes},
          {"started", time(state.started)},
          {"finished", time(state.finished)},
          {"read_bytes", state.read_bytes},
          {"total_bytes", status.total_bytes},
          {"damage", std::move(damage)}};
}

}  // namespace

void add_audit_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/objects/{object}/audit", control_handler(services, start_audit));
  router.add(Method::kGet, "/v1/audits/{audit}", control_handler(services, show_audit));
  router.add(Method::kGet, "/v1/auditable", control_handler(services, auditable));
  router.add(Method::kGet, "/v1/scrub",
             json_handler([services](http::RequestContext&) -> Result<json::value> {
               return scrub_json(services);
             }));
  router.add(Method::kPost, "/v1/scrub",
             json_handler([services](http::RequestContext&) -> Result<json::value> {
               services.scrubber->hurry();
               return scrub_json(services);
             }));
}

}  // namespace warifu::api
