// Random lives of a gate: consents given, shown, shown again, bent, withdrawn; cards revoked; a
// proxy named and removed, who consents too; a guardian, until the ward comes of age; time that
// passes; power that fails within any write. An outside model of what the person allowed judges
// every permit.
//
// A signature card's consents are proved to the gate first, and once more after a crash.
//
// What no run may show (Tally::violations): a consent used more often than it says; one used after
// its withdrawal, its card's revocation or its expiry; two consents of one one-time index; a permit
// wider than its consent, or for what was bent; a permit that is not in the log after a crash; a
// proxy beyond the mandate or after the removal; a guardian after the day.
// One thread; the same seed gives the same run.
#pragma once

#include <cstdint>
#include <string>

namespace warifu::sim {

// Seeded bugs, as negative controls.
enum class GateBug : std::uint8_t {
  kNone,
  kForgetsWithdrawals,  // the decision does not look at them
  kAnyUses,             // or at how often a consent was used
  kAnyPurpose,          // or at the purpose
  kAnyTime,             // or at the expiry
  kAnyChunks,           // or at which chunks are asked for
  kAnyMandate,          // or at what a proxy may, and until when
  kAnyAge,              // or at the day of coming of age
  kNothingDurable,      // the disk's sync() does nothing
  kKeysAgain,           // a top-up's keys are handed out for a proof again (act_runs.h)
  kAnyOfficer,          // whoever says to be an officer is one
  kNoLeave,             // an emergency needs no leave of the person's
  kAlwaysOn,            // nor a rule of the site's
  kUntold,              // the person need not be told of emergencies
};
inline constexpr GateBug kGateBugs[] = {GateBug::kForgetsWithdrawals, GateBug::kAnyUses,
                                        GateBug::kAnyPurpose,         GateBug::kAnyTime,
                                        GateBug::kAnyMandate,         GateBug::kAnyAge,
                                        GateBug::kAnyChunks,          GateBug::kNothingDurable};

struct GateTally {
  std::uint64_t runs = 0, steps = 0, permits = 0, refusals = 0, crashes = 0;
  std::uint64_t withdrawals = 0, revocations = 0, bent = 0;
  std::uint64_t by_proxies = 0, by_guardians = 0, by_officers = 0;  // permits among them
  // Acts 3 and 4: keys handed out, and asked for again; leaves given; emergencies told.
  std::uint64_t top_ups = 0, acts_again = 0, leaves = 0, told = 0;
  std::uint64_t violations = 0;
  std::string first_violation;  // with its seed

  void add(const GateTally& other);
};

// The person's card: one-time tags, or one signature over each grant.
enum class GateCard : std::uint8_t { kOneTime, kSignature };

// The run of one seed: some forty steps.
[[nodiscard]] GateTally run_gate(std::uint64_t seed, GateBug bug = GateBug::kNone,
                                 GateCard card = GateCard::kOneTime);

}  // namespace warifu::sim
