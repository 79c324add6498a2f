// Random lives of a gate hold what was promised, and the harness finds seeded bugs.
#include "testing/gate_runs.h"

#include <gtest/gtest.h>

#include "consent/gate.h"
#include "testing/act_runs.h"
#include "testing/card_kinds.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::sim {
namespace {

TEST(GateRunsTest, NothingIsUsedTwiceNorAfterAWithdrawalNorWidened) {  // a million steps
  GateTally tally;
  for (std::uint64_t seed = 1; seed <= 25'000; ++seed) tally.add(run_gate(seed));
  EXPECT_EQ(tally.violations, 0u) << tally.first_violation;
  // The runs did something.
  EXPECT_GT(tally.permits, 8000u);
  EXPECT_GT(tally.refusals, 8000u);
  EXPECT_GT(tally.crashes, 1600u);
  EXPECT_GT(tally.withdrawals, 1600u);
  EXPECT_GT(tally.revocations, 80u);
  EXPECT_GT(tally.bent, 8000u);
  EXPECT_GT(tally.by_proxies, 800u);
  EXPECT_GT(tally.by_guardians, 800u);
}

TEST(GateRunsTest, ASignatureCardsConsentsNeither) {
  GateTally tally;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    tally.add(run_gate(seed, GateBug::kNone, GateCard::kSignature));
  }
  EXPECT_EQ(tally.violations, 0u) << tally.first_violation;
  EXPECT_GT(tally.permits, 200u);
  EXPECT_GT(tally.refusals, 200u);
  EXPECT_GT(tally.crashes, 50u);
  for (const GateBug bug : kGateBugs) {
    // Of proxies and guardians, whose cards are one-time cards in these runs too.
    if (bug == GateBug::kAnyMandate || bug == GateBug::kAnyAge) continue;
    bool found = false;
    for (std::uint64_t seed = 1; seed <= 500 && !found; ++seed) {
      found = run_gate(seed, bug, GateCard::kSignature).violations > 0;
    }
    EXPECT_TRUE(found) << "bug " << static_cast<int>(bug);
  }
}

TEST(GateRunsTest, TheSameSeedGivesTheSameRun) {
  const GateTally first = run_gate(77), second = run_gate(77);
  EXPECT_EQ(first.permits, second.permits);
  EXPECT_EQ(first.refusals, second.refusals);
  EXPECT_EQ(first.crashes, second.crashes);
}

TEST(GateRunsTest, SeededBugsAreFound) {
  for (const GateBug bug : kGateBugs) {
    bool found = false;
    for (std::uint64_t seed = 1; seed <= 2000 && !found; ++seed) {
      found = run_gate(seed, bug).violations > 0;
    }
    EXPECT_TRUE(found) << "bug " << static_cast<int>(bug);
  }
}

TEST(ActRunsTest, MoreKeysAndEmergenciesKeepToWhatWasAllowed) {  // 32,000 steps
  GateTally tally;
  for (std::uint64_t seed = 1; seed <= 800; ++seed) tally.add(run_acts(seed));
  EXPECT_EQ(tally.violations, 0u) << tally.first_violation;
  // The runs did something.
  EXPECT_GT(tally.top_ups, 300u);
  EXPECT_GT(tally.acts_again, 300u);
  EXPECT_GT(tally.leaves, 300u);
  EXPECT_GT(tally.by_officers, 20u);
  EXPECT_GT(tally.told, 20u);
  EXPECT_GT(tally.permits, 300u);
  EXPECT_GT(tally.refusals, 300u);
  EXPECT_GT(tally.crashes, 300u);
  EXPECT_GT(tally.withdrawals, 50u);
  EXPECT_GT(tally.revocations, 10u);
  EXPECT_GT(tally.bent, 50u);
}

TEST(ActRunsTest, SeededBugsAreFound) {
  for (const GateBug bug : kActBugs) {
    bool found = false;
    for (std::uint64_t seed = 1; seed <= 2000 && !found; ++seed) {
      found = run_acts(seed, bug).violations > 0;
    }
    EXPECT_TRUE(found) << "bug " << static_cast<int>(bug);
  }
}

TEST(CardKindsTest, EveryCardInEveryPlace) {
  const auto cells = try_card_kinds();
  EXPECT_EQ(cells.size(), 18u);
  for (const CardCell& cell : cells) {
    EXPECT_EQ(cell.why, "") << static_cast<int>(cell.kind) << " as " << cell.place;
  }
}

TEST(GateOrdersTest, TooManyWithdrawalsAreRefusedAndNoneIsForgotten) {
  SimDisk disk;
  SimClock clock;
  SimRandom random(1);
  const os::System system{disk, clock, random};
  secret::Buffer root(crypto::kSealKeyBytes);
  const SiteName site = *SiteName::parse("lsa");
  const auto log = *audit::Log::open(system, "/audit.log", site);
  const auto gate = *consent::Gate::open(system, "/gate", site, root, *log, {});
  const auto card = os::random_id<CardId>(random);
  ASSERT_TRUE(
      gate->enrol({card, os::random_id<Pseudonym>(random), card::CardKind::kOneTimeMac, {{1}, 5}}));
  const os::UnixMs until{clock.now().value + 3'600'000};
  for (std::size_t i = 0; i < consent::kMaxWithdrawn; ++i) {
    ASSERT_TRUE(gate->withdraw(card, os::random_id<GrantId>(random), until));
  }
  EXPECT_EQ(gate->withdraw(card, os::random_id<GrantId>(random), until).error().code,
            Code::kNoSpace);
}

}  // namespace
}  // namespace warifu::sim
