// More one-time keys for a card; emergencies as people are told of them.
#include "api/act_json.h"
#include "base/reason.h"

namespace warifu::api {
namespace {

constexpr std::int64_t kShownMs = 90LL * 86'400'000;

Result<json::value> prepare_top_up(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  custody::TopUpWish wish;
  TRY_ASSIGN(wish.place, act_place(body));
  TRY_ASSIGN(const std::uint64_t first, number_field(body, "first_index", UINT32_MAX));
  TRY_ASSIGN(const std::uint64_t count, number_field(body, "count", card::kMaxKeysPerSite));
  wish.keys = {{static_cast<std::uint32_t>(first)}, static_cast<std::uint32_t>(count)};
  TRY_ASSIGN(const auto names, texts_field(body, "sites"));
  for (const std::string& name : names) {
    TRY_ASSIGN(wish.sites.emplace_back(), SiteName::parse(name));
  }
  TRY_ASSIGN(const control::PreparedConsent prepared, control.acts.prepare_top_up(wish));
  return prepared_json(prepared, control, wish.place.card);
}

void top_up(Services services, http::RequestContext& context) {
  const auto made = [&]() -> Result<json::object> {
    if (services.control == nullptr) {
      return fail(Code::kNotFound, "this site has no share control", Reason::kNoControl);
    }
    TRY_ASSIGN(const json::object body, body_object(context));
    TRY_ASSIGN(const ActProof proof, act_proof(body));
    TRY_ASSIGN(const control::CardContent content,
               services.control->acts.top_up(proof.grant, proof.kind, proof.tags));
    return content_json(content);
  }();
  if (made) {
    answer_secret(context, *made);
  } else {
    answer_error(context, made.error());
  }
}

}  // namespace

json::array emergencies_json(const std::vector<custody::EmergencyView>& views) {
  json::array list;
  for (const custody::EmergencyView& view : views) {
    const consent::Emergency& one = view.emergency;
    json::array officers;
    for (const CardId& card : one.officers) officers.emplace_back(card.text());
    list.push_back({{"emergency", one.id.text()},
                    {"person", view.person},
                    {"object", one.object.text()},
                    {"at", os::utc_text(one.at)},
                    {"officers", std::move(officers)},
                    {"reason", one.reason},
                    {"told", one.told.value == 0 ? "" : os::utc_text(one.told)}});
  }
  return list;
}

json::array emergencies_json(const std::vector<custody::SeenEmergency>& seen) {
  std::vector<custody::EmergencyView> views;
  for (const custody::SeenEmergency& one : seen) views.push_back(one.view);
  json::array list = emergencies_json(views);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    json::array sites;
    for (const SiteName& at : seen[i].sites) sites.emplace_back(at.text());
    list[i].as_object()["sites"] = std::move(sites);
    list[i].as_object()["known_here"] = seen[i].is_known_here;
  }
  return list;
}

json::array emergencies_json(Services services) {
  if (services.control != nullptr) return emergencies_json(services.control->emergencies.recent());
  const os::UnixMs since{services.site.system.clock.now().value - kShownMs};
  std::vector<custody::EmergencyView> views;
  for (auto& [person, emergency] : services.site.gate.emergencies(since)) {
    views.push_back({person.text(), std::move(emergency)});
  }
  return emergencies_json(views);
}

void add_act_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/cards/top-up/prepare", control_handler(services, prepare_top_up));
  router.add(Method::kPost, "/v1/cards/top-up",
             [services](http::RequestContext& context) { top_up(services, context); },
             {.secret_body = true});
}

}  // namespace warifu::api
