// Power loss, process death, disk errors and restored backups at both ends of a pool: no byte of
// pad is ever taken twice at one end, the mark never goes back, both ends take the same values, and
// no confirmed pad is lost. And the controls: the same runs over seeded bugs must count violations.
//
// WARIFU_CRASH_STATES sets how many states a shard tries (100,000 in an optimised build). Every run
// follows from its seed; a failure prints the first bad one. More: `./run verify kms`.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "testing/pool_bugs.h"

namespace warifu::keypool {
namespace {

using sim::Restored;
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

// Ten shards, so that they run side by side; a million states in an optimised build.
class PoolCrashShard : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PoolCrashShard, NoByteIsTakenTwiceWhereverTheCrashIs) {
  const auto start = std::chrono::steady_clock::now();
  const Tally tally =
      sim::explore_crashes({.seed = 1 + GetParam() * 1'000'000'000}, wanted_states());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << tally << "; " << static_cast<double>(tally.states) / took.count() << " states/s\n";
  EXPECT_EQ(tally.found.total(), 0u) << tally;
  EXPECT_GE(tally.states, wanted_states());
}
INSTANTIATE_TEST_SUITE_P(Seeds, PoolCrashShard, testing::Range<std::uint64_t>(0, 10));

TEST(PoolCrashTest, AnErrorOfTheDiskAtAnyOperationCostsNoByteTwice) {
  const Tally tally = sim::explore_faults({}, wanted_states() / 2, 29);
  std::cout << tally << "\n";
  EXPECT_EQ(tally.found.total(), 0u) << tally;
}

TEST(PoolCrashTest, ACrashAtAnyChangeOfARecoveryCostsNoByteTwice) {
  const Tally tally = sim::explore_recoveries({}, wanted_states() / 10);
  std::cout << tally << "\n";
  EXPECT_EQ(tally.found.total(), 0u) << tally;
  EXPECT_GE(tally.states, wanted_states() / 10);
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

Tally restore(Restored which, bool replays) {
  const Tally tally = sim::explore_backups({}, which, replays, wanted_states() / 80);
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
// ends restored nobody is left who knows.
TEST(PoolCrashTest, ReplayToARestoredSenderAndTwoRestoredEndsAreBeyondThePool) {
  EXPECT_GT(restore(Restored::kSender, true).found.overlaps, 0u);
  EXPECT_GT(restore(Restored::kBoth, false).found.overlaps, 0u);
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

TEST(PoolCrashTest, EverySeededBugIsCaught) {
  EXPECT_GE(sim::seeded_bugs().size(), 12u);
  for (const sim::SeededBug& bug : sim::seeded_bugs()) {
    const Tally tally = sim::run_seeded_bug(bug, wanted_states());
    std::cout << bug.name << ": " << tally << "\n";
    EXPECT_TRUE(sim::is_caught(bug, tally)) << bug.name;
  }
}

TEST(PoolCrashTest, ASecondOwnerStaysOut) {
  EXPECT_EQ(sim::two_owners(false).found.total(), 0u);
  EXPECT_EQ(sim::two_owners(true).found.overlaps, 1u);  // when the lock lies
}

}  // namespace
}  // namespace warifu::keypool
