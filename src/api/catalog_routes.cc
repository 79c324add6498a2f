// Copies of the catalog, rebuilding, backup, check.
#include "api/json.h"

namespace warifu::api {
namespace {

constexpr std::uint64_t kLongestLeaveMinutes = 7 * 24 * 60;

json::value time_or_null(const std::optional<os::UnixMs>& time) {
  return time ? json::value(os::utc_text(*time)) : json::value();
}

json::object copies_json(const config::CatalogCopies& settings, recovery::CopyMaker& copies) {
  json::array holders;
  for (const SiteName& holder : settings.holders) holders.emplace_back(holder.text());
  const recovery::CopyMaker::Status status = copies.status();
  return {{"holders", std::move(holders)},     {"threshold", settings.scheme.threshold},
          {"catalog", status.catalog.text()},  {"epoch", status.epoch},
          {"bundles", status.bundles},         {"pages", status.pages},
          {"made", time_or_null(status.made)}, {"problem", status.problem}};
}

json::object kept_json(recovery::CopyKeeper& keeper) {
  const auto heads = keeper.list();
  std::uint64_t bytes = 0;
  for (const recovery::CopyHead& head : heads) bytes += head.bytes;
  json::array problems;
  for (const std::string& problem : keeper.problems()) problems.emplace_back(problem);
  return {{"catalog", heads.empty() ? "" : heads.back().place.catalog.text()},
          {"epoch", heads.empty() ? 0 : heads.back().place.epoch},
          {"bundles", heads.size()},
          {"bytes", bytes},
          {"allowed_until", time_or_null(keeper.allowed_until())},
          {"problems", std::move(problems)}};
}

// Objects with shares that stand whole and are to be cut again.
Result<json::object> uncut_json(upkeep::ReshareScheduler& reshares) {
  TRY_ASSIGN(const upkeep::UncutStatus now, reshares.status());
  return json::object{{"objects", now.objects},
                      {"under_way", now.under_way},
                      {"waiting", now.waiting},
                      {"left", now.left},
                      {"problem", now.problem}};
}

Result<json::value> status_json(Services services) {
  json::object answer = {{"site", services.site.config.name.text()},
                         {"kept", kept_json(*services.copies)}};
  if (services.control != nullptr && services.control->recovery.copies() != nullptr) {
    answer["copies"] =
        copies_json(services.site.config.copies, *services.control->recovery.copies());
  }
  if (services.control != nullptr) {
    TRY_ASSIGN(answer["uncut"], uncut_json(services.control->reshares));
  }
  return answer;
}

// The operator's leave, which is an act that the log keeps.
Result<json::value> allow(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::uint64_t minutes, number_field(body, "minutes", kLongestLeaveMinutes));
  const os::UnixMs now = services.site.system.clock.now();
  const os::UnixMs until{now.value + static_cast<std::int64_t>(minutes) * 60'000};
  TRY(services.site.log.append("catalog_copy_allowed", {{"until", os::utc_text(until)}}));
  TRY(services.copies->allow_until(until));
  return status_json(services);
}

Result<json::value> rebuild(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  const json::value* alone = body.if_contains("from_shares");
  TRY_ASSIGN(const auto rebuild,
             control.recovery.rebuild(alone != nullptr && alone->is_bool() && alone->as_bool()));
  json::array wrong;
  for (const SiteName& site : rebuild.wrong) wrong.emplace_back(site.text());
  return json::value{{"job", rebuild.job.text()},
                     {"copy_made", time_or_null(rebuild.copy_made)},
                     {"wrong", std::move(wrong)}};
}

Result<json::value> copy_now(http::RequestContext& /*context*/, ControlServices& control) {
  if (control.recovery.copies() == nullptr) {
    return fail(Code::kRefused, "no site keeps copies: name them in [catalog] copies");
  }
  TRY(control.recovery.copies()->round());
  return json::value{{"made", time_or_null(control.recovery.copies()->status().made)}};
}

Result<json::value> back_up(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string path, text_field(body, "path"));
  TRY(control.catalog.back_up(path));
  return json::value{{"path", path}};
}

}  // namespace

void add_catalog_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kGet, "/v1/catalog",
             json_handler([services](http::RequestContext&) -> Result<json::value> {
               return status_json(services);
             }));
  router.add(Method::kPost, "/v1/catalog/allow",
             json_handler([services](http::RequestContext& c) { return allow(services, c); }));
  router.add(Method::kPost, "/v1/catalog/forget",
             json_handler([services](http::RequestContext&) -> Result<json::value> {
               TRY(services.site.log.append("catalog_copies_forgotten", {}));
               TRY(services.copies->forget());
               return status_json(services);
             }));
  router.add(Method::kPost, "/v1/catalog/rebuild", control_handler(services, rebuild));
  router.add(Method::kPost, "/v1/catalog/copy", control_handler(services, copy_now));
  router.add(Method::kPost, "/v1/catalog/backup", control_handler(services, back_up));
  router.add(
      Method::kGet, "/v1/catalog/check",
      control_handler(services,
                      [](http::RequestContext&, ControlServices& control) -> Result<json::value> {
                        TRY(control.catalog.integrity_check());
                        return json::value{{"sound", true}};
                      }));
}

}  // namespace warifu::api
