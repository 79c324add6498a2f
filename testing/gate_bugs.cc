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
    for (AcceptedGrant& accepted : record.grants) accepted.sessions.push_back(request.session);
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
  return decide({inquiry.site, inquiry.root, &record, inquiry.grant, inquiry.evidence, request, now,
                 inquiry.nonce_life, inquiry.is_held_back, owner ? &*owner : nullptr,
                 inquiry.break_glass});
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
    default: return decide;
  }
}

}  // namespace warifu::sim
