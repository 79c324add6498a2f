// Signature cards: the terminal brings a certificate and what the card has signed.
#include "api/act_json.h"

namespace warifu::api {

Result<Bytes> hex_field(const json::object& body, const char* name, std::size_t most) {
  TRY_ASSIGN(const std::string hex, text_field(body, name));
  if (hex.size() > 2 * most) {
    return fail(Code::kInvalidArgument, "field '" + std::string(name) + "' is too long");
  }
  auto bytes = from_hex(hex);
  if (!bytes) return fail_in("field '" + std::string(name) + "'", bytes.error());
  return bytes;
}

Result<control::SignatureCard> signature_card(const json::object& body) {
  control::SignatureCard card;
  TRY_ASSIGN(card.certificate, hex_field(body, "certificate", crypto::kMaxCertificateBytes));
  TRY_ASSIGN(card.signature, hex_field(body, "signature", crypto::kMaxSignatureBytes));
  TRY_ASSIGN(const std::uint64_t at, number_field(body, "signed_at", INT64_MAX));
  card.signed_at = {static_cast<std::int64_t>(at)};
  return card;
}

json::value signed_json(const std::string& person, const control::SignedPerson& enrolled) {
  json::array sites;
  for (const SiteName& site : enrolled.sites) sites.emplace_back(site.text());
  return {{"person", person},
          {"card", enrolled.card.text()},
          {"kind", consent::card_kind_name(enrolled.kind)},
          {"security", consent::evidence_class(enrolled.kind)},
          {"sites", std::move(sites)}};
}

namespace {

Result<json::value> enrol_signed(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const std::string person, text_field(body, "person"));
  TRY_ASSIGN(const std::string name, text_field(body, "name"));
  TRY_ASSIGN(const control::SignatureCard card, signature_card(body));
  TRY_ASSIGN(const auto enrolled, control.enrolment.enrol_signed(person, name, card));
  return signed_json(person, enrolled);
}

Result<json::value> reissue_signed(http::RequestContext& context, ControlServices& control) {
  const std::string person(context.parameter("person"));
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const control::SignatureCard card, signature_card(body));
  TRY_ASSIGN(const auto enrolled, control.cards.reissue_signed(person, card));
  return signed_json(person, enrolled);
}

// At a site that lost its gate.
Result<json::value> renew_signed(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const control::SignatureCard card, signature_card(body));
  TRY_ASSIGN(const std::string name, text_field(body, "site"));
  TRY_ASSIGN(const SiteName at, SiteName::parse(name));
  TRY_ASSIGN(const card::CardKind kind, control.enrolment.renew_signed(card, at));
  return json::value{{"site", at.text()}, {"kind", consent::card_kind_name(kind)}};
}

Result<json::value> give_signed(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const json::object body, body_object(context));
  TRY_ASSIGN(const Bytes grant, hex_field(body, "grant", card::kMaxGrantBytes));
  TRY_ASSIGN(const Bytes signature, hex_field(body, "signature", crypto::kMaxSignatureBytes));
  TRY_ASSIGN(const auto given, control.intake.accept_signed(grant, signature));
  return json::value{{"grant", given.grant.text()},
                     {"kind", consent::card_kind_name(given.kind)},
                     {"security", consent::evidence_class(given.kind)}};
}

}  // namespace

void add_signature_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kPost, "/v1/persons/signed", control_handler(services, enrol_signed));
  router.add(Method::kPost, "/v1/persons/{person}/reissue/signed",
             control_handler(services, reissue_signed));
  router.add(Method::kPost, "/v1/cards/renewal/signed", control_handler(services, renew_signed));
  router.add(Method::kPost, "/v1/consents/signed", control_handler(services, give_signed));
}

}  // namespace warifu::api
