// Power loss, process death, disk errors and restored backups at both ends of a pool: no byte of
// pad is ever taken twice at one end, the mark never goes back, both ends take the same values, and
// no confirmed pad is lost. And the controls: the same runs over seeded bugs must count violations.
//
// WARIFU_CRASH_STATES sets how many states are tried (100,000 in an optimised build). Every run
// follows from its seed; a failure prints the first bad one.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "testing/pool_crashes.h"

namespace warifu::keypool {
namespace {

using sim::End;
using sim::Lies;
using sim::MarkBends;
using sim::Restored;
using sim::Rules;
using sim::SimDisk;
using sim::Tally;
using sim::TwoPools;

std::uint64_t wanted_states() {
  if (const char* text = std::getenv("WARIFU_CRASH_STATES"))
    return std::strtoull(text, nullptr, 10);
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  return 100'000;
#else
  return 10'000;
#endif
}

TEST(PoolCrashTest, NoByteIsTakenTwiceWhereverTheCrashIs) {
  const auto start = std::chrono::steady_clock::now();
  const Tally tally = sim::explore_crashes({}, wanted_states());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << tally << "; " << static_cast<double>(tally.states) / took.count() << " states/s\n";
  EXPECT_EQ(tally.found.total(), 0u) << tally;
  EXPECT_GE(tally.states, wanted_states());
}

TEST(PoolCrashTest, AnErrorOfTheDiskAtAnyOperationCostsNoByteTwice) {
  const Tally tally = sim::explore_faults({}, wanted_states() / 2);
  std::cout << tally << "\n";
  EXPECT_EQ(tally.found.total(), 0u) << tally;
}

// --- creation and intake ------------------------------------------------------------------------

// A pool on `disk`, made now unless it is there already.
void expect_pool(SimDisk& disk) {
  sim::SimClock clock;
  sim::SimRandom random(7);
  const os::System system{disk, clock, random};
  const std::string folder = "/site/links/tx";
  if (!disk.exists(folder + "/identity")) {
    const auto made = Pool::create(system, folder, LinkId::from_view(Bytes(16, 9)),
                                   Direction::kSend, TwoPools::root_key());
    ASSERT_TRUE(made) << made.error().message;
  }
  const auto pool = Pool::open(system, folder, TwoPools::root_key());
  ASSERT_TRUE(pool) << pool.error().message;
}

TEST(PoolCrashTest, ACreationIsCompleteOrCanBeDoneAgain) {
  std::uint64_t crashes = 0, states = 0;
  for (bool died = true; died; crashes += died) {
    SimDisk disk;
    ASSERT_TRUE(disk.make_directories("/site/links"));
    disk.sync_dir("/");
    disk.sync_dir("/site");
    disk.crash_at(crashes + 1);
    try {
      expect_pool(disk);
    } catch (const sim::SimCrash&) {
    }
    died = disk.dead();
    for (std::uint64_t seed = 0; seed < 64; ++seed, ++states) {
      const auto image = disk.crash_image(seed);
      ASSERT_TRUE(died || image->exists("/site/links/tx/identity")) << "lost when complete";
      expect_pool(*image);
      expect_pool(*disk.kill_image());
    }
  }
  std::cout << crashes << " crashes, " << states << " states\n";
  EXPECT_GT(crashes, 10u);
}

// The same number comes again after a restored backup; its key must not be sealed at the same
// place.
TEST(PoolCrashTest, ARepeatedSegmentNumberIsSealedAtAnotherPlace) {
  TwoPools pair({.seed = 3});
  auto backup = pair.rx().disk->kill_image();
  ASSERT_TRUE(pair.rx().pool->ingest({0}, Origin::kPreshared, Bytes(10, 1)));
  const std::uint64_t first = pair.rx().pool->segments()[0].wrap_index;
  ASSERT_TRUE(pair.recover(pair.rx(), std::move(backup), 0));
  ASSERT_TRUE(pair.rx().pool->ingest({0}, Origin::kPreshared, Bytes(10, 2)));
  EXPECT_NE(pair.rx().pool->segments()[0].wrap_index, first);
}

// --- restored backups ---------------------------------------------------------------------------

Tally restore(Restored which, bool replays, const Rules& rules = {}) {
  const Tally tally = sim::explore_backups(rules, which, replays, wanted_states() / 80);
  std::cout << tally << "\n";
  return tally;
}

// The sending end's mark is ahead: it refuses what it has used, whoever grants it.
TEST(PoolCrashTest, ARestoredReceivingEndMakesNobodyUseAByteTwice) {
  const Tally tally = restore(Restored::kReceiver, true);
  EXPECT_EQ(tally.found.total(), 0u) << tally;
  EXPECT_GT(tally.refusals, 0u);
}

// The receiving end's mark is ahead: it never grants again what it has granted.
TEST(PoolCrashTest, ARestoredSendingEndMakesNobodyUseAByteTwice) {
  const Tally tally = restore(Restored::kSender, false);
  EXPECT_EQ(tally.found.total(), 0u) << tally;
}

// The limits, as controls. A restored sending end believes a grant of before the backup if somebody
// kept it and plays it again: whoever brings grants must see to it that they are fresh. With both
// ends restored nobody is left who knows. And a receiving end that uses pad before the other has
// accepted it has no witness when it is restored.
TEST(PoolCrashTest, ReplayToARestoredSenderAndTwoRestoredEndsAreBeyondThePool) {
  EXPECT_GT(restore(Restored::kSender, true).found.overlaps, 0u);
  EXPECT_GT(restore(Restored::kBoth, false).found.overlaps, 0u);
  EXPECT_GT(restore(Restored::kReceiver, true, {.takes_unaccepted = true}).found.overlaps, 0u);
}

// A share that is read before its range is marked comes again when the other end is restored.
TEST(PoolCrashTest, AShareDrawnWithoutTheMarkIsCaught) {
  EXPECT_GT(restore(Restored::kReceiver, true, {.draws_unaccepted = true}).found.overlaps, 0u);
}

// A grant that could not be noted leaves no gap behind: what lies before it is above the mark
// still.
TEST(PoolCrashTest, AGrantThatCouldNotBeNotedLeavesNoGap) {
  TwoPools pair({.seed = 5});
  while (pair.tx().pool->status().synced_end.value < 3) pair.grow();
  Pool& tx = *pair.tx().pool;
  pair.tx().disk->fail_next(1, sim::Fault::kNoSpace, false);
  ASSERT_EQ(tx.accept({2}, {1}).error().code, Code::kNoSpace);
  pair.tx().disk->clear_faults();
  const auto once = tx.accept({0}, {1});
  ASSERT_TRUE(once);
  EXPECT_EQ(tx.accept({0}, {1}).error().code, Code::kRefused);
}

TEST(PoolCrashTest, AMarkOlderThanTheIndexIsNotOpened) {
  TwoPools pair({.seed = 1});
  const std::string path = TwoPools::folder(pair.rx()) + "/mark";
  pair.grow();
  const Bytes old_mark = *os::read_file(*pair.rx().disk, path, 1 << 20);
  pair.grow();
  pair.drain();  // all of it is used and forgotten
  pair.bury(pair.rx());
  auto image = pair.rx().disk->kill_image();
  ASSERT_TRUE(os::replace_file(*image, path, old_mark));
  EXPECT_FALSE(pair.recover(pair.rx(), std::move(image), 0));
}

// --- seeded bugs --------------------------------------------------------------------------------

enum class Due : std::uint8_t { kReuse, kAnyViolation };

struct SeededBug {
  const char* name;
  Lies lies;
  MarkBends bends;
  Due due;    // what the runs must count
  bool rare;  // shows only in a few of 10,000 states: more of them are tried
};

// Why some bugs are not held to bytes taken twice within this budget, and yet show:
// - nothing is synced: a torn index mostly keeps the pool from opening before its mark matters;
// - a failed sync goes on: the next mark covers the lost one, unless the power goes before it;
// - both slots in one place: the checksum tells a torn mark, and then the slot of the last restart
//   stands in, so only what was marked since then is taken again;
// - no checksum: most garbage puts the mark outside what the index holds, and the pool does not
// open;
// - no sync_dir: the mark is written in place, under a name that a restart renews; what shows is
// lost
//   segments;
// - a rename that is not atomic: a pool without its mark or index does not open.
constexpr SeededBug kBugs[] = {
    {"sync does nothing", {.sync_does_nothing = true}, {}, Due::kAnyViolation, false},
    {"sync of the mark does nothing", {}, {.never_synced = true}, Due::kReuse, false},
    {"failed sync goes on", {.failed_sync_goes_on = true}, {}, Due::kAnyViolation, true},
    {"mark one write behind", {}, {.one_behind = true}, Due::kReuse, false},
    {"recovery reads one slot", {}, {.reads_one_slot = true}, Due::kReuse, false},
    {"both slots in one place", {}, {.one_slot = true}, Due::kAnyViolation, true},
    {"no checksum", {}, {.no_checksum = true}, Due::kAnyViolation, true},
    {"sync_dir does nothing", {.sync_dir_does_nothing = true}, {}, Due::kAnyViolation, false},
    {"rename is not atomic", {.rename_keeps_nothing = true}, {}, Due::kAnyViolation, false},
};

TEST(PoolCrashTest, EverySeededBugIsCaught) {
  for (const SeededBug& bug : kBugs) {
    // From a seed whose few runs replay grants over marks that went back; most seeds do.
    const Rules rules{
        .seed = bug.due == Due::kReuse ? 12U : 1U, .lies = bug.lies, .bends = bug.bends};
    const std::uint64_t states = bug.rare ? std::max<std::uint64_t>(wanted_states() / 2, 20'000)
                                          : std::max<std::uint64_t>(wanted_states() / 10, 10'000);
    const Tally tally = bug.lies.failed_sync_goes_on ? sim::explore_faults(rules, states)
                                                     : sim::explore_crashes(rules, states);
    std::cout << bug.name << ": " << tally << "\n";
    const bool any = bug.due == Due::kAnyViolation;
    EXPECT_GT(any ? tally.found.total() : tally.found.overlaps, 0u) << bug.name;
  }
}

// Without the lock, two processes on one pool hand out the same bytes; with it, the second stays
// out.
TEST(PoolCrashTest, TwoOwnersAreCaughtWhenTheLockLies) {
  for (const bool lies : {false, true}) {
    TwoPools pair({.seed = 5, .lies = {.lock_always_given = lies}});
    pair.grow();
    auto second =
        Pool::open(pair.system(pair.rx()), TwoPools::folder(pair.rx()), TwoPools::root_key());
    ASSERT_EQ(second.has_value(), lies);
    if (!lies) continue;
    for (Pool* pool : {pair.rx().pool.get(), second->get()}) {
      auto reserved = pool->reserve({1}, Purpose::kControl);
      ASSERT_TRUE(reserved);
      const auto pad = reserved->take(1);
      ASSERT_TRUE(pad);
      pair.record(pair.rx(), pad->offset(), pad->bytes());
    }
    EXPECT_EQ(pair.violations().overlaps, 1u);
  }
}

}  // namespace
}  // namespace warifu::keypool
