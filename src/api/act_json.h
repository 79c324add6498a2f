// What the routes of a card's acts have in common.
#pragma once

#include "api/json.h"
#include "custody/card_acts.h"

namespace warifu::api {

// A card's proof of an act: one tag for each site of the grant.
struct ActProof {
  Bytes grant;
  card::CardKind kind = card::CardKind::kOneTimeMac;
  std::vector<mac::Tag> tags;
};

[[nodiscard]] Result<custody::ActPlace> act_place(const json::object& body);
// Of an act: with what the person has to be told before, by that card.
[[nodiscard]] json::object prepared_json(const control::PreparedConsent& prepared,
                                         ControlServices& control, const CardId& card);
[[nodiscard]] Result<ActProof> act_proof(const json::object& body);
// Hexadecimal of at most so many bytes (signature_routes.cc).
[[nodiscard]] Result<Bytes> hex_field(const json::object& body, const char* name, std::size_t most);

// Answers with what a card is to be loaded with (person_routes.cc).
[[nodiscard]] json::object content_json(const control::CardContent& content);

// A turn of a ceremony (card_routes.cc).
[[nodiscard]] json::value turn_json(const control::CeremonyTurn& turn);
// A signature card as a terminal read it, and what came of its enrolment (signature_routes.cc).
[[nodiscard]] Result<control::SignatureCard> signature_card(const json::object& body);
[[nodiscard]] json::value signed_json(const std::string& person,
                                      const control::SignedPerson& enrolled);
// Committed objects of a person; with `pending` those alone whose record is on no card yet
// (enrolment_routes.cc).
[[nodiscard]] Result<json::array> objects_of(ControlServices& control, const std::string& person,
                                             bool pending);

// Emergencies, for people, the newest last.
[[nodiscard]] json::array emergencies_json(const std::vector<custody::EmergencyView>& views);
[[nodiscard]] json::array emergencies_json(const std::vector<custody::SeenEmergency>& seen);
// What this site knows of them, with the persons' names where it has a catalog.
[[nodiscard]] json::array emergencies_json(Services services);

}  // namespace warifu::api
