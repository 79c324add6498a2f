// What every site tells its operator: status, shares, links, audit; import of preshared key and
// random numbers.
#include <algorithm>

#include "api/act_json.h"
#include "api/log_json.h"
#include "api/random_json.h"
#include "api/switch_json.h"
#include "base/reason.h"
#include "kme/preshare.h"

namespace warifu::api {
namespace {

json::object pool_json(const keypool::PoolStatus& status) {
  json::array origins;
  for (const auto origin : status.origins) origins.emplace_back(keypool::origin_name(origin));
  return {{"available_bytes", status.available_bytes},
          {"mark", status.mark.value},
          {"synced_end", status.synced_end.value},
          {"payload_bytes", status.payload_bytes},
          {"tag_bytes", status.tag_bytes},
          {"hash_key_bytes", status.hash_key_bytes},
          {"bulk_bytes", status.bulk_bytes},
          {"share_bytes", status.share_bytes},
          {"application_bytes", status.application_bytes},
          {"discarded_bytes", status.discarded_bytes},
          {"ingested_bytes", status.ingested_bytes},
          {"quarantined_bytes", status.quarantined_bytes},
          {"origins", std::move(origins)}};
}

constexpr std::uint64_t kUsualShares = 1000, kMostShares = 20'000;  // that one answer names

// Those behind `after`, by id.
json::array shares_json(Services services, std::span<const store::ShareSummary> shares,
                        const ShareId& after, std::uint64_t most) {
  json::array list;
  std::map<ShareId, upkeep::ShareDamage> damage;
  if (services.scrubber != nullptr) damage = services.scrubber->status().state.damage;
  const auto first = std::ranges::upper_bound(shares, after, {}, &store::ShareSummary::share);
  for (const auto& held : std::span(first, shares.end())) {
    if (list.size() == most) break;
    const auto damaged = damage.find(held.share);
    const Error why = error_of_text(Code::kCorrupt,
                                    damaged == damage.end() ? std::string() : damaged->second.why);
    list.push_back({{"id", held.share.text()},
                    {"object", held.object.text()},
                    {"letter", held.path.text()},
                    {"level", held.path.size() - 1},
                    {"bytes", held.file_bytes},
                    {"damage", why.message},
                    {"damage_reason", reason_name(why.reason)}});
  }
  return list;
}

Result<json::value> status_json(Services services, http::RequestContext& context) {
  const auto& config = services.site.config;
  ShareId after;
  if (const auto text = context.request().query.find("after")) {
    TRY_ASSIGN(after, ShareId::parse(*text));
  }
  TRY_ASSIGN(const std::uint64_t most, query_number(context, "most", kUsualShares));
  TRY_ASSIGN(const store::Inventory inventory, services.site.shares.inventory());
  TRY_ASSIGN(const store::StoreTotals totals, services.site.shares.totals());
  json::array problems;
  for (const auto& problem : inventory.problems) {
    problems.push_back({{"path", problem.path}, {"reason", problem.reason}});
  }
  return json::value{
      {"site", config.name.text()},
      {"listen", config.listen.text()},
      {"controller", config.controller.text()},
      {"single_operator", services.operators == nullptr},
      {"break_glass", services.site.gate.break_glass().has_value()},
      {"emergencies", emergencies_json(services)},
      {"share_count", totals.shares},
      {"share_bytes", totals.bytes},
      {"shares", shares_json(services, inventory.shares, after, std::min(most, kMostShares))},
      {"problems", std::move(problems)},
      {"free_bytes", services.site.shares.free_bytes().value_or(0)},
      {"unlocked_secret_memory", secret::has_unlocked_memory()}};
}

json::value links_json(Services services) {
  json::array links;
  for (kme::Link* link : services.site.keys.links()) {
    const kme::LinkStatus status = link->status();
    json::array relays;
    for (const SiteName& relay : status.relays) relays.emplace_back(relay.text());
    links.push_back({{"peer", status.peer.text()},
                     {"id", link->id().text()},
                     {"class", kme::link_class_name(status.link_class)},
                     {"send", pool_json(status.send)},
                     {"receive", pool_json(status.receive)},
                     {"residual_bytes", status.residual_bytes},
                     {"leased_bytes", status.leased_bytes},
                     {"inflow_bits_per_second", status.inflow_bits_per_second},
                     {"device", status.device_state},
                     {"relay_paths", status.relay_paths},
                     {"relays", std::move(relays)},
                     {"switches", link_switches_json(services, status.peer.text())}});
  }
  return {{"site", services.site.config.name.text()}, {"links", std::move(links)}};
}

Result<json::value> import_file(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string path, text_field(body, "path"));
  TRY_ASSIGN(const auto plan, kme::read_preshare_plan(services.site.system, path));
  kme::Link* link = services.site.keys.link_by_id(plan.link);
  if (link == nullptr) {
    return fail(Code::kNotFound, "'" + path + "' is for the link " + plan.a.text() + "-" +
                                     plan.b.text() + ", which this site does not have");
  }
  if (const kme::DiskIntake* disk = services.disks->to(link->peer());
      disk != nullptr && disk->under_way()) {
    return fail(Code::kBusy, "a disk set is under way on the link to " + link->peer().text() +
                                 ": its stream cannot grow otherwise meanwhile");
  }
  TRY(kme::import_preshare(services.site.system, path, services.site.config.name, link->send(),
                           link->receive(), {}));
  if (body.contains("wipe") && body.at("wipe").is_bool() && body.at("wipe").as_bool()) {
    TRY(kme::wipe_preshare(services.site.system, path));
  }
  return json::value{{"peer", link->peer().text()},
                     {"send_bytes", link->send().status().available_bytes},
                     {"receive_bytes", link->receive().status().available_bytes}};
}

json::value random_json(Services services) {
  const kme::RandomSource::Status status = services.site.keys.random().status();
  const auto from = [&](kme::RandomUse use) {
    return kme::random_from_name(services.site.keys.random().from(use));
  };
  json::array origins;
  for (const auto origin : status.origins) origins.emplace_back(keypool::origin_name(origin));
  json::array parts, sources;
  for (const auto origin : status.parts) parts.emplace_back(keypool::origin_name(origin));
  if (services.random != nullptr) {
    for (const auto& source : services.random->sources()) sources.push_back(to_json(source));
  }
  return {{"site", services.site.config.name.text()},
          {"source", kme::random_from_name(status.from)},
          {"for_sharing", from(kme::RandomUse::kSharing)},
          {"for_applications", from(kme::RandomUse::kApplications)},
          {"for_relaying", from(kme::RandomUse::kRelaying)},
          {"available_bytes", status.available_bytes},
          {"used_bytes", status.used_bytes},
          {"origins", std::move(origins)},
          {"parts", std::move(parts)},
          {"problem", status.problem},
          {"sources", std::move(sources)}};
}

Result<json::value> readmit_random(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string source, text_field(body, "source"));
  if (services.random == nullptr) {
    return fail(Code::kNotFound, "no [[random.source]] is configured at this site");
  }
  TRY(services.random->readmit(source));
  return random_json(services);
}

Result<json::value> import_random(Services services, http::RequestContext& context) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string path, text_field(body, "path"));
  TRY_ASSIGN(const std::string named, text_field(body, "origin"));
  TRY_ASSIGN(const keypool::Origin origin, kme::parse_random_origin(named));
  TRY(services.site.keys.random().import(path, origin));
  if (body.contains("wipe") && body.at("wipe").is_bool() && body.at("wipe").as_bool()) {
    TRY(kme::wipe_preshare(services.site.system, path));
  }
  return random_json(services);
}

Result<json::value> audit_json(Services services) {
  const audit::Head head = services.site.log.head();
  const std::uint64_t from = head.sequence > 20 ? head.sequence - 19 : 1;
  TRY_ASSIGN(const auto records, services.site.log.read(from, 20));
  json::array list;
  for (const auto& record : records) list.push_back(record_json(record));
  return json::value{{"site", services.site.config.name.text()},
                     {"records", head.sequence},
                     {"head", to_hex(head.hash)},
                     {"last", std::move(list)}};
}

}  // namespace

void add_site_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kGet, "/v1/status", json_handler([services](http::RequestContext& context) {
               return status_json(services, context);
             }));
  router.add(Method::kGet, "/v1/links",
             json_handler([services](http::RequestContext&) -> Result<json::value> {
               return links_json(services);
             }));
  router.add(Method::kPost, "/v1/links/import", json_handler([services](http::RequestContext& c) {
               return import_file(services, c);
             }));
  router.add(Method::kGet, "/v1/random",
             json_handler([services](http::RequestContext&) -> Result<json::value> {
               return random_json(services);
             }));
  router.add(Method::kPost, "/v1/random/import",
             json_handler([services](http::RequestContext& context) {
               return import_random(services, context);
             }));
  router.add(Method::kPost, "/v1/random/readmit",
             json_handler([services](http::RequestContext& context) {
               return readmit_random(services, context);
             }));
  router.add(Method::kGet, "/v1/audit",
             json_handler([services](http::RequestContext&) { return audit_json(services); }));
}

http::Router make_router(Services services) {
  http::Router router;
  add_site_routes(router, services);
  add_key_routes(router, services);
  add_disk_routes(router, services);
  add_catalog_routes(router, services);
  add_person_routes(router, services);
  add_enrolment_routes(router, services);
  add_card_routes(router, services);
  add_signature_routes(router, services);
  add_object_routes(router, services);
  add_upkeep_routes(router, services);
  add_audit_routes(router, services);
  add_log_routes(router, services);
  add_consent_routes(router, services);
  add_custody_routes(router, services);
  add_people_routes(router, services);
  add_request_routes(router, services);
  add_gene_routes(router);
  add_upload_routes(router, services);
  add_act_routes(router, services);
  add_restore_routes(router, services);
  add_risk_routes(router, services);
  add_view_routes(router, services);
  add_htsget_routes(router, services);
  add_sae_routes(router, services);
  add_stream_routes(router, services);
  add_switch_routes(router, services);
  add_operator_routes(router, services);
  add_web_routes(router, services);
  return router;
}

}  // namespace warifu::api
