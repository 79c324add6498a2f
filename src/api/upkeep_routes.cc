// Checking, repairing, moving and deleting what is stored.
#include <ctime>

#include "api/json.h"
#include "control/key_account.h"

namespace warifu::api {
namespace {

struct Wish {
  ObjectId object;
  std::string share;
  bool repair = true;
  std::optional<SiteName> target;
};

Result<Wish> wish_of(const std::string& object, const std::string& share, const std::string& what,
                     const std::string& to) {
  Wish wish{.object = {}, .share = share, .repair = what == "repair", .target = {}};
  TRY_ASSIGN(wish.object, ObjectId::parse(object));
  if (share.empty()) return fail(Code::kInvalidArgument, "name the share, like B or C2");
  if (what != "repair" && what != "move") {
    return fail(Code::kInvalidArgument, "'what' is repair or move, not '" + what + "'");
  }
  if (!to.empty()) {
    TRY_ASSIGN(const SiteName target, SiteName::parse(to));
    wish.target = target;
  }
  return wish;
}

json::object plan_json(const upkeep::RepairPlan& plan) {
  json::array parts, links;
  for (const upkeep::PartWay& part : plan.sum.parts) {
    parts.push_back({{"share", part.at.letter()},
                     {"site", part.at.site.text()},
                     {"route", planner::route_text(part.route)}});
  }
  for (const auto& [ends, bytes] : plan.bytes_by_edge) {
    links.push_back({{"from", ends.first.text()}, {"to", ends.second.text()}, {"bytes", bytes}});
  }
  return {{"share", plan.sum.made.letter()},
          {"site", plan.sum.made.site.text()},
          {"price", plan.price},
          {"key_bytes", plan.key_bytes()},
          {"parts", std::move(parts)},
          {"links", std::move(links)}};
}

Result<json::value> check_shares(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const ObjectId id, ObjectId::parse(context.parameter("object")));
  TRY_ASSIGN(const auto shares, control.upkeep.check(id));
  json::array list;
  bool whole = true;
  for (const upkeep::CheckedShare& share : shares) {
    whole = whole && share.holding == upkeep::Holding::kHeld;
    list.push_back({{"share", share.at.letter()},
                    {"site", share.at.site.text()},
                    {"state", upkeep::holding_name(share.holding)}});
  }
  return json::value{{"object", id.text()}, {"whole", whole}, {"shares", std::move(list)}};
}

Result<json::value> plan(http::RequestContext& context, ControlServices& control) {
  const auto query = [&](const char* name) {
    return std::string(context.request().query.find(name).value_or(""));
  };
  TRY_ASSIGN(const Wish wish, wish_of(std::string(context.parameter("object")), query("share"),
                                      query("what"), query("to")));
  TRY_ASSIGN(const auto found,
             control.upkeep.plan(wish.object, wish.share, wish.repair, wish.target));
  return json::value(plan_json(found));
}

Result<json::value> relocate(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string share, text_field(body, "share"));
  TRY_ASSIGN(const std::string what, text_field(body, "what"));
  TRY_ASSIGN(const Wish wish, wish_of(std::string(context.parameter("object")), share, what,
                                      text_field_or(body, "to", "")));
  TRY_ASSIGN(const JobId job,
             control.upkeep.relocate(wish.object, wish.share, wish.repair, wish.target));
  return json::value{{"object", wish.object.text()}, {"job", job.text()}};
}

// Reads what os::utc_text() writes.
Result<os::UnixMs> parse_utc(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end != nullptr && *end == '\0') {
    const os::UnixMs time{static_cast<std::int64_t>(::timegm(&parts)) * 1000};
    if (os::utc_text(time) == text) return time;  // no 31st of June
  }
  return fail(Code::kInvalidArgument,
              "'" + text + "' is no time; write it like 2026-11-24T01:02:03Z");
}

Result<upkeep::RefreshWish> refresh_wish(http::RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::uint64_t dealers, number_field(body, "dealers", sharing::kMaxShares));
  const std::string key_after = text_field_or(body, "key_after", "");
  upkeep::RefreshWish wish{.dealers = dealers};
  if (!key_after.empty()) {
    TRY_ASSIGN(const os::UnixMs after, parse_utc(key_after));
    wish.key_after = after;
  }
  return wish;
}

Result<json::value> preview_refresh(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const ObjectId id, ObjectId::parse(context.parameter("object")));
  TRY_ASSIGN(const auto wish, refresh_wish(context));
  TRY_ASSIGN(const auto preview, control.upkeep.preview_refresh(id, wish));
  json::array shares, keepers;
  for (const upkeep::ZeroWay& way : preview.plan.ways) {
    shares.push_back({{"share", way.at.letter()},
                      {"site", way.at.site.text()},
                      {"route", planner::route_text(way.route)}});
  }
  for (const SiteName& site : preview.keepers) keepers.emplace_back(site.text());
  return json::value{{"object", id.text()},
                     {"dealer", preview.plan.dealer.text()},
                     {"dealers", preview.dealers},
                     {"key_bytes", preview.plan.key_bytes()},
                     {"price", preview.plan.price},
                     {"shares", std::move(shares)},
                     {"still_usable_at", std::move(keepers)}};
}

Result<json::value> refresh(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const ObjectId id, ObjectId::parse(context.parameter("object")));
  TRY_ASSIGN(const auto wish, refresh_wish(context));
  TRY_ASSIGN(const JobId job, control.upkeep.refresh(id, wish));
  return json::value{{"object", id.text()}, {"job", job.text()}};
}

json::value seconds_or_null(const std::optional<double>& seconds) {
  return seconds ? json::value(*seconds) : json::value();
}

Result<json::value> refresh_status(http::RequestContext&, ControlServices& control) {
  const upkeep::RefreshStatus now = control.refreshes.status();
  const upkeep::RefreshOutlay& outlay = now.outlay;
  return json::value{{"interval_seconds", now.settings.interval.count()},
                     {"reserve_bytes", now.settings.reserve},
                     {"objects", outlay.objects},
                     {"due", outlay.due},
                     {"oldest", outlay.oldest ? os::utc_text(*outlay.oldest) : ""},
                     {"key_bytes", outlay.key_bytes},
                     {"epoch_seconds", seconds_or_null(outlay.epoch_seconds)},
                     {"slowest_link", outlay.slowest_link},
                     {"job", now.job ? now.job->text() : ""},
                     {"begun", now.begun},
                     {"waits_for", now.waits_for}};
}

Result<json::value> preview_reshare(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const ObjectId id, ObjectId::parse(context.parameter("object")));
  const std::string share(context.request().query.find("share").value_or(""));
  TRY_ASSIGN(const auto plan, control.upkeep.preview_reshare(id, share));
  return json::value{{"object", id.text()}, {"shares", json::parse(upkeep::plan_text(plan))}};
}

Result<json::value> reshare(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const ObjectId id, ObjectId::parse(context.parameter("object")));
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const JobId job, control.upkeep.reshare(id, text_field_or(body, "share", "")));
  return json::value{{"object", id.text()}, {"job", job.text()}};
}

Result<json::value> remove(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const ObjectId id, ObjectId::parse(context.parameter("object")));
  TRY_ASSIGN(const JobId job, control.upkeep.remove(id));
  return json::value{{"object", id.text()}, {"job", job.text()}};
}

}  // namespace

void add_upkeep_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kGet, "/v1/objects/{object}/check", control_handler(services, check_shares));
  router.add(Method::kGet, "/v1/objects/{object}/relocation", control_handler(services, plan));
  router.add(Method::kPost, "/v1/objects/{object}/relocation", control_handler(services, relocate));
  router.add(Method::kPost, "/v1/objects/{object}/refresh/preview",
             control_handler(services, preview_refresh));
  router.add(Method::kPost, "/v1/objects/{object}/refresh", control_handler(services, refresh));
  router.add(Method::kGet, "/v1/objects/{object}/reshare",
             control_handler(services, preview_reshare));
  router.add(Method::kPost, "/v1/objects/{object}/reshare", control_handler(services, reshare));
  router.add(Method::kGet, "/v1/refresh", control_handler(services, refresh_status));
  router.add(Method::kPost, "/v1/objects/{object}/delete", control_handler(services, remove));
  router.add(
      Method::kPost, "/v1/sites/{site}/repair",
      control_handler(
          services,
          [](http::RequestContext& context, ControlServices& control) -> Result<json::value> {
            TRY_ASSIGN(const SiteName site, SiteName::parse(context.parameter("site")));
            TRY_ASSIGN(const JobId job, control.upkeep.repair_site(site));
            return json::value{{"site", site.text()}, {"job", job.text()}};
          }));
  router.add(
      Method::kPost, "/v1/sites/{site}/drain",
      control_handler(
          services,
          [](http::RequestContext& context, ControlServices& control) -> Result<json::value> {
            TRY_ASSIGN(const SiteName site, SiteName::parse(context.parameter("site")));
            TRY_ASSIGN(const JobId job, control.upkeep.drain_site(site));
            return json::value{{"site", site.text()}, {"job", job.text()}};
          }));
}

}  // namespace warifu::api
