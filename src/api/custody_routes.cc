// Withdrawing consents, revoking cards, letting another card come, and what is in safekeeping.
#include <algorithm>

#include "api/act_json.h"
#include "base/reason.h"

namespace warifu::api {
namespace {

constexpr std::uint64_t kLongestLeaveSeconds = 7 * 86'400;

json::object told_json(const custody::Told& told) {
  json::array sites, waiting;
  for (const SiteName& site : told.sites) sites.emplace_back(site.text());
  for (const auto& [site, why] : told.waiting) {
    waiting.push_back({{"site", site.text()}, {"why", why}});
  }
  return {{"told", std::move(sites)}, {"waiting", std::move(waiting)}};
}

Result<json::value> withdraw(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const GrantId grant, GrantId::parse(context.parameter("grant")));
  TRY_ASSIGN(const custody::Told told, control.cards.withdraw(grant));
  json::object out = told_json(told);
  out["grant"] = grant.text();
  out["state"] = "withdrawn";
  return out;
}

Result<json::value> refuse(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const ObjectId object, id_field<ObjectId>(body, "object"));
  TRY_ASSIGN(const std::string purpose, text_field(body, "purpose"));
  TRY(consent::parse_purpose(purpose));
  TRY_ASSIGN(const std::string grantee, text_field(body, "grantee"));
  TRY(control.cards.note_refusal(object, purpose, grantee));
  return json::value{{"object", object.text()}, {"state", "refused"}};
}

Result<json::value> revoke(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const CardId card, CardId::parse(context.parameter("card")));
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string why, text_field(body, "why"));
  TRY_ASSIGN(const custody::Told told, control.cards.revoke(card, why));
  json::object out = told_json(told);
  out["card"] = card.text();
  out["state"] = "revoked";
  return out;
}

// At any site: its own operator speaks for it.
Result<json::value> allow_reissue(http::RequestContext& context, Services services) {
  TRY_ASSIGN(const CardId card, CardId::parse(context.parameter("card")));
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::uint64_t seconds, number_field(body, "seconds", kLongestLeaveSeconds));
  const os::UnixMs until{services.site.system.clock.now().value +
                         static_cast<std::int64_t>(seconds) * 1000};
  TRY(services.site.gate.allow_reissue(card, until));
  return json::value{{"card", card.text()},
                     {"site", services.site.config.name.text()},
                     {"until", os::utc_text(until)}};
}

json::object lost_json(const consent::LostCard& lost) {
  return {{"card", lost.card.text()},
          {"revoked", os::utc_text(lost.revoked)},
          {"from", os::utc_text(lost.from)},
          {"from_ms", lost.from.value},
          {"until", lost.until.value == 0 ? "" : os::utc_text(lost.until)},
          {"until_ms", lost.until.value}};
}

// At any site: what waits for its own officer.
Result<json::value> lost_cards(http::RequestContext&, Services services) {
  json::array cards;
  for (const consent::LostCard& lost : services.site.gate.lost_cards()) {
    cards.push_back(lost_json(lost));
  }
  return json::value{{"site", services.site.config.name.text()},
                     {"now_ms", services.site.system.clock.now().value},
                     {"cards", std::move(cards)}};
}

// Where another card in the place of the person's own one stands at every site.
Result<json::value> reissue_states(http::RequestContext& context, ControlServices& control,
                                   Services services) {
  TRY_ASSIGN(const catalog::Person person, control.catalog.person(context.parameter("person")));
  TRY_ASSIGN(const auto revoked, control.catalog.revoked_cards(person.person_id));
  const bool is_lost =
      std::ranges::find(revoked, person.card, &catalog::RevokedCard::card) != revoked.end();
  json::array sites;
  if (is_lost) {
    for (const custody::ReissueState& state : control.cards.reissue_states(person.card)) {
      json::object one = state.lost ? lost_json(*state.lost) : json::object();
      one["site"] = state.site.text();
      one["known"] = state.lost.has_value();
      one["why"] = state.why ? state.why->message : "";
      one["code"] = state.why ? code_name(state.why->code) : "";
      one["reason"] = state.why ? reason_name(state.why->reason) : "";
      sites.push_back(std::move(one));
    }
  }
  return json::value{{"person", person.person_id},
                     {"card", person.card.text()},
                     {"lost", is_lost},
                     {"now_ms", services.site.system.clock.now().value},
                     {"sites", std::move(sites)}};
}

Result<json::value> confirm_reissue(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const CardId card, id_field<CardId>(body, "card"));
  TRY(control.cards.finish_reissue(context.parameter("person"), card));
  TRY_ASSIGN(json::array objects, objects_of(control, context.parameter("person"), false));
  return json::value{{"person", context.parameter("person")}, {"objects", std::move(objects)}};
}

Result<json::value> accesses(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const custody::AccessView view, control.cards.accesses(context.parameter("person")));
  json::array entries, missing;
  for (const custody::SiteAccess& one : view.accesses) {
    json::object fields;
    for (const auto& [name, value] : one.access.fields) fields[name] = value;
    entries.push_back({{"site", one.site.text()},
                       {"seq", one.access.sequence},
                       {"time", os::utc_text(one.access.time)},
                       {"event", one.access.event},
                       {"fields", std::move(fields)}});
  }
  for (const auto& [site, why] : view.missing) {
    missing.push_back({{"site", site.text()}, {"why", why}});
  }
  return json::value{{"person", context.parameter("person")},
                     {"accesses", std::move(entries)},
                     {"missing", std::move(missing)}};
}

Result<json::value> status(http::RequestContext&, ControlServices& control) {
  TRY_ASSIGN(const custody::RecordKeeper::Status records, control.records.status());
  TRY_ASSIGN(const auto orders, control.cards.waiting());
  json::array waiting;
  for (const catalog::CardOrder& order : orders) {
    json::object entry = {{"order", catalog::state_name(order.kind)},
                          {"card", order.card.text()},
                          {"site", order.site.text()},
                          {"since", os::utc_text(order.created)}};
    if (!order.grant.is_zero()) entry["grant"] = order.grant.text();
    waiting.push_back(std::move(entry));
  }
  return json::value{{"safekeeping", control.records.is_on()},
                     {"kept", records.kept},
                     {"not_kept", records.waiting},
                     {"problem", records.problem},
                     {"waiting", std::move(waiting)}};
}

}  // namespace

void add_custody_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/consents/refusals", control_handler(services, refuse));
  router.add(Method::kPost, "/v1/consents/{grant}/withdraw", control_handler(services, withdraw));
  router.add(Method::kPost, "/v1/cards/{card}/revoke", control_handler(services, revoke));
  router.add(Method::kPost, "/v1/cards/{card}/allow-reissue",
             json_handler([services](http::RequestContext& context) {
               return allow_reissue(context, services);
             }));
  router.add(Method::kGet, "/v1/cards/lost",
             json_handler([services](http::RequestContext& context) {
               return lost_cards(context, services);
             }));
  router.add(Method::kGet, "/v1/persons/{person}/reissue",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return reissue_states(context, control, services);
                             }));
  router.add(Method::kPost, "/v1/persons/{person}/reissue/confirm",
             control_handler(services, confirm_reissue));
  router.add(Method::kGet, "/v1/persons/{person}/accesses", control_handler(services, accesses));
  router.add(Method::kGet, "/v1/cards/status", control_handler(services, status));
}

}  // namespace warifu::api
