// Proxies, guardians and deaths: at the control site what is ordered, at every site what its
// officer says to it.
#include "api/act_json.h"

namespace warifu::api {
namespace {

json::array pairs_json(const std::vector<std::pair<SiteName, std::string>>& pairs) {
  json::array list;
  for (const auto& [site, why] : pairs) list.push_back({{"site", site.text()}, {"why", why}});
  return list;
}

json::value ordered_json(const custody::Ordered& ordered) {
  json::array told;
  for (const SiteName& site : ordered.told.sites) told.emplace_back(site.text());
  json::object out = {{"told", std::move(told)},
                      {"waiting", pairs_json(ordered.told.waiting)},
                      {"refused", pairs_json(ordered.refused)}};
  if (!ordered.order.is_zero()) out["order"] = ordered.order.text();
  return out;
}

// Hexadecimal of a SHA-256; zeros when the field is left out.
Result<crypto::Digest> digest_field(const json::object& body, const char* key) {
  crypto::Digest digest{};
  const std::string text = text_field_or(body, key, "");
  if (text.empty()) return digest;
  TRY_ASSIGN(const Bytes bytes, from_hex(text));
  if (bytes.size() != digest.size()) {
    return fail(Code::kInvalidArgument,
                "field '" + std::string(key) + "' must be a SHA-256: 64 hexadecimal digits");
  }
  copy_bytes(digest, bytes);
  return digest;
}

std::string digest_text(const crypto::Digest& digest) {
  return digest == crypto::Digest{} ? "" : to_hex(digest);
}

Result<std::uint8_t> purposes_field(const json::object& body) {
  TRY_ASSIGN(const auto names, texts_field(body, "purposes"));
  unsigned mask = names.empty() ? (1U << consent::kLastPurpose) - 1 : 0;
  for (const std::string& name : names) {
    TRY_ASSIGN(const consent::Purpose purpose, consent::parse_purpose(name));
    mask |= 1U << (static_cast<unsigned>(purpose) - 1);
  }
  return static_cast<std::uint8_t>(mask);
}

}  // namespace

Result<custody::ActPlace> act_place(const json::object& body) {
  custody::ActPlace place;
  TRY_ASSIGN(place.card, id_field<CardId>(body, "card"));
  if (body.contains("next_index")) {
    TRY_ASSIGN(const std::uint64_t index, number_field(body, "next_index", UINT32_MAX));
    place.next_index = card::KeyIndex{static_cast<std::uint32_t>(index)};
  }
  const std::string locale = text_field_or(body, "locale", "en");
  if (locale != "en" && locale != "ja") {
    return fail(Code::kInvalidArgument, "language '" + locale + "' must be en or ja");
  }
  place.locale = locale == "ja" ? consent::Locale::kJapanese : consent::Locale::kEnglish;
  place.terminal = text_field_or(body, "terminal", "cli");
  return place;
}

json::object prepared_json(const control::PreparedConsent& prepared, ControlServices& control,
                           const CardId& card) {
  return {{"grant", to_hex(prepared.grant)},
          {"text", prepared.text},
          {"person_name", prepared.labels.person},
          {"object_label", prepared.labels.object},
          {"emergencies", emergencies_json(control.emergencies.seen(prepared, card))}};
}

Result<ActProof> act_proof(const json::object& body) {
  ActProof proof;
  TRY_ASSIGN(const std::string hex, text_field(body, "grant"));
  TRY_ASSIGN(proof.grant, from_hex(hex));
  TRY_ASSIGN(const std::uint64_t kind, number_field(body, "card_kind", card::kLastCardKind));
  if (kind == 0) return fail(Code::kInvalidArgument, "field 'card_kind' must be at least 1");
  proof.kind = static_cast<card::CardKind>(kind);
  TRY_ASSIGN(const auto texts, texts_field(body, "tags"));
  for (const std::string& text : texts) {
    TRY_ASSIGN(const Bytes tag, from_hex(text));
    if (tag.size() != mac::kBlockBytes) {
      return fail(Code::kInvalidArgument, "a tag must be 32 hexadecimal digits");
    }
    copy_bytes(proof.tags.emplace_back(), tag);
  }
  return proof;
}

namespace {

Result<json::value> prepare_proxy(http::RequestContext& context, ControlServices& control,
                                  Services services) {
  TRY_ASSIGN(const json::object body, body_object(context));
  custody::ProxyWish wish{.person = context.parameter("person")};
  TRY_ASSIGN(wish.proxy, text_field(body, "proxy"));
  TRY_ASSIGN(wish.place, act_place(body));
  if (body.contains("object")) {
    TRY_ASSIGN(wish.mandate.object, id_field<ObjectId>(body, "object"));
  }
  TRY_ASSIGN(wish.mandate.purposes, purposes_field(body));
  TRY_ASSIGN(wish.mandate.authority, digest_field(body, "authority"));
  const json::value* after_death = body.if_contains("testamentary");
  wish.mandate.is_testamentary = after_death != nullptr && *after_death == true;
  TRY_ASSIGN(const std::uint64_t valid, number_field(body, "valid_seconds", 100ULL * 366 * 86'400));
  wish.mandate.until = {services.site.system.clock.now().value +
                        static_cast<std::int64_t>(valid) * 1000};
  TRY_ASSIGN(const control::PreparedConsent prepared, control.people.prepare_proxy(wish));
  return prepared_json(prepared, control, wish.place.card);
}

Result<json::value> prepare_leave(http::RequestContext& context, ControlServices& control,
                                  Services services) {
  TRY_ASSIGN(const json::object body, body_object(context));
  custody::LeaveWish wish{.person = context.parameter("person")};
  TRY_ASSIGN(wish.place, act_place(body));
  if (body.contains("object")) {
    TRY_ASSIGN(wish.object, id_field<ObjectId>(body, "object"));
  }
  TRY_ASSIGN(const std::uint64_t valid, number_field(body, "valid_seconds", 100ULL * 366 * 86'400));
  wish.until = {services.site.system.clock.now().value + static_cast<std::int64_t>(valid) * 1000};
  TRY_ASSIGN(const control::PreparedConsent prepared, control.people.prepare_leave(wish));
  return prepared_json(prepared, control, wish.place.card);
}

Result<json::value> forbid_emergency(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  ObjectId object;
  if (body.contains("object")) {
    TRY_ASSIGN(object, id_field<ObjectId>(body, "object"));
  }
  TRY_ASSIGN(const custody::Ordered ordered,
             control.people.forbid_emergency(context.parameter("person"), object));
  return ordered_json(ordered);
}

// A proxy, or leave for emergencies.
Result<json::value> accept_act(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  ActProof proof;
  if (body.contains("signature")) {
    TRY_ASSIGN(proof.grant, hex_field(body, "grant", card::kMaxGrantBytes));
    TRY_ASSIGN(const Bytes signature, hex_field(body, "signature", crypto::kMaxSignatureBytes));
    TRY_ASSIGN(const auto proved, control.acts.prove_signed(proof.grant, signature));
    proof.kind = proved.kind;
    proof.tags = proved.tags;
  } else {
    TRY_ASSIGN(proof, act_proof(body));
  }
  TRY_ASSIGN(const custody::Ordered ordered,
             control.people.accept_act(proof.grant, proof.kind, proof.tags));
  return ordered_json(ordered);
}

Result<json::value> remove_proxy(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string proxy, text_field(body, "proxy"));
  TRY_ASSIGN(const custody::Ordered ordered,
             control.people.remove_proxy(context.parameter("person"), proxy));
  return ordered_json(ordered);
}

Result<json::value> set_guardians(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  custody::GuardianWish wish{.person = context.parameter("person")};
  wish.name = text_field_or(body, "name", wish.person);
  TRY_ASSIGN(wish.guardians, texts_field(body, "guardians"));
  TRY_ASSIGN(const std::uint64_t needed, number_field(body, "needed", consent::kMaxGuardians));
  wish.needed = static_cast<std::uint8_t>(needed);
  TRY_ASSIGN(const std::uint64_t of_age, number_field(body, "of_age_ms", INT64_MAX));
  wish.of_age = {static_cast<std::int64_t>(of_age)};
  TRY_ASSIGN(wish.authority, digest_field(body, "authority"));
  TRY_ASSIGN(const custody::Ordered ordered, control.people.set_guardians(wish));
  return ordered_json(ordered);
}

Result<json::value> tell_death(http::RequestContext& context, ControlServices& control,
                               bool has_died) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const crypto::Digest authority, digest_field(body, "authority"));
  TRY_ASSIGN(const custody::Ordered ordered,
             control.people.tell_death(context.parameter("person"), has_died, authority));
  return ordered_json(ordered);
}

json::object order_json(const consent::WaitingOrder& waiting) {
  const consent::PersonOrder& order = waiting.order;
  json::object out = {{"order", order.id.text()},
                      {"what", consent::order_name(order.kind)},
                      {"person", order.person.text()},
                      {"received", os::utc_text(waiting.received)},
                      {"authority", digest_text(order.authority)}};
  if (order.kind != consent::PersonOrderKind::kGuardians) return out;
  json::array guardians;
  for (const CardId& card : order.guardians) guardians.emplace_back(card.text());
  out["guardian_cards"] = std::move(guardians);
  out["needed"] = order.needed;
  out["of_age"] = os::utc_text(order.of_age);
  out["card"] = order.card.text();
  return out;
}

Result<json::value> show(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const custody::PersonView view, control.people.view(context.parameter("person")));
  json::array guardians, proxies, waiting, leaves;
  for (const std::string& guardian : view.guardians) guardians.emplace_back(guardian);
  for (std::size_t i = 0; i < view.proxies.size(); ++i) {
    const consent::Proxy& proxy = view.record.proxies[i];
    proxies.push_back(
        {{"proxy", view.proxies[i]},
         {"card", proxy.card.text()},
         {"object", proxy.mandate.object.is_zero() ? "" : proxy.mandate.object.text()},
         {"purposes", consent::purposes_text(proxy.mandate.purposes)},
         {"testamentary", proxy.mandate.is_testamentary},
         {"until", os::utc_text(proxy.mandate.until)},
         {"authority", digest_text(proxy.mandate.authority)}});
  }
  for (const auto& order : view.record.waiting) waiting.push_back(order_json(order));
  for (const consent::EmergencyLeave& leave : view.record.leaves) {
    leaves.push_back({{"object", leave.object.is_zero() ? "" : leave.object.text()},
                      {"until", os::utc_text(leave.until)},
                      {"card", leave.card.text()}});
  }
  const auto time_or_none = [](os::UnixMs time) {
    return time.value == 0 ? std::string() : os::utc_text(time);
  };
  return json::value{{"person", view.person.person_id},
                     {"name", view.person.name},
                     {"card", view.person.card.text()},
                     {"died", time_or_none(view.record.died)},
                     {"of_age", time_or_none(view.record.of_age)},
                     {"guardians", std::move(guardians)},
                     {"guardians_needed", view.record.needed},
                     {"proxies", std::move(proxies)},
                     {"emergency", std::move(leaves)},
                     {"orders_waiting", std::move(waiting)}};
}

// At any site, as the next two: its own operator speaks for it.
Result<json::value> waiting_orders(http::RequestContext&, Services services) {
  json::array orders;
  for (const consent::WaitingOrder& order : services.site.gate.waiting_orders()) {
    orders.push_back(order_json(order));
  }
  return json::value{{"site", services.site.config.name.text()}, {"orders", std::move(orders)}};
}

Result<json::value> answer_order(http::RequestContext& context, Services services, bool is_yes) {
  TRY_ASSIGN(const auto order, consent::OrderId::parse(context.parameter("order")));
  if (is_yes) {
    TRY(services.site.gate.allow_order(order));
  } else {
    TRY(services.site.gate.decline_order(order));
  }
  return json::value{{"order", order.text()},
                     {"site", services.site.config.name.text()},
                     {"state", is_yes ? "allowed" : "declined"}};
}

}  // namespace

void add_people_routes(http::Router& router, Services services) {
  using http::Method;
  const auto at_control = [&](Method method, const char* path, auto work) {
    router.add(method, path, control_handler(services, work));
  };
  at_control(Method::kPost, "/v1/persons/{person}/proxies/prepare",
             [services](http::RequestContext& context, ControlServices& control) {
               return prepare_proxy(context, control, services);
             });
  at_control(Method::kPost, "/v1/persons/{person}/proxies", accept_act);
  at_control(Method::kPost, "/v1/persons/{person}/emergency/prepare",
             [services](http::RequestContext& context, ControlServices& control) {
               return prepare_leave(context, control, services);
             });
  at_control(Method::kPost, "/v1/persons/{person}/emergency", accept_act);
  at_control(Method::kPost, "/v1/persons/{person}/emergency/forbid", forbid_emergency);
  at_control(Method::kPost, "/v1/persons/{person}/proxies/remove", remove_proxy);
  at_control(Method::kPost, "/v1/persons/{person}/guardians", set_guardians);
  at_control(Method::kPost, "/v1/persons/{person}/died",
             [](http::RequestContext& context, ControlServices& control) {
               return tell_death(context, control, true);
             });
  at_control(Method::kPost, "/v1/persons/{person}/lives",
             [](http::RequestContext& context, ControlServices& control) {
               return tell_death(context, control, false);
             });
  at_control(Method::kGet, "/v1/persons/{person}", show);
  router.add(Method::kGet, "/v1/person-orders",
             json_handler([services](http::RequestContext& context) {
               return waiting_orders(context, services);
             }));
  for (const bool is_yes : {true, false}) {
    router.add(Method::kPost,
               is_yes ? "/v1/person-orders/{order}/allow" : "/v1/person-orders/{order}/decline",
               json_handler([services, is_yes](http::RequestContext& context) {
                 return answer_order(context, services, is_yes);
               }));
  }
}

}  // namespace warifu::api
