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
  const operators::RoleSet roles = what == "consent"  ? operators::RoleSet{kHospital, kKiosk}
                                   : what == "record" ? operators::RoleSet{kBiobank, kKiosk}
                                                      : operators::RoleSet{kBiobank};
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
    if (what == "consent") {
      TRY_ASSIGN(const std::string hex, text_field(body, "grant"));
      TRY_ASSIGN(const Bytes grant, from_hex(hex));
      return control.ceremonies.consent(grant);
    }
    if (what == "record") {
      TRY_ASSIGN(const ObjectId object, id_field<ObjectId>(body, "object"));
      return control.ceremonies.put_record(object);
    }
    return fail(Code::kInvalidArgument, "ceremony '" + what + "' must be enrol, consent or record");
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
  if (turn.grant) TRY(control.emergencies.told_by_card(turn.card));  // a consent of the person's
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
