// What a gate is told about cards and consents beside requests for shares: hot list, withdrawal,
// another card in the place of a lost one.
#include <algorithm>

#include "base/reason.h"
#include "consent/gate.h"

namespace warifu::consent {

Result<> Gate::put_on_hot_list(const CardId& card) {
  CardRecord record;
  const CardRecord* known = find(card);
  if (known != nullptr) {
    record.person = known->person;
    record.kind = known->kind;
    record.last_used = known->last_used;
  }
  record.card = card;
  record.revoked = true;
  record.revoked_at = system_.clock.now();
  // Effect first, record second: a full log disk must not keep a stolen card alive.
  if (known == nullptr || !known->revoked) TRY(save(std::move(record)));
  return log_.append("card_revoked", {{"card", card.text()}});
}

Result<> Gate::revoke(const CardId& card) {
  const std::lock_guard lock(mutex_);
  return put_on_hot_list(card);
}

Result<> Gate::withdraw(const CardId& card, const GrantId& grant, os::UnixMs until) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known == nullptr || known->revoked) return {};
  CardRecord record = *known;
  forget_old(record, system_.clock.now());
  const auto told = std::ranges::find(record.withdrawn, grant, &Withdrawal::grant);
  if (told != record.withdrawn.end()) return {};
  if (record.withdrawn.size() >= kMaxWithdrawn) {
    return fail(Code::kNoSpace, "site " + site_.text() + ": card " + card.text() +
                                    " has too many withdrawn consents; revoke it instead");
  }
  record.withdrawn.push_back({grant, until});
  // Effect first, as above.
  TRY(save(std::move(record)));
  return log_.append("consent_withdrawn", {{"grant", grant.text()}, {"card", card.text()}});
}

Result<> Gate::still_permits(const Permit& permit) {
  const std::lock_guard lock(mutex_);
  const auto refuse = [&](const char* why, Reason reason) {
    return fail(Code::kRefused, "site " + site_.text() + " refuses: " + why, reason);
  };
  const PersonRecord* owner = find_person(permit.owner_);
  for (const PermitBasis& basis : permit.bases_) {
    const CardRecord* record = find(basis.card);
    if (record == nullptr || record->revoked)
      return refuse("the card has been revoked", Reason::kRevoked);
    if (std::ranges::find(record->withdrawn, basis.grant, &Withdrawal::grant) !=
        record->withdrawn.end()) {
      return refuse("the person has withdrawn this consent", Reason::kWithdrawn);
    }
    switch (bar_to(basis.acting, permit.owner_, owner, system_.clock.now())) {
      case Bar::kNone: break;
      case Bar::kDied: return refuse("the person has died", Reason::kDied);
      case Bar::kUnderAge: return refuse("the person is under age", Reason::kUnderAge);
      case Bar::kOfAge:
        return refuse("the person came of age: guardians consent no more", Reason::kOfAge);
      case Bar::kOtherPerson:
      case Bar::kNotEntitled:
        if (basis.acting.capacity == Capacity::kEmergency) {
          return refuse("the person allows no emergencies any more", Reason::kNotAllowedBefore);
        }
        return refuse("who consented may do so no more", Reason::kNotEntitled);
    }
  }
  return {};
}

Result<> Gate::allow_reissue(const CardId& card, os::UnixMs until) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known == nullptr || known->person.is_zero()) {
    return fail(Code::kNotFound,
                "site " + site_.text() + ": card " + card.text() + " is not known here");
  }
  if (!known->revoked) {
    return fail(Code::kInvalidArgument,
                "site " + site_.text() + ": card " + card.text() +
                    " is not on the hot list; only a card that is can be replaced");
  }
  CardRecord record = *known;
  record.reissue_until = until;
  TRY(log_.append("reissue_allowed", {{"card", card.text()}, {"until", os::utc_text(until)}}));
  return save(std::move(record));
}

Result<LostCard> Gate::lost_card(const CardId& card) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known != nullptr && known->revoked && !known->person.is_zero()) return lost_of(*known);
  return fail(Code::kNotFound, "site " + site_.text() + ": card " + card.text() +
                                   " is not known here, or not on the hot list");
}

std::vector<LostCard> Gate::lost_cards() {
  const std::lock_guard lock(mutex_);
  std::vector<LostCard> lost;
  for (const auto& [id, record] : cards_) {
    if (!record.revoked || record.person.is_zero()) continue;
    const auto in_its_place = [&](const auto& entry) {
      return entry.second.person == record.person && !entry.second.revoked;
    };
    if (last_revoked(record.person) != &record || std::ranges::any_of(cards_, in_its_place)) {
      continue;
    }
    lost.push_back(lost_of(record));
  }
  return lost;
}

LostCard Gate::lost_of(const CardRecord& record) const {
  return {record.card, record.revoked_at,
          os::UnixMs{record.revoked_at.value + options_.reissue_delay.count()},
          record.reissue_until};
}

const CardRecord* Gate::last_revoked(const Pseudonym& person) const {
  const CardRecord* last = nullptr;
  for (const auto& [card, known] : cards_) {
    if (known.person != person || !known.revoked) continue;
    if (last == nullptr || last->revoked_at < known.revoked_at) last = &known;
  }
  return last;
}

Result<os::UnixMs> Gate::check_reissue(const Pseudonym& person, os::UnixMs now) const {
  if (const PersonRecord* known = find_person(person)) {
    if (known->died.value != 0 || known->is_ward(now)) {
      return fail(Code::kRefused,
                  "site " + site_.text() + ": person " + person.text() +
                      (known->died.value != 0 ? " has died"
                                              : " is under age and has no card before " +
                                                    os::utc_text(known->of_age)));
    }
  }
  const CardRecord* lost = last_revoked(person);
  const bool allowed = lost != nullptr && now < lost->reissue_until;
  // One card for a person: whoever could enrol a second one could consent in the person's place.
  for (const auto& [card, known] : cards_) {
    if (known.person != person || known.revoked) continue;
    if (allowed && known.records_until.value != 0) continue;  // it gives way
    return fail(Code::kRefused, "site " + site_.text() + ": person " + person.text() +
                                    " has a card already; revoke it first");
  }
  if (lost == nullptr) return os::UnixMs{0};
  const os::UnixMs from{lost->revoked_at.value + options_.reissue_delay.count()};
  if (now < from) {
    return fail(Code::kRefused,
                "site " + site_.text() + ": card " + lost->card.text() +
                    " was put on the hot list at " + os::utc_text(lost->revoked_at) +
                    "; another one may take its place from " + os::utc_text(from),
                Reason::kReissueWait);
  }
  if (!allowed) {
    return fail(Code::kRefused,
                "site " + site_.text() +
                    ": an officer here must allow another card in "
                    "the place of card " +
                    lost->card.text() + " ('warifu card allow-reissue')",
                Reason::kReissueLeave);
  }
  return os::UnixMs{now.value +
                    std::chrono::duration_cast<std::chrono::milliseconds>(kRecordsLife).count()};
}

Result<> Gate::replace_earlier(const Pseudonym& person) {
  const CardRecord* lost = last_revoked(person);
  if (lost == nullptr) return {};
  const CardRecord leave = *lost;
  std::vector<CardId> earlier;
  for (const auto& [card, known] : cards_) {
    if (known.person == person && !known.revoked) earlier.push_back(card);
  }
  for (const CardId& card : earlier) {
    TRY(put_on_hot_list(card));
    CardRecord record = *find(card);
    record.revoked_at = leave.revoked_at;  // the same leave, no further delay
    record.reissue_until = leave.reissue_until;
    TRY(save(std::move(record)));
  }
  return {};
}

std::vector<CardId> Gate::cards_of(const Pseudonym& person) {
  const std::lock_guard lock(mutex_);
  std::vector<CardId> cards;
  for (const auto& [card, known] : cards_) {
    if (known.person == person) cards.push_back(card);
  }
  return cards;
}

bool Gate::may_act_for(const CardRecord& card, const Pseudonym& owner, const ObjectId& object) {
  const PersonRecord* record = find_person(owner);
  for (const Capacity capacity : {Capacity::kProxy, Capacity::kGuardian}) {
    for (std::uint8_t purpose = 1; purpose <= kLastPurpose; ++purpose) {
      const Acting acting{card.person, capacity, kMaxGuardians, static_cast<Purpose>(purpose),
                          object};
      if (bar_to(acting, owner, record, system_.clock.now()) == Bar::kNone) return true;
    }
  }
  return false;
}

Result<> Gate::may_give_records(const CardId& card, const Pseudonym& owner,
                                const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  const auto refuse = [&](const std::string& why) {
    return fail(Code::kRefused,
                "site " + site_.text() + " gives no record to card " + card.text() + ": " + why);
  };
  if (known == nullptr || known->revoked) return refuse("it is not enrolled here");
  if (known->person != owner) {
    if (may_act_for(*known, owner, object)) return {};
    return refuse("the record belongs to another person");
  }
  if (known->records_until.value == 0) return refuse("it took the place of no other card");
  if (system_.clock.now() >= known->records_until) {
    return refuse("it took the place of the lost card too long ago");
  }
  return {};
}

}  // namespace warifu::consent
