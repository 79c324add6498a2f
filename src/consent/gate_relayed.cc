// The gate for relayed cards: this site's application, tokens, grants that were proved.
#include "base/reason.h"
#include "card/desfire_layout.h"
#include "consent/gate.h"

namespace warifu::consent {
namespace {

constexpr std::size_t kSecretBytes = 16;

bool is_number(std::uint8_t application) {
  return application >= 1 && application <= card::desfire::kMaxApplications;
}

secret::Buffer drawn(os::Random& random) {
  secret::Buffer bytes(kSecretBytes);
  random.fill(bytes.bytes());
  return bytes;
}

secret::Buffer copy(const secret::Buffer& bytes) {
  return secret::Buffer::copy_of(bytes.bytes());
}

}  // namespace

Result<> Gate::save_secrets(CardRecord record, const ApplicationSecrets& secrets) {
  seal_application(root_, record.card, secrets, system_.random, *record.own);
  return save(std::move(record));
}

Result<PersonalisingStart> Gate::begin_personalising(const RelayedEnrolment& enrolment) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(enrolment.card);
  const bool is_same = known != nullptr && !known->revoked && known->own &&
                       known->own->number == enrolment.application &&
                       known->person == enrolment.person && known->last_used.value == 0;
  if (is_same) {
    TRY_ASSIGN(ApplicationSecrets kept, open_application(root_, known->card, *known->own));
    return PersonalisingStart{std::move(kept), known->own->is_active};
  }
  // An earlier try has left something under another number: it stays there, of no use to anybody.
  const bool is_begun = known != nullptr && !known->revoked && known->own &&
                        !known->own->is_active && known->person == enrolment.person;
  if (is_begun && is_number(enrolment.application)) {
    CardRecord record = *known;
    TRY_ASSIGN(ApplicationSecrets kept, open_application(root_, record.card, *record.own));
    record.own->number = enrolment.application;
    TRY(save_secrets(std::move(record), kept));
    return PersonalisingStart{std::move(kept), false};
  }
  TRY(check_new_card(enrolment.card, enrolment.person));
  // A card in the place of a lost one is a one-time card in this version.
  TRY_ASSIGN(const os::UnixMs again, check_reissue(enrolment.person, system_.clock.now()));
  if (again.value != 0) {
    return fail(Code::kRefused,
                "site " + site_.text() + ": a DESFire card cannot take the place of another card");
  }
  if (!is_number(enrolment.application)) {
    return fail(Code::kInvalidArgument,
                "a card has applications 1 to " + std::to_string(card::desfire::kMaxApplications));
  }
  CardRecord record;
  record.card = enrolment.card;
  record.person = enrolment.person;
  record.kind = card::CardKind::kDesfire;
  record.own = OwnApplication{.number = enrolment.application};
  ApplicationSecrets secrets{drawn(system_.random), drawn(system_.random), {}};
  secrets.pending = copy(secrets.token);
  TRY(save_secrets(std::move(record), secrets));
  return PersonalisingStart{std::move(secrets), false};
}

Result<> Gate::finish_personalising(const CardId& card, card::CardKind kind) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known == nullptr || !known->own || !card::is_relayed(kind)) {
    return fail(Code::kNotFound,
                "site " + site_.text() + ": no enrolment of card " + card.text() + " was begun");
  }
  CardRecord record = *known;
  record.kind = kind;
  record.own->is_active = true;
  TRY(log_.append("card_enrolled", {{"card", card.text()},
                                    {"person", record.person.text()},
                                    {"kind", std::string(card_kind_name(kind))},
                                    {"application", std::to_string(record.own->number)}}));
  return save(std::move(record));
}

std::unexpected<Error> Gate::refuse_proof(const Refusal& refusal, ByteView grant) {
  ReleaseRequest request;
  if (const auto parsed = parse_grant(grant)) {
    request.object = parsed->object;
    request.destination = parsed->destination;
  }
  return refuse(refusal, grant, request);
}

Result<Grant> Gate::may_prove(ByteView grant, ProvedBy by) {
  const auto named = parse_grant(grant);
  const CardRecord* record = named ? find(named->card) : nullptr;
  const Evidence evidence{site_, record != nullptr ? record->kind : card::CardKind::kDesfire, {}};
  const Inquiry inquiry{site_,
                        root_,
                        record,
                        grant,
                        evidence,
                        {},
                        system_.clock.now(),
                        options_.nonce_life,
                        named && is_held_back(named->card),
                        record != nullptr ? find_person(record->person) : nullptr};
  auto decision = decide_proof(inquiry, by);
  if (!decision) return refuse_proof(decision.error(), grant);
  return std::move(*decision);
}

Result<ProofStart> Gate::begin_proof(ByteView grant) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const Grant allowed, may_prove(grant, ProvedBy::kDialogue));
  const CardRecord& record = *find(allowed.card);
  TRY_ASSIGN(ApplicationSecrets secrets, open_application(root_, record.card, *record.own));
  return ProofStart{record.card, record.own->number, std::move(secrets.key), crypto::sha256(grant)};
}

Result<secret::Buffer> Gate::renew_token(ByteView grant, ByteView token) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const Grant allowed, may_prove(grant, ProvedBy::kDialogue));
  CardRecord record = *find(allowed.card);
  TRY_ASSIGN(ApplicationSecrets secrets, open_application(root_, record.card, *record.own));
  // Both are compared, so that time does not tell which one it was.
  const bool is_present = secret::equal(token, secrets.token.bytes());
  const bool is_pending = secret::equal(token, secrets.pending.bytes());
  if (!is_present && !is_pending) {
    count_wrong_tag(record.card);
    return refuse_proof({Reason::kCopiedCard,
                         "the card does not carry what this site wrote on it last: a copy of it "
                         "was used, or this site was restored from an old backup"},
                        grant);
  }
  if (is_pending) secrets.token = copy(secrets.pending);
  secrets.pending = drawn(system_.random);
  TRY(save_secrets(std::move(record), secrets));
  return copy(secrets.pending);
}

Result<Evidence> Gate::accept_proof(ByteView grant) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const Grant proved, may_prove(grant, ProvedBy::kDialogue));
  CardRecord record = *find(proved.card);
  TRY_ASSIGN(ApplicationSecrets secrets, open_application(root_, record.card, *record.own));
  secrets.token = copy(secrets.pending);
  const Evidence evidence = take_proof(record, proved, grant);
  const Pseudonym person = record.person;
  TRY(save_secrets(std::move(record), secrets));
  TRY(note_told(proved, person));
  TRY(log_proof(proved, grant, evidence, {}));
  return evidence;
}

Evidence Gate::take_proof(CardRecord& record, const Grant& proved, ByteView grant) {
  forget_old(record, system_.clock.now());
  for (const GrantSite& entry : proved.sites) {
    if (entry.site != site_) continue;
    std::erase_if(record.nonces,
                  [&](const IssuedNonce& issued) { return issued.nonce == entry.nonce; });
  }
  record.last_used = proved.index;
  AcceptedGrant accepted{.grant = Bytes(grant.begin(), grant.end()), .uses_left = proved.uses};
  system_.random.fill(accepted.tag);
  const Evidence evidence{site_, record.kind, accepted.tag};
  record.grants.push_back(std::move(accepted));
  return evidence;
}

Result<> Gate::log_proof(const Grant& proved, ByteView grant, const Evidence& evidence,
                         const audit::Fields& more) {
  failures_.erase(proved.card);
  audit::Fields fields = {{"grant", grant_id(grant).text()},
                          {"card", proved.card.text()},
                          {"kind", std::string(card_kind_name(evidence.kind))},
                          {"security", std::string(evidence_class(evidence.kind))},
                          {"holder_verification", std::string(holder_verification(evidence.kind))},
                          {"index", std::to_string(proved.index.value)},
                          {"terminal", proved.terminal}};
  fields.insert(fields.end(), more.begin(), more.end());
  return log_.append("card_proved", fields);
}

void Gate::note_wrong_card(ByteView grant, const std::string& why) {
  const std::lock_guard lock(mutex_);
  const auto named = parse_grant(grant);
  if (named) count_wrong_tag(named->card);
  (void)refuse_proof({Reason::kWrongCard, why}, grant);
}

Result<ProofStart> Gate::application_key(const CardId& card) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known == nullptr || !known->own) {
    return fail(Code::kNotFound,
                "site " + site_.text() + ": card " + card.text() + " has no application of it");
  }
  if (known->revoked || !known->own->is_active) {
    return fail(Code::kRefused,
                "site " + site_.text() + ": card " + card.text() +
                    (known->revoked ? " is on the hot list" : " is not personalised yet"),
                known->revoked ? Reason::kRevoked : Reason::kNone);
  }
  TRY_ASSIGN(ApplicationSecrets secrets, open_application(root_, card, *known->own));
  return ProofStart{card, known->own->number, std::move(secrets.key), {}};
}

}  // namespace warifu::consent
