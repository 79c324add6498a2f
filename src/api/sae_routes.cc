// Keys of applications: who is known, what was given and what waits. Never a key or an id of one.
#include "api/json.h"
#include "api/routes.h"

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
                     {"reach", own ? "own" : reached ? "neighbour" : "none"}});
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
  return json::value{{"site", saes.self().text()},
                     {"listen", saes.settings().listen.text()},
                     {"saes", std::move(known)},
                     {"here", std::move(pairs)},
                     {"made", std::move(made)}};
}

}  // namespace

void add_sae_routes(http::Router& router, Services services) {
  router.add(http::Method::kGet, "/v1/saes",
             json_handler([services](http::RequestContext&) { return saes_json(services); }));
}

}  // namespace warifu::api
