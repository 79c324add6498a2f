// What every site does with cards that prove a grant before it is used: signature cards
// (signature_service.h), and type A cards for share control: leads its own dialogue with the card,
// relayed by share control and the terminal (requests 60 and 61, docs/formats/site-requests.md).
//
// Thread-safe; handlers run on the channel's threads.
#pragma once

#include "consent/card_dialogues.h"
#include "control/share_service.h"

namespace warifu::control {

// What a site is asked to begin: its application on a new card, or the proof of a grant.
struct CardOrder {
  enum class What : std::uint8_t { kPersonalise = 1, kAuthorise = 2 };
  What what = What::kAuthorise;
  consent::RelayedEnrolment enrolment;
  std::uint8_t applications = 0;
  Bytes grant;
};

// The card's answer on its way to the site that waits for it.
struct CardAnswer {
  consent::DialogueId dialogue;
  Bytes answer;
};

[[nodiscard]] Bytes encode(const CardOrder& order);
[[nodiscard]] Result<CardOrder> decode_card_order(ByteView body);
[[nodiscard]] Bytes encode(const CardAnswer& answer);
[[nodiscard]] Result<CardAnswer> decode_card_answer(ByteView body);
// Records of objects never leave their site, so they are not in it.
[[nodiscard]] Bytes encode(const consent::DialogueTurn& turn);
[[nodiscard]] Result<consent::DialogueTurn> decode_card_turn(ByteView body);

class CardService {
 public:
  explicit CardService(SiteContext& site) : site_(site), dialogues_(site.system, site.gate) {}

  void add_handlers(channel::Server& server);
  // The same at this site, without a message. Errors: the dialogue's.
  [[nodiscard]] Result<consent::DialogueTurn> begin(const CardOrder& order);
  [[nodiscard]] consent::CardDialogues& dialogues() { return dialogues_; }

 private:
  SiteContext& site_;
  consent::CardDialogues dialogues_;
};

}  // namespace warifu::control
