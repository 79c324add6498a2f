// Ceremonies with a type A card: the terminal brings answers of the card and gets the next APDU.
#include "api/act_json.h"
#include "operators/gate.h"

namespace warifu::api {

json::value turn_json(const control::CeremonyTurn& turn) {
  json::object out = {{"ceremony", turn.ceremony.text()}, {"card", turn.card.text()}};
  if (turn.apdu) {
    out["site"] = turn.site.text();
    out["apdu"] = to_hex(*turn.apdu);
    return out;
  }
  json::array sites;
  for (const SiteName& site : turn.sites) sites.emplace_back(site.text());
  out["over"] = true;
  out["kind"] = consent::card_kind_name(turn.kind);
  out["sites"] = std::move(sites);
  if (turn.grant) out["grant"] = turn.grant->text();
  if (!turn.receipts.empty()) {
    json::array tags;
    for (const mac::Tag& receipt : turn.receipts) tags.emplace_back(to_hex(receipt));
    out["card_kind"] = static_cast<int>(turn.kind);
    out["tags"] = std::move(tags);
  }
  return out;
}

namespace {

// Hexadecimal digits of a short APDU or its answer.
constexpr std::size_t kMaxAnswerBytes = 512;

// One route, but enrolling is the biobank's (a terminal needs an order), asking for consent the
// hospital's.
Result<> check_role(Services services, http::RequestContext& context, const std::string& what) {
  if (services.operators == nullptr) return {};
  using enum operators::Role;
  operators::RoleSet roles{kBiobank};
  if (what == "consent") roles = {kHospital, kKiosk};
  if (what == "record") roles = {kBiobank, kKiosk};
  if (what == "proof") roles = {kBiobank, kHospital, kKiosk};  // what it is for asks again
  return services.operators->require(context, roles, "the ceremony " + what);
}

Result<json::value> begin_ceremony(Services services, http::RequestContext& context,
                                   ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string what, text_field(body, "ceremony"));
  TRY(check_role(services, context, what));
  const auto begun = [&]() -> Result<control::CeremonyTurn> {
    if (what == "enrol") {
      TRY_ASSIGN(const std::string person, text_field(body, "person"));
      TRY_ASSIGN(const std::string name, text_field(body, "name"));
      return control.ceremonies.enrol(person, name);
    }
    if (what == "consent" || what == "proof") {
      TRY_ASSIGN(const Bytes grant, hex_field(body, "grant", card::kMaxGrantBytes));
      return what == "proof" ? control.ceremonies.prove(grant) : control.ceremonies.consent(grant);
    }
    if (what == "record") {
      TRY_ASSIGN(const ObjectId object, id_field<ObjectId>(body, "object"));
      TRY_ASSIGN(const CardId card, id_field<CardId>(body, "card"));
      return control.ceremonies.put_record(object, card);
    }
    if (what == "renew") {
      TRY_ASSIGN(const CardId card, id_field<CardId>(body, "card"));
      TRY_ASSIGN(const std::string name, text_field(body, "site"));
      TRY_ASSIGN(const SiteName at, SiteName::parse(name));
      TRY_ASSIGN(const std::uint64_t number,
                 number_field(body, "application", card::desfire::kMaxApplications));
      return control.ceremonies.renew(card, at, static_cast<std::uint8_t>(number));
    }
    return fail(Code::kInvalidArgument,
                "ceremony '" + what + "' must be enrol, consent, proof, record or renew");
  }();
  if (!begun) return std::unexpected(begun.error());
  return turn_json(*begun);
}

Result<json::value> answer_ceremony(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const auto id, control::CeremonyId::parse(context.parameter("ceremony")));
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string hex, text_field(body, "answer"));
  if (hex.size() > 2 * kMaxAnswerBytes) {
    return fail(Code::kInvalidArgument, "field 'answer' is longer than a card's answer");
  }
  TRY_ASSIGN(const Bytes bytes, from_hex(hex));
  TRY_ASSIGN(const control::CeremonyTurn turn, control.ceremonies.answer(id, bytes));
  if (turn.grant) TRY(control.emergencies.told_by(*turn.grant));  // a consent of the person's
  return turn_json(turn);
}

}  // namespace

void add_card_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/cards/ceremonies",
             control_handler(services,
                             [services](http::RequestContext& context, ControlServices& control) {
                               return begin_ceremony(services, context, control);
                             }));
  router.add(Method::kPost, "/v1/cards/ceremonies/{ceremony}",
             control_handler(services, answer_ceremony));
}

}  // namespace warifu::api
