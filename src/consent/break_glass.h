// Break-glass: in an emergency officers open an object without its person's card (ADR 0047).
//
// Nothing of it works unless the site's own configuration names officers, the person's card has
// allowed it beforehand (a leave, told to every site), and at least `needed` of the officers' cards
// prove a grant for this one restore, each to this very gate. Values only; any thread.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/ids.h"
#include "consent/person_order.h"
#include "os/system.h"

namespace warifu::consent {

inline constexpr std::size_t kMaxOfficers = 32;

// A site's own rule: [break_glass] of its configuration.
struct BreakGlass {
  std::vector<CardId> officers;  // their enrolled cards, distinct
  std::uint8_t needed = 2;       // so many of them together, two at least
  [[nodiscard]] bool names(const CardId& card) const {
    return std::ranges::find(officers, card) != officers.end();
  }
};

// The person's card has allowed it, at one site.
struct EmergencyLeave {
  ObjectId object;  // zero: every object
  CardId card;      // that said so
  os::UnixMs since;
  os::UnixMs until;  // exclusive
  [[nodiscard]] bool covers(const ObjectId& asked, os::UnixMs now) const {
    return (object.is_zero() || object == asked) && now < until;
  }
};

// An emergency that was opened; its id is what the officers' grants have in common.
struct Emergency {
  JointId id;
  ObjectId object;
  os::UnixMs at;
  os::UnixMs told;  // when the person was shown it at this site; 0: not yet
  std::vector<CardId> officers;
  std::string reason;
  bool is_own = false;  // this site's gate has judged it; else share control told of it
};

}  // namespace warifu::consent
