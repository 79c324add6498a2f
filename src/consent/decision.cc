// The checks, one small function per group, in their order.
#include "consent/decision.h"

#include <algorithm>
#include <array>
#include <optional>

namespace warifu::consent {
namespace {

using Check = std::optional<Refusal>;

Refusal no(Reason reason, std::string text) {
  return {reason, std::move(text)};
}

// Whether the grant was accepted here before. Then a wrong tag is no try at anything: holding its
// card back for it would let anybody who has seen a grant, a rooted site that was asked under it,
// say, stop every restore of the person's.
bool is_accepted(const Inquiry& inquiry) {
  return std::ranges::any_of(inquiry.record->grants, [&](const AcceptedGrant& accepted) {
    return std::ranges::equal(accepted.grant, inquiry.grant);
  });
}

Check check_card(const Inquiry& inquiry, const Grant& grant) {
  if (inquiry.record == nullptr || inquiry.record->card != grant.card) {
    return no(Reason::kUnknownCard, "card " + grant.card.text() + " is not enrolled here");
  }
  if (inquiry.record->revoked) {
    return no(Reason::kRevoked, "card " + grant.card.text() + " is on the hot list");
  }
  if (inquiry.evidence.kind != inquiry.record->kind) {
    return no(Reason::kWrongKind, "the evidence names another kind of card (" +
                                      std::string(card_kind_name(inquiry.evidence.kind)) +
                                      ") than was enrolled");
  }
  if (inquiry.is_held_back && !is_accepted(inquiry)) {
    return no(Reason::kHeldBack, "too many wrong tags for this card; wait a minute");
  }
  return {};
}

Check check_withdrawn(const Inquiry& inquiry) {
  const auto& withdrawn = inquiry.record->withdrawn;
  if (withdrawn.empty()) return {};
  if (std::ranges::find(withdrawn, grant_id(inquiry.grant), &Withdrawal::grant) ==
      withdrawn.end()) {
    return {};
  }
  return no(Reason::kWithdrawn, "the person has withdrawn this consent");
}

Check check_nonce(const Inquiry& inquiry, const Nonce& nonce) {
  const auto& issued = inquiry.record->nonces;
  const auto found = std::ranges::find(issued, nonce, &IssuedNonce::nonce);
  if (found == issued.end()) {
    return no(Reason::kUnknownNonce,
              "the grant's nonce was not issued here for this card, or was used already");
  }
  const std::int64_t age = inquiry.now.value - found->issued.value;
  if (age < 0 || age >= inquiry.nonce_life.count()) {
    return no(Reason::kNonceExpired, "the grant's nonce is too old; begin the ceremony again");
  }
  return {};
}

// The person's own card says nothing before its person was shown every emergency that this site
// knew of when it gave the nonce: so nobody between site and person can hide one.
Check check_told(const Inquiry& inquiry, const Grant& grant, const Nonce& nonce) {
  if (grant.capacity != Capacity::kOwn || inquiry.owner == nullptr) return {};
  const auto& issued = inquiry.record->nonces;
  const auto found = std::ranges::find(issued, nonce, &IssuedNonce::nonce);
  WARIFU_CHECK(found != issued.end());
  for (const Emergency& one : inquiry.owner->untold(found->issued)) {
    if (std::ranges::find(grant.shown, one.id) != grant.shown.end()) continue;
    return no(Reason::kNotTold,
              "the person has not been told that the data was opened in an emergency at " +
                  os::utc_text(one.at) + " (" + one.id.text() + "); begin the ceremony again");
  }
  return {};
}

Check check_index(const CardRecord& record, const Grant& grant) {
  if (grant.index <= record.last_used) {
    return no(
        Reason::kIndexUsed,
        "the consent is void: the card's one-time index " + std::to_string(grant.index.value) +
            " counts no more, since " + std::to_string(record.last_used.value) +
            " was used. A consent that was never used is void once a later one of the card is "
            "used; if there is no later one, this is a replay, or a copy of the card");
  }
  return {};
}

Check check_first_tag(const Inquiry& inquiry, const Grant& grant) {
  const CardRecord& record = *inquiry.record;
  const std::string index = std::to_string(grant.index.value);
  if (auto refusal = check_index(record, grant)) return refusal;
  const auto sealed = record.keys.find(grant.index.value);
  if (sealed == record.keys.end()) {
    return no(Reason::kNoKey, "no one-time key with index " + index + " is shared with this card");
  }
  if (record.grants.size() >= kMaxAcceptedGrants) {
    return no(Reason::kTooManyGrants, "the card has too many grants that are still valid");
  }
  const auto key = open_key(inquiry.root, record.card, grant.index, sealed->second);
  if (!key) return no(Reason::kNoKey, "one-time key " + index + ": " + key.error().message);
  const ByteView both = key->bytes();
  const mac::Key r(both.first(mac::kBlockBytes));
  const mac::Tag tag = mac::one_time_tag(r, inquiry.grant, both.last(mac::kBlockBytes));
  if (!secret::equal(tag, inquiry.evidence.tag)) {
    return no(Reason::kWrongTag, "the card's tag does not match the grant");
  }
  return {};
}

// Who asks, for which use, for how much.
Check check_use(const Inquiry& inquiry, const Grant& grant) {
  const ReleaseRequest& request = inquiry.request;
  if (request.is_record) return {};
  if (request.grantee != grant.grantee) {
    const bool is_named = !request.grantee.name.empty();
    return no(Reason::kOtherGrantee,
              "the grant is for " + grantee_words(grant.grantee, Locale::kEnglish) +
                  ", who asks is " +
                  (is_named ? grantee_words(request.grantee, Locale::kEnglish) : "not named"));
  }
  if (std::string why = why_not_allowed(grant.data_uses, request.stated, inquiry.now);
      !why.empty()) {
    return no(Reason::kOtherUse, std::move(why));
  }
  if (!covers(grant.scope, request.scope)) {
    return no(Reason::kOtherScope, "the grant is for a part (" + scope_text(grant.scope) +
                                       "), asked for is: " + scope_text(request.scope));
  }
  if (!covers_chunks(grant.scope, request.scope)) {
    return no(Reason::kOtherChunks,
              "the grant allows chunks " + chunks_text(grant.scope.chunks) + ", asked for are: " +
                  (request.scope.chunks.empty() ? std::string("all")
                                                : chunks_text(request.scope.chunks)));
  }
  return {};
}

// Whether the card's holder may open the object as an officer. Everything has to be there: a rule
// of this site, the officer in it, enough of them, and what the person's card has said before.
Check check_emergency(const Inquiry& inquiry, const Grant& grant) {
  if (inquiry.break_glass == nullptr || inquiry.break_glass->needed < 2) {
    return no(Reason::kEmergencyOff, "this site opens nothing in an emergency");
  }
  const Pseudonym& owner = inquiry.request.owner;
  if (!inquiry.break_glass->names(grant.card) || inquiry.record->person == owner) {
    return no(Reason::kNotOfficer,
              "card " + grant.card.text() + " is no officer's for emergencies here");
  }
  if (grant.together < inquiry.break_glass->needed) {
    return no(Reason::kNotTogether, "this site wants " +
                                        std::to_string(inquiry.break_glass->needed) +
                                        " officers together for an emergency");
  }
  const Acting acting{inquiry.record->person, grant.capacity, grant.together, grant.purpose,
                      grant.object};
  switch (bar_to(acting, owner, inquiry.owner, inquiry.now)) {
    case Bar::kNone: return {};
    case Bar::kDied: return no(Reason::kDied, "the person has died");
    default: break;
  }
  return no(Reason::kNotAllowedBefore,
            "the person has not allowed that this object is opened in an emergency, or not any "
            "more");
}

// Whether the card's holder may consent for whom the share belongs to.
Check check_capacity(const Inquiry& inquiry, const Grant& grant) {
  if (grant.capacity == Capacity::kEmergency) return check_emergency(inquiry, grant);
  const Acting acting{inquiry.record->person, grant.capacity, grant.together, grant.purpose,
                      grant.object};
  switch (bar_to(acting, inquiry.request.owner, inquiry.owner, inquiry.now)) {
    case Bar::kNone: return {};
    case Bar::kOtherPerson:
      return no(Reason::kOtherPerson, "the share belongs to another person than the card");
    case Bar::kDied: return no(Reason::kDied, "the person has died, and nobody was named for this");
    case Bar::kUnderAge:
      return no(Reason::kUnderAge, "the person is under age: guardians consent until " +
                                       os::utc_text(inquiry.owner->of_age));
    case Bar::kOfAge:
      return no(Reason::kOfAge, "the person came of age at " + os::utc_text(inquiry.owner->of_age) +
                                    ": guardians consent no more");
    case Bar::kNotEntitled: break;
  }
  return no(Reason::kNotEntitled,
            "the card's holder may not consent to this as " +
                std::string(capacity_name(grant.capacity)) +
                (grant.capacity == Capacity::kGuardian ? " (or more guardians are needed together)"
                                                       : ""));
}

// This site's entry of a grant that is for it, with its evidence, by a card that counts here.
std::expected<const GrantSite*, Refusal> own_entry(const Inquiry& inquiry, const Grant& grant) {
  const auto own = std::ranges::find(grant.sites, inquiry.site, &GrantSite::site);
  if (own == grant.sites.end() || inquiry.evidence.site != inquiry.site) {
    return std::unexpected(
        no(Reason::kNotThisSite, "the grant or its evidence is for other sites"));
  }
  if (auto refusal = check_card(inquiry, grant)) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_withdrawn(inquiry)) return std::unexpected(std::move(*refusal));
  return &*own;
}

Check check_request(const Inquiry& inquiry, const Grant& grant) {
  const ReleaseRequest& request = inquiry.request;
  if (request.object != grant.object) {
    return no(Reason::kOtherObject, "the grant is for object " + grant.object.text() +
                                        ", asked for is " + request.object.text());
  }
  if (auto refusal = check_capacity(inquiry, grant)) return refusal;
  if (request.destination != grant.destination) {
    return no(Reason::kOtherDestination, "the grant allows restoring at '" +
                                             grant.destination.text() + "', not at '" +
                                             request.destination.text() + "'");
  }
  if (request.purpose != grant.purpose) {
    return no(Reason::kOtherPurpose,
              "the grant is for " + std::string(purpose_name(grant.purpose)) + " and nothing else");
  }
  if (auto refusal = check_use(inquiry, grant)) return refusal;
  if (inquiry.now < grant.not_before) {
    return no(Reason::kNotYet, "the grant is valid only from " + os::utc_text(grant.not_before));
  }
  if (inquiry.now >= grant.expiry) {
    return no(Reason::kExpired, "the grant expired at " + os::utc_text(grant.expiry));
  }
  return {};
}

// Whether a session that is new here may take the use that it names. A number goes to one session
// only: then two sessions under one number would need two sets of sites that restore and have no
// site in common, and a grant names no such sets (givers.h in `control`).
Check check_number(const Inquiry& inquiry, const Grant& grant, const AcceptedGrant& accepted) {
  const std::string of = " of " + std::to_string(grant.uses);
  if (accepted.uses_left == 0) {
    return no(Reason::kUsedUp,
              "the grant is used up (" + std::to_string(grant.uses) + of + " uses)");
  }
  if (inquiry.request.is_record) return {};  // takes none
  const std::uint16_t use = inquiry.request.use;
  if (use < 1 || use > grant.uses) {
    return no(Reason::kUsedUp, "the grant has no use " + std::to_string(use) + of);
  }
  if (std::ranges::find(accepted.taken, use, &TakenUse::use) != accepted.taken.end()) {
    return no(Reason::kUsedUp,
              "use " + std::to_string(use) + of + " of the grant was taken by another session");
  }
  return {};
}

Decision present_again(const Inquiry& inquiry, Grant grant, std::size_t position) {
  const AcceptedGrant& accepted = inquiry.record->grants[position];
  if (!secret::equal(accepted.tag, inquiry.evidence.tag)) {
    return std::unexpected(
        no(Reason::kWrongTag, "the tag is not the one of this grant's first use"));
  }
  if (auto refusal = check_request(inquiry, grant)) return std::unexpected(std::move(*refusal));
  const auto& taken = accepted.taken;
  if (std::ranges::find(taken, inquiry.request.session, &TakenUse::session) != taken.end()) {
    return Outcome{std::move(grant), Step::kResume, position};
  }
  if (auto refusal = check_number(inquiry, grant, accepted)) {
    return std::unexpected(std::move(*refusal));
  }
  return Outcome{std::move(grant), Step::kNewSession, position};
}

}  // namespace

std::string_view step_name(Step step) {
  switch (step) {
    case Step::kAccept: return "accept";
    case Step::kNewSession: return "new_session";
    case Step::kResume: return "resume";
  }
  return {};
}

Decision decide(const Inquiry& inquiry) {
  auto parsed = parse_grant(inquiry.grant);
  if (!parsed) return std::unexpected(no(Reason::kMalformed, parsed.error().message));
  Grant& grant = *parsed;
  if (act_of(grant) != Act::kUse) {
    return std::unexpected(
        no(Reason::kOtherAct, "it is an act of another kind, and allows no use"));
  }
  const auto own = own_entry(inquiry, grant);
  if (!own) return std::unexpected(own.error());
  const auto& accepted = inquiry.record->grants;
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    if (std::ranges::equal(accepted[i].grant, inquiry.grant)) {
      return present_again(inquiry, std::move(grant), i);
    }
  }
  if (card::is_proved_first(inquiry.record->kind)) {
    return std::unexpected(
        no(Reason::kNotProven, "the card has not proved this grant to this site"));
  }
  if (auto refusal = check_nonce(inquiry, (*own)->nonce))
    return std::unexpected(std::move(*refusal));
  if (auto refusal = check_first_tag(inquiry, grant)) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_request(inquiry, grant)) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_number(inquiry, grant, {.grant = {}, .uses_left = grant.uses})) {
    return std::unexpected(std::move(*refusal));
  }
  if (auto refusal = check_told(inquiry, grant, (*own)->nonce)) {
    return std::unexpected(std::move(*refusal));
  }
  return Outcome{std::move(grant), Step::kAccept, 0};
}

Decision decide_act(const Inquiry& inquiry, Act wanted) {
  auto parsed = parse_grant(inquiry.grant);
  if (!parsed) return std::unexpected(no(Reason::kMalformed, parsed.error().message));
  Grant& grant = *parsed;
  if (act_of(grant) != wanted || wanted == Act::kUse) {
    return std::unexpected(no(Reason::kOtherAct, "it is an act of another kind"));
  }
  const auto own = own_entry(inquiry, grant);
  if (!own) return std::unexpected(own.error());
  if (wanted == Act::kTopUp && card::is_proved_first(inquiry.record->kind)) {
    return std::unexpected(no(Reason::kWrongKind, "such a card has no one-time keys"));
  }
  if (auto refusal = check_capacity(inquiry, grant)) return std::unexpected(std::move(*refusal));
  const auto& accepted = inquiry.record->grants;
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    if (!std::ranges::equal(accepted[i].grant, inquiry.grant)) continue;
    if (secret::equal(accepted[i].tag, inquiry.evidence.tag)) {
      if (wanted != Act::kTopUp) return Outcome{std::move(grant), Step::kResume, i};
      return std::unexpected(
          no(Reason::kUsedUp, "keys were given for this already; begin the top-up again"));
    }
    return std::unexpected(no(Reason::kWrongTag, "the tag is not the one of its first use"));
  }
  if (card::is_proved_first(inquiry.record->kind)) {
    return std::unexpected(no(Reason::kNotProven, "the card has not proved this to this site"));
  }
  if (auto refusal = check_nonce(inquiry, (*own)->nonce))
    return std::unexpected(std::move(*refusal));
  if (auto refusal = check_first_tag(inquiry, grant)) return std::unexpected(std::move(*refusal));
  if (inquiry.now >= grant.expiry) {
    return std::unexpected(
        no(Reason::kExpired, "the grant expired at " + os::utc_text(grant.expiry)));
  }
  if (auto refusal = check_told(inquiry, grant, (*own)->nonce)) {
    return std::unexpected(std::move(*refusal));
  }
  return Outcome{std::move(grant), Step::kAccept, 0};
}

std::optional<Refusal> why_not_together(std::span<const Grant> grants,
                                        std::span<const Pseudonym> persons) {
  const auto refuse = [](const std::string& why) {
    return no(Reason::kNotTogether, "several consent together: " + why);
  };
  if (grants.empty() || grants.size() != persons.size()) return refuse("no grant was shown");
  if (grants.size() != grants.front().together) {
    return refuse(std::to_string(grants.front().together) + " grants belong together, shown were " +
                  std::to_string(grants.size()));
  }
  for (std::size_t i = 0; i < grants.size(); ++i) {
    if (!same_terms(grants.front(), grants[i])) return refuse("the grants do not allow the same");
    if (std::ranges::find(persons.subspan(0, i), persons[i]) !=
        persons.begin() + static_cast<std::ptrdiff_t>(i)) {
      return refuse("two of the grants are one person's");
    }
  }
  return {};
}

std::expected<Grant, Refusal> decide_proof(const Inquiry& inquiry, ProvedBy by) {
  auto parsed = parse_grant(inquiry.grant);
  if (!parsed) return std::unexpected(no(Reason::kMalformed, parsed.error().message));
  const Grant& grant = *parsed;
  const auto own = std::ranges::find(grant.sites, inquiry.site, &GrantSite::site);
  if (own == grant.sites.end()) {
    return std::unexpected(no(Reason::kNotThisSite, "the grant is for other sites"));
  }
  if (auto refusal = check_card(inquiry, grant)) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_withdrawn(inquiry)) return std::unexpected(std::move(*refusal));
  const CardRecord& record = *inquiry.record;
  const bool is_ready = by == ProvedBy::kSignature
                            ? card::is_signature(record.kind)
                            : card::is_relayed(record.kind) && record.own && record.own->is_active;
  if (!is_ready) {
    return std::unexpected(
        no(Reason::kWrongKind, by == ProvedBy::kSignature
                                   ? "this card does not prove grants by signatures"
                                   : "this site does not speak to such a card, or not yet"));
  }
  if (auto refusal = check_nonce(inquiry, own->nonce)) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_index(record, grant)) return std::unexpected(std::move(*refusal));
  if (record.grants.size() >= kMaxAcceptedGrants) {
    return std::unexpected(
        no(Reason::kTooManyGrants, "the card has too many grants that are still valid"));
  }
  if (inquiry.now >= grant.expiry) {
    return std::unexpected(
        no(Reason::kExpired, "the grant expired at " + os::utc_text(grant.expiry)));
  }
  if (auto refusal = check_told(inquiry, grant, own->nonce)) {
    return std::unexpected(std::move(*refusal));
  }
  return std::move(*parsed);
}

void apply(const Outcome& outcome, const Inquiry& inquiry, CardRecord& record) {
  switch (outcome.step) {
    case Step::kResume: return;
    case Step::kNewSession: {
      AcceptedGrant& accepted = record.grants.at(outcome.accepted);
      WARIFU_CHECK(accepted.uses_left > 0);
      --accepted.uses_left;
      accepted.taken.push_back({inquiry.request.session, inquiry.request.use});
      return;
    }
    case Step::kAccept: break;
  }
  const auto own = std::ranges::find(outcome.grant.sites, inquiry.site, &GrantSite::site);
  std::erase_if(record.nonces,
                [&](const IssuedNonce& issued) { return issued.nonce == own->nonce; });
  record.last_used = outcome.grant.index;
  // Keys of skipped indices too: an index never goes back.
  record.keys.erase(record.keys.begin(), record.keys.upper_bound(outcome.grant.index.value));
  AcceptedGrant accepted;
  accepted.grant.assign(inquiry.grant.begin(), inquiry.grant.end());
  accepted.tag = inquiry.evidence.tag;
  accepted.uses_left = outcome.grant.uses;
  if (!inquiry.request.is_record) {
    --accepted.uses_left;
    accepted.taken = {{inquiry.request.session, inquiry.request.use}};
  }
  record.grants.push_back(std::move(accepted));
}

}  // namespace warifu::consent
