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
[[nodiscard]] json::object prepared_json(const control::PreparedConsent& prepared);
[[nodiscard]] Result<ActProof> act_proof(const json::object& body);
// Hexadecimal of at most so many bytes (signature_routes.cc).
[[nodiscard]] Result<Bytes> hex_field(const json::object& body, const char* name, std::size_t most);

// Answers with what a card is to be loaded with (person_routes.cc).
[[nodiscard]] json::object content_json(const control::CardContent& content);

// Emergencies, for people, the newest last.
[[nodiscard]] json::array emergencies_json(const std::vector<custody::EmergencyView>& views);
// What the person with that card has to be told before anything else (consent_routes.cc).
[[nodiscard]] json::array untold_emergencies_json(ControlServices& control, const CardId& card);
// What this site knows of them, with the persons' names where it has a catalog.
[[nodiscard]] json::array emergencies_json(Services services);

}  // namespace warifu::api
