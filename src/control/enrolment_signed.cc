// Enrolment with a signature card: nothing is loaded on it, every site judges its certificate.
#include <algorithm>

#include "base/reason.h"
#include "control/enrolment.h"
#include "control/signature_service.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::string_view kPseudonymLabel = "warifu pseudonym 1";

// The id of such a card is its certificate's, so a broken-off enrolment comes again with the same
// id and has to come with the same pseudonyms: they are drawn from the root key, card and site.
Pseudonym pseudonym_for(const secret::Buffer& root, const CardId& card, const SiteName& at) {
  wire::Writer rest;
  rest.id(card);
  rest.site(at);
  secret::Buffer input(kPseudonymLabel.size() + root.size() + rest.bytes().size());
  copy_bytes(input.bytes(), as_bytes(kPseudonymLabel));
  copy_bytes(input.bytes().subspan(kPseudonymLabel.size()), root.bytes());
  copy_bytes(input.bytes().subspan(kPseudonymLabel.size() + root.size()), rest.bytes());
  return Pseudonym::from_view(ByteView(crypto::sha256(input.bytes())).first(16));
}

}  // namespace

Result<SignedPerson> Enrolment::enrol_everywhere(const SignatureCard& card,
                                                 const std::map<SiteName, Pseudonym>& pseudonyms) {
  SignedPerson enrolled{.card = consent::signature_card_id(card.certificate)};
  // This site first: what it refuses itself need not cost key.
  std::vector<std::pair<SiteName, Pseudonym>> order(pseudonyms.begin(), pseudonyms.end());
  std::ranges::stable_partition(
      order, [&](const auto& entry) { return entry.first == site_.config.name; });
  for (const auto& [at, person] : order) {
    TRY_ASSIGN(const card::CardKind kind, enrol_signature_at(site_, at,
                                                             {.person = person,
                                                              .certificate = card.certificate,
                                                              .signed_at = card.signed_at,
                                                              .signature = card.signature}));
    if (!enrolled.sites.empty() && kind != enrolled.kind) {
      return fail(Code::kRefused,
                  at.text() + " and " + enrolled.sites.front().text() +
                      " disagree whether the card is a chip or a stand-in for one: see "
                      "'cards.trust_anchors' and 'cards.test_anchors' there");
    }
    enrolled.kind = kind;
    enrolled.sites.push_back(at);
  }
  return enrolled;
}

Result<std::map<SiteName, Pseudonym>> Enrolment::pseudonyms_for(
    const CardId& card, const std::vector<catalog::SitePseudonym>& known) const {
  if (site_.config.sites.size() > card::kMaxSites) {
    return fail(Code::kInvalidArgument, "a card serves at most " + std::to_string(card::kMaxSites) +
                                            " sites, this network has " +
                                            std::to_string(site_.config.sites.size()));
  }
  std::map<SiteName, Pseudonym> pseudonyms;
  for (const config::SiteEntry& entry : site_.config.sites) {
    const auto found = std::ranges::find(known, entry.name, &catalog::SitePseudonym::site);
    pseudonyms[entry.name] = found != known.end()
                                 ? found->pseudonym
                                 : pseudonym_for(site_.keys.root_key(), card, entry.name);
  }
  return pseudonyms;
}

Result<SignedPerson> Enrolment::enrol_signed(const std::string& person, const std::string& name,
                                             const SignatureCard& card) {
  if (catalog_.person(person)) {
    return fail(Code::kAlreadyExists, "person '" + person + "' is already enrolled",
                Reason::kEnrolled);
  }
  const CardId id = consent::signature_card_id(card.certificate);
  if (catalog_.person_of_card(id)) {
    return fail(Code::kAlreadyExists, "this card already belongs to a person", Reason::kCardTaken);
  }
  TRY_ASSIGN(const auto pseudonyms, pseudonyms_for(id, {}));
  TRY_ASSIGN(SignedPerson enrolled, enrol_everywhere(card, pseudonyms));
  std::vector<catalog::SitePseudonym> list;
  for (const auto& [at, pseudonym] : pseudonyms) list.push_back({at, pseudonym});
  TRY(catalog_.enrol_person(
      {.person_id = person, .name = name, .card = id, .created = site_.system.clock.now()}, list));
  TRY(site_.log.append("person_enrolled", {{"card", id.text()}}));
  return enrolled;
}

Result<SignedPerson> Enrolment::enrol_signed_again(const std::string& person,
                                                   const SignatureCard& card) {
  TRY_ASSIGN(const auto known, catalog_.pseudonyms(person));
  const CardId id = consent::signature_card_id(card.certificate);
  if (catalog_.person_of_card(id)) {
    return fail(Code::kAlreadyExists, "this card already belongs to a person", Reason::kCardTaken);
  }
  TRY_ASSIGN(const auto pseudonyms, pseudonyms_for(id, known));
  TRY_ASSIGN(SignedPerson enrolled, enrol_everywhere(card, pseudonyms));
  std::vector<catalog::SitePseudonym> list;
  for (const auto& [at, pseudonym] : pseudonyms) list.push_back({at, pseudonym});
  TRY(catalog_.reissue_card(person, id, list));
  TRY(site_.log.append("card_reissued", {{"card", id.text()}}));
  return enrolled;
}

Result<card::CardKind> Enrolment::renew_signed(const SignatureCard& card, const SiteName& at) {
  const CardId id = consent::signature_card_id(card.certificate);
  TRY_ASSIGN(const catalog::Person person, catalog_.person_of_card(id));
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(person.person_id));
  const auto known = std::ranges::find(pseudonyms, at, &catalog::SitePseudonym::site);
  if (known == pseudonyms.end()) {
    return fail(Code::kInvalidArgument, "the card is not known at site '" + at.text() + "'");
  }
  TRY_ASSIGN(const card::CardKind kind, enrol_signature_at(site_, at,
                                                           {.person = known->pseudonym,
                                                            .certificate = card.certificate,
                                                            .signed_at = card.signed_at,
                                                            .signature = card.signature}));
  TRY(site_.log.append("card_renewed", {{"card", id.text()}, {"site", at.text()}}));
  return kind;
}

}  // namespace warifu::control
