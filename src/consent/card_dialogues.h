// This site's conversations with DESFire cards that lie on a terminal elsewhere.
//
// The site holds the key of its application and leads the dialogue: it says the next APDU, whoever
// relays it brings the card's answer. Nobody on the way can read or bend it unnoticed, and nothing
// of it can be used again: every dialogue is under fresh session keys of card and site. Invariants:
// one dialogue for a card, a new one ends the old one; at most kMaxDialogues, each for kPatience at
// most; nothing of them survives a restart. What counts is written by the Gate. Thread-safe;
// `system` and `gate` must outlive it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "card/desfire_layout.h"
#include "consent/gate.h"

namespace warifu::consent {

using DialogueId = Id16<struct CardDialogueTag>;

// What came of a dialogue.
struct DialogueResult {
  card::CardKind kind = card::CardKind::kDesfire;
  mac::Tag receipt{};                        // of a proof
  std::optional<card::ObjectRecord> record;  // of get_record()
};

// The next APDU for the card, or the result when the dialogue is over.
struct DialogueTurn {
  DialogueId dialogue;
  std::optional<Bytes> apdu;
  DialogueResult result;
};

class CardDialogues {
 public:
  static constexpr std::size_t kMaxDialogues = 64;
  static constexpr std::chrono::seconds kPatience{120};

  CardDialogues(const os::System& system, Gate& gate) : system_(system), gate_(gate) {}

  // Each begins a dialogue. Errors: the gate's.
  // `applications`: how many the card will have in all.
  [[nodiscard]] Result<DialogueTurn> personalise(const RelayedEnrolment& enrolment,
                                                 std::uint8_t applications);
  [[nodiscard]] Result<DialogueTurn> authorise(ByteView grant);
  [[nodiscard]] Result<DialogueTurn> get_record(const CardId& card, const ObjectId& object);
  [[nodiscard]] Result<DialogueTurn> put_record(const CardId& card,
                                                const card::ObjectRecord& record);

  // The card's answer to the last APDU. After an error the dialogue is over. Errors: kNotFound when
  // there is no such dialogue (any more); kRefused when the card is not the right one; kCorrupt,
  // kProtocol for a bad answer; the gate's.
  [[nodiscard]] Result<DialogueTurn> answer(const DialogueId& dialogue, ByteView answer);

 private:
  struct Running {
    Running(os::Random& random, const CardId& of) : card(of), dialogue(random) {}
    DialogueId id;
    CardId card;
    std::chrono::nanoseconds until{0};
    card::desfire::Dialogue dialogue;
    DialogueResult result;
    Bytes grant;             // of a proof
    bool is_logged = false;  // the gate has refused and logged it
  };

  std::unique_ptr<Running> make(const CardId& card);
  // Keeps it for the next answer unless it is over.
  Result<DialogueTurn> keep(std::unique_ptr<Running> running,
                            Result<std::optional<secret::Buffer>> apdu);

  os::System system_;
  Gate& gate_;
  std::mutex mutex_;
  std::map<CardId, std::unique_ptr<Running>> running_;
};

}  // namespace warifu::consent
