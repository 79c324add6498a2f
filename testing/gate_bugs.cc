// The true decision, with something hidden from it.
#include "testing/gate_bugs.h"

#include <algorithm>
#include <optional>

namespace warifu::sim {
namespace {

using namespace consent;

bool is_self_test(const Inquiry& inquiry) {
  return inquiry.site.text() == "self";
}

// The true decision about an inquiry that hides something from it.
template <GateBug kBug>
Decision decide_wrongly(const Inquiry& inquiry) {
  if (is_self_test(inquiry) || inquiry.record == nullptr) return decide(inquiry);
  const auto grant = parse_grant(inquiry.grant);
  CardRecord record = *inquiry.record;
  ReleaseRequest request = inquiry.request;
  os::UnixMs now = inquiry.now;
  if (kBug == GateBug::kForgetsWithdrawals) record.withdrawn.clear();
  if (kBug == GateBug::kAnyUses) {
    for (AcceptedGrant& accepted : record.grants) {
      accepted.taken.push_back({request.session, request.use});
    }
  }
  if (kBug == GateBug::kAnyPurpose && grant) request.purpose = grant->purpose;
  if (kBug == GateBug::kAnyChunks && grant) request.scope.chunks = grant->scope.chunks;
  if (kBug == GateBug::kAnyTime && grant) now.value = std::min(now.value, grant->expiry.value - 1);
  std::optional<PersonRecord> owner;
  if (inquiry.owner != nullptr) owner = *inquiry.owner;
  if (kBug == GateBug::kAnyMandate && owner) {
    for (Proxy& proxy : owner->proxies) {
      proxy.mandate.purposes = 7;
      proxy.mandate.until.value = INT64_MAX;
    }
  }
  if (kBug == GateBug::kAnyAge && owner && owner->of_age.value != 0) {
    owner->of_age.value = INT64_MAX;
  }
  std::optional<BreakGlass> rule;
  if (inquiry.break_glass != nullptr) rule = *inquiry.break_glass;
  const bool is_emergency = grant && grant->capacity == Capacity::kEmergency;
  if (kBug == GateBug::kAnyOfficer && rule && grant) rule->officers.push_back(grant->card);
  if (kBug == GateBug::kAlwaysOn && !rule && grant) rule = BreakGlass{{grant->card}, 2};
  if (kBug == GateBug::kNoLeave && is_emergency) {
    if (!owner) owner = PersonRecord{.person = request.owner};
    owner->leaves.push_back({grant->object, grant->card, {}, {INT64_MAX}});
  }
  if (kBug == GateBug::kUntold && owner) owner->emergencies.clear();
  return decide({inquiry.site, inquiry.root, &record, inquiry.grant, inquiry.evidence, request, now,
                 inquiry.nonce_life, inquiry.is_held_back, owner ? &*owner : nullptr,
                 rule ? &*rule : nullptr});
}

// The true decision about an act, but for one refusal.
template <Reason kIgnored>
Decision act_without(const Inquiry& inquiry, Act wanted) {
  auto decision = decide_act(inquiry, wanted);
  if (is_self_test(inquiry) || decision || decision.error().reason != kIgnored) return decision;
  auto grant = parse_grant(inquiry.grant);
  return Outcome{grant ? std::move(*grant) : Grant{}, Step::kAccept, 0};
}

}  // namespace

consent::DecideFunction decision_of(GateBug bug) {
  switch (bug) {
    case GateBug::kForgetsWithdrawals: return decide_wrongly<GateBug::kForgetsWithdrawals>;
    case GateBug::kAnyUses: return decide_wrongly<GateBug::kAnyUses>;
    case GateBug::kAnyPurpose: return decide_wrongly<GateBug::kAnyPurpose>;
    case GateBug::kAnyChunks: return decide_wrongly<GateBug::kAnyChunks>;
    case GateBug::kAnyTime: return decide_wrongly<GateBug::kAnyTime>;
    case GateBug::kAnyMandate: return decide_wrongly<GateBug::kAnyMandate>;
    case GateBug::kAnyAge: return decide_wrongly<GateBug::kAnyAge>;
    case GateBug::kAnyOfficer: return decide_wrongly<GateBug::kAnyOfficer>;
    case GateBug::kNoLeave: return decide_wrongly<GateBug::kNoLeave>;
    case GateBug::kAlwaysOn: return decide_wrongly<GateBug::kAlwaysOn>;
    case GateBug::kUntold: return decide_wrongly<GateBug::kUntold>;
    default: return decide;
  }
}

consent::DecideActFunction act_decision_of(GateBug bug) {
  if (bug == GateBug::kKeysAgain) return act_without<Reason::kUsedUp>;
  if (bug == GateBug::kUntold) return act_without<Reason::kNotTold>;
  return decide_act;
}

}  // namespace warifu::sim
