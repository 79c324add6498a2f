// Random lives of a gate with acts 3 and 4 (docs/formats/grant.md): a person's card gets more
// one-time keys, sometimes torn away before it has them; allows emergencies and takes that back;
// officers of whom the site names some open objects, or try to; consents are withdrawn and officers
// revoked in between; the site's rule comes and goes; share control tells of emergencies that never
// were; power fails within any write.
//
// What no run may show (Tally::violations): keys handed out twice for one proof; a key of a top-up
// counting beside the one that took its place; a good consent under a key that the card has, or a
// good act, refused; an emergency without enough of the site's officers, or with one twice, or the
// person among them, without the site's rule or the person's leave, after a withdrawal, a second
// time, or bent; one that is not noted for the person, or pushed out by what share control tells;
// a consent of the person's that hides one from the person; a permit that is not in the log.
#pragma once

#include "testing/gate_runs.h"

namespace warifu::sim {

inline constexpr GateBug kActBugs[] = {
    GateBug::kKeysAgain, GateBug::kAnyOfficer,         GateBug::kNoLeave, GateBug::kAlwaysOn,
    GateBug::kUntold,    GateBug::kForgetsWithdrawals, GateBug::kAnyUses, GateBug::kNothingDurable};

// The run of one seed: some forty steps.
[[nodiscard]] GateTally run_acts(std::uint64_t seed, GateBug bug = GateBug::kNone);

}  // namespace warifu::sim
