// Dialogues in memory, their scripts bound to the gate.
#include "consent/card_dialogues.h"

#include <algorithm>

namespace warifu::consent {

using card::desfire::SiteKey;

std::unique_ptr<CardDialogues::Running> CardDialogues::make(const CardId& card) {
  auto running = std::make_unique<Running>(system_.random, card);
  running->id = os::random_id<DialogueId>(system_.random);
  return running;
}

Result<DialogueTurn> CardDialogues::keep(std::unique_ptr<Running> running,
                                         Result<std::optional<secret::Buffer>> apdu) {
  if (!apdu) {
    if (apdu.error().code == Code::kRefused && !running->grant.empty() && !running->is_logged) {
      gate_.note_wrong_card(running->grant, apdu.error().message);
    }
    return std::unexpected(apdu.error());
  }
  DialogueTurn turn{.dialogue = running->id};
  if (!*apdu) {
    turn.result = std::move(running->result);
    return turn;
  }
  const ByteView bytes = (*apdu)->bytes();
  turn.apdu = Bytes(bytes.begin(), bytes.end());
  const std::chrono::nanoseconds now = system_.clock.monotonic();
  running->until = now + kPatience;
  const CardId card = running->card;
  const std::lock_guard lock(mutex_);
  std::erase_if(running_, [&](const auto& entry) { return entry.second->until < now; });
  if (running_.size() >= kMaxDialogues && !running_.contains(card)) {
    return fail(Code::kBusy, "this site speaks to too many cards just now; try again");
  }
  running_[card] = std::move(running);
  return turn;
}

Result<DialogueTurn> CardDialogues::personalise(const RelayedEnrolment& enrolment,
                                                std::uint8_t applications) {
  TRY_ASSIGN(PersonalisingStart start, gate_.begin_personalising(enrolment));
  auto running = make(enrolment.card);
  Running* self = running.get();
  card::desfire::personalise(running->dialogue,
                             {{enrolment.application, applications, enrolment.card},
                              {enrolment.application, std::move(start.secrets.key)},
                              std::move(start.secrets.token),
                              start.is_known},
                             [this, self](card::CardKind kind) -> Result<> {
                               self->result.kind = kind;
                               return gate_.finish_personalising(self->card, kind);
                             });
  auto first = running->dialogue.begin();
  return keep(std::move(running), std::move(first));
}

Result<DialogueTurn> CardDialogues::authorise(ByteView grant) {
  TRY_ASSIGN(ProofStart start, gate_.begin_proof(grant));
  auto running = make(start.card);
  running->grant.assign(grant.begin(), grant.end());
  Running* self = running.get();
  card::desfire::authorise(
      running->dialogue, {start.application, std::move(start.key)}, start.grant_digest,
      [this, self](ByteView token) {
        auto fresh = gate_.renew_token(self->grant, token);
        self->is_logged = !fresh;
        return fresh;
      },
      [this, self]() -> Result<> {
        const auto evidence = gate_.accept_proof(self->grant);
        self->is_logged = !evidence;
        if (!evidence) return std::unexpected(evidence.error());
        self->result.kind = evidence->kind;
        self->result.receipt = evidence->tag;
        return {};
      });
  auto first = running->dialogue.begin();
  return keep(std::move(running), std::move(first));
}

Result<DialogueTurn> CardDialogues::get_record(const CardId& card, const ObjectId& object) {
  TRY_ASSIGN(ProofStart start, gate_.application_key(card));
  auto running = make(card);
  Running* self = running.get();
  card::desfire::get_record(running->dialogue, {start.application, std::move(start.key)}, object,
                            [self](card::ObjectRecord record) -> Result<> {
                              self->result.record = std::move(record);
                              return {};
                            });
  auto first = running->dialogue.begin();
  return keep(std::move(running), std::move(first));
}

Result<DialogueTurn> CardDialogues::put_record(const CardId& card,
                                               const card::ObjectRecord& record) {
  TRY_ASSIGN(ProofStart start, gate_.application_key(card));
  auto running = make(card);
  card::desfire::put_record(running->dialogue, {start.application, std::move(start.key)}, record);
  auto first = running->dialogue.begin();
  return keep(std::move(running), std::move(first));
}

Result<DialogueTurn> CardDialogues::answer(const DialogueId& dialogue, ByteView answer) {
  std::unique_ptr<Running> running;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(
        running_, [&](const auto& entry) { return entry.second->id == dialogue; });
    if (found != running_.end()) {
      running = std::move(found->second);
      running_.erase(found);
    }
  }
  if (running == nullptr || running->until < system_.clock.monotonic()) {
    return fail(Code::kNotFound, "this dialogue with a card is over; begin the ceremony again");
  }
  auto next = running->dialogue.next(answer);
  return keep(std::move(running), std::move(next));
}

}  // namespace warifu::consent
