// Keys of applications: who is known, what was given and what waits. Never a key or an id of one.
#include "api/json.h"
#include "api/switch_json.h"

namespace warifu::api {
namespace {

Result<json::value> saes_json(Services services) {
  if (services.saes == nullptr) {
    return fail(Code::kNotFound, "site " + services.site.config.name.text() +
                                     " gives no keys to applications: it has no [kms]");
  }
  const kme::SaeKeys& saes = *services.saes;
  json::array known, pairs, made;
  for (const kme::SaeEntry& sae : saes.settings().saes) {
    const bool own = sae.site == saes.self();
    const bool reached = own || services.site.keys.link_to(sae.site) != nullptr;
    known.push_back({{"id", sae.id},
                     {"site", sae.site.text()},
                     {"identity", own ? sae.identity : ""},
                     {"reach", own       ? "own"
                               : reached ? "neighbour"
                                         : "none"},
                     {"paused", saes.gate().is_sae_paused(sae.id)}});
    if (const auto quota = own ? saes.gate().quota(sae.id) : std::nullopt) {
      known.back().as_object()["quota_bytes_per_hour"] = quota->bytes_per_hour;
      known.back().as_object()["quota_bytes_left"] = quota->left_bytes;
    }
  }
  for (const kme::SaePairCounts& pair : saes.counts()) {
    pairs.push_back({{"master", pair.master},
                     {"slave", pair.slave},
                     {"waiting", pair.waiting},
                     {"delivered", pair.delivered},
                     {"expired", pair.expired},
                     {"voided", pair.voided}});
  }
  for (const kme::SaeKeys::Made& one : saes.made()) {
    made.push_back({{"master", one.master}, {"slave", one.slave}, {"keys", one.keys}});
  }
  json::array paused_links;
  for (kme::Link* link : services.site.keys.links()) {
    if (saes.gate().is_link_paused(link->peer())) paused_links.emplace_back(link->peer().text());
  }
  return json::value{{"site", saes.self().text()}, {"listen", saes.settings().listen.text()},
                     {"saes", std::move(known)},   {"here", std::move(pairs)},
                     {"made", std::move(made)},    {"paused_links", std::move(paused_links)}};
}

// {"sae": ID} or {"link": SITE}, and "paused": true or false.
Result<json::value> set_pause(http::RequestContext& context, Services services) {
  if (services.saes == nullptr) return saes_json(services);
  TRY_ASSIGN(const json::object body, body_object(context));
  const json::value* paused = body.if_contains("paused");
  const bool of_link = body.contains("link");
  if (paused == nullptr || !paused->is_bool() || of_link == body.contains("sae")) {
    return fail(Code::kInvalidArgument,
                "say \"paused\": true or false, and either \"sae\" or \"link\"");
  }
  TRY_ASSIGN(const std::string name, text_field(body, of_link ? "link" : "sae"));
  TRY(set_switch(services, of_link ? kme::SwitchKind::kApplications : kme::SwitchKind::kSae, name,
                 paused->as_bool() ? "off" : "on"));
  return json::value{{of_link ? "link" : "sae", name}, {"paused", paused->as_bool()}};
}

}  // namespace

void add_sae_routes(http::Router& router, Services services) {
  router.add(http::Method::kGet, "/v1/saes",
             json_handler([services](http::RequestContext&) { return saes_json(services); }));
  router.add(http::Method::kPost, "/v1/saes/pause",
             json_handler([services](http::RequestContext& context) {
               return set_pause(context, services);
             }));
}

}  // namespace warifu::api
