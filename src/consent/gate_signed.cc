// The gate for signature cards: certificates that it keeps, grants that a signature has proved.
#include <algorithm>

#include "consent/gate.h"
#include "consent/signature_trust.h"

namespace warifu::consent {
namespace {

// Whether the signature is the certificate's over the message.
std::optional<Refusal> check_signature(ByteView certificate, ByteView message, ByteView signature) {
  const auto good = crypto::verify_signature(certificate, message, signature);
  if (!good) return Refusal{Reason::kDamagedCertificate, good.error().message};
  if (*good) return std::nullopt;
  return Refusal{Reason::kWrongSignature, "the signature is not the card's over this"};
}

std::expected<Judgement, Refusal> judge_with(const GateOptions& options, ByteView certificate,
                                             os::UnixMs now) {
  if (options.signatures == nullptr) {
    return std::unexpected(Refusal{Reason::kUntrustedIssuer,
                                   "this site trusts no authority of signature cards ('[cards] "
                                   "trust_anchors')"});
  }
  return options.signatures->judge(certificate, now);
}

std::string digest_text(ByteView bytes) {
  return to_hex(crypto::sha256(bytes));
}

}  // namespace

std::unexpected<Error> Gate::refuse_enrolment(const CardId& card, const Refusal& refusal) {
  std::string message = "site " + site_.text() + " refuses: " + refusal.text;
  const auto logged =
      log_.append("enrolment_refused", {{"card", card.text()},
                                        {"reason", std::string(reason_name(refusal.reason))},
                                        {"text", refusal.text}});
  if (!logged) message += " (and the refusal could not be logged)";
  return fail(Code::kRefused, std::move(message), refusal.reason);
}

Result<card::CardKind> Gate::enrol_signature(const SignatureEnrolment& enrolment) {
  const std::lock_guard lock(mutex_);
  const CardId card = signature_card_id(enrolment.certificate);
  const os::UnixMs now = system_.clock.now();
  const auto judged = judge_with(options_, enrolment.certificate, now);
  if (!judged) return refuse_enrolment(card, judged.error());
  const std::int64_t age = now.value - enrolment.signed_at.value;
  const std::int64_t life = std::chrono::milliseconds(kStatementLife).count();
  if (age < -life || age > life) {
    return refuse_enrolment(card, {Reason::kStaleStatement,
                                   "the card signed its enrolment at another time than now; does "
                                   "the terminal's clock differ?"});
  }
  if (const auto refusal =
          check_signature(enrolment.certificate, enrolment_statement(card, enrolment.signed_at),
                          enrolment.signature)) {
    return refuse_enrolment(card, *refusal);
  }
  const CardRecord* known = find(card);
  const bool is_same = known != nullptr && !known->revoked && card::is_signature(known->kind) &&
                       known->person == enrolment.person && known->last_used.value == 0;
  if (is_same && known->kind == judged->kind) return known->kind;
  os::UnixMs records_until;
  if (is_same) {
    records_until = known->records_until;  // the configuration has changed its mind about the kind
  } else {
    TRY(check_new_card(card, enrolment.person));
    TRY_ASSIGN(records_until, check_reissue(enrolment.person, now));
  }
  CardRecord record;
  record.card = card;
  record.person = enrolment.person;
  record.kind = judged->kind;
  record.records_until = records_until;
  record.certificate = enrolment.certificate;
  TRY(log_.append("card_enrolled",
                  {{"card", card.text()},
                   {"person", record.person.text()},
                   {"kind", std::string(card_kind_name(record.kind))},
                   {"security", std::string(evidence_class(record.kind))},
                   {"scheme", std::string(crypto::scheme_name(judged->facts.scheme))},
                   {"issuer", judged->facts.issuer},
                   {"certificate", digest_text(record.certificate)},
                   {"revocation", judged->revocation},
                   {"again", records_until.value == 0 ? "no" : "yes"}}));
  if (!is_same) TRY(replace_earlier(enrolment.person));
  TRY(save(std::move(record)));
  return judged->kind;
}

std::optional<Evidence> Gate::proved_before(ByteView grant, ByteView signature) {
  const auto named = parse_grant(grant);
  const CardRecord* record = named ? find(named->card) : nullptr;
  if (record == nullptr || record->revoked || !card::is_signature(record->kind))
    return std::nullopt;
  for (const AcceptedGrant& accepted : record->grants) {
    if (!std::ranges::equal(accepted.grant, grant)) continue;
    if (check_signature(record->certificate, grant, signature)) return std::nullopt;
    return Evidence{site_, record->kind, accepted.tag};
  }
  return std::nullopt;
}

Result<Evidence> Gate::accept_signature(ByteView grant, ByteView signature) {
  const std::lock_guard lock(mutex_);
  if (const auto before = proved_before(grant, signature)) return *before;
  TRY_ASSIGN(const Grant proved, may_prove(grant, ProvedBy::kSignature));
  CardRecord record = *find(proved.card);
  if (const auto refusal = check_signature(record.certificate, grant, signature)) {
    count_wrong_tag(record.card);
    return refuse_proof(*refusal, grant);
  }
  const auto judged = judge_with(options_, record.certificate, system_.clock.now());
  if (!judged) return refuse_proof(judged.error(), grant);
  if (judged->kind != record.kind) {
    return refuse_proof(
        {Reason::kWrongKind, "the card's authority counted as another kind when it was enrolled"},
        grant);
  }
  const std::string certificate = digest_text(record.certificate);
  const Evidence evidence = take_proof(record, proved, grant);
  const Pseudonym person = record.person;
  TRY(save(std::move(record)));
  TRY(note_told(proved, person));
  TRY(log_proof(proved, grant, evidence,
                {{"scheme", std::string(crypto::scheme_name(judged->facts.scheme))},
                 {"certificate", certificate},
                 {"signature", digest_text(signature)},
                 {"revocation", judged->revocation}}));
  return evidence;
}

Result<> Gate::may_give_record(std::span<const Presented> presented, const ObjectId& object,
                               const Pseudonym& owner) {
  const std::lock_guard lock(mutex_);
  ReleaseRequest request{.object = object, .owner = owner, .is_record = true};
  if (!presented.empty()) {
    // Where the shares go is asked when they do.
    const Grant named = parse_grant(presented.front().grant).value_or(Grant());
    request.destination = named.destination;
    request.purpose = named.purpose;
  }
  TRY_ASSIGN(const std::vector<Outcome> outcomes, judge(presented, request));
  const Grant& first = outcomes.front().grant;
  if (first.together == 1) {
    // Of other cards the card itself keeps the record.
    const card::CardKind kind = find(first.card)->kind;
    const bool keeps_nothing =
        card::is_signature(kind) || (card::is_relayed(kind) && first.capacity != Capacity::kOwn);
    if (keeps_nothing && outcomes.front().step != Step::kAccept) return {};
    return refuse({Reason::kWrongKind, "such a card keeps its records itself"},
                  presented.front().grant, request);
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].step != Step::kAccept) continue;
    const Inquiry inquiry = inquiry_of(presented[i], outcomes[i].grant, request);
    CardRecord record = *inquiry.record;
    apply(outcomes[i], inquiry, record);
    forget_old(record, inquiry.now);
    TRY(save(std::move(record)));
  }
  return note_opened(outcomes, owner);
}

Result<card::CardKind> Gate::kind_of(const CardId& card) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known != nullptr) return known->kind;
  return fail(Code::kNotFound,
              "site " + site_.text() + ": card " + card.text() + " is not enrolled");
}

Result<Bytes> Gate::certificate_of(const CardId& card) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known != nullptr && !known->certificate.empty()) return known->certificate;
  return fail(Code::kNotFound,
              "site " + site_.text() + " has no certificate of card " + card.text());
}

}  // namespace warifu::consent
