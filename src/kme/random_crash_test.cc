// The random pool under power loss at every operation: no word of it is ever given twice, whatever
// crashes and however often. The controls: a disk whose syncs do nothing, and a restored backup.
#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "kme/random_source.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::kme {
namespace {

using sim::Dice;
using sim::SimCrash;
using sim::SimDisk;

// One site whose random numbers are a count: each word tells its place, so that a word seen twice
// is a word given twice. The ledger lives outside of the disk.
class CountingSite {
 public:
  explicit CountingSite(std::uint64_t seed) : dice_(seed), random_(~seed) {}

  // Imports and fills until `steps` are done or the power goes. Files have new words each time.
  void live(SimDisk& disk, int steps) {
    std::unique_ptr<RandomSource> source;
    try {
      auto opened = RandomSource::open({disk, clock_, random_}, "/site", root(), RandomFrom::kPool,
                                       std::chrono::milliseconds(0));
      if (disk.dead()) return;
      if (!opened) {
        ++refused;
        return;
      }
      source = std::move(*opened);
      for (int i = 0; i < steps && !disk.dead(); ++i) {
        if (source->status().available_bytes < 800 || dice_.one_in(4)) {
          bring(disk);
          (void)source->import("/media/numbers", keypool::Origin::kHardware);
        } else {
          take(*source, 8 * dice_.between(1, 100));
        }
      }
    } catch (const SimCrash&) {
    }
    const SimDisk::Quiet quiet(disk);  // the destructor writes its account
    source.reset();
  }

  std::uint64_t repeats = 0;
  std::uint64_t words = 0;
  std::uint64_t refused = 0;  // a pool that does not open any more

 private:
  static ByteView root() {
    static const Bytes key(32, 3);
    return key;
  }
  void bring(SimDisk& disk) {
    Bytes bytes(8 * dice_.between(100, dice_.one_in(8) ? 20'000 : 300));
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      std::memcpy(bytes.data() + at, &next_word_, 8);
      ++next_word_;
    }
    (void)os::replace_file(disk, "/media/numbers", bytes);
  }
  void take(RandomSource& source, std::size_t size) {
    Bytes out(size);
    if (!source.fill(out)) return;
    for (std::size_t at = 0; at < size; at += 8, ++words) {
      std::uint64_t word = 0;
      std::memcpy(&word, out.data() + at, 8);
      if (!given_.insert(word).second) ++repeats;
    }
  }

  Dice dice_;
  sim::SimClock clock_;
  sim::SimRandom random_;
  std::uint64_t next_word_ = 1;
  std::set<std::uint64_t> given_;
};

struct Tally {
  std::uint64_t repeats = 0, words = 0, refused = 0, crashes = 0, states = 0;
};

// Each changing operation of a run is a crash once; from several images of it the site goes on, and
// crashes again, up to three deep.
Tally explore(std::uint64_t seeds, const sim::Lies& lies) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    bool died = true;
    for (std::uint64_t at = 1; died; ++at) {
      SimDisk disk;
      EXPECT_TRUE(disk.make_directories("/media"));
      EXPECT_TRUE(disk.make_directories("/site"));
      disk.sync_dir("/");
      disk.lie(lies);
      CountingSite first(seed);
      disk.crash_at(at);
      first.live(disk, 12);
      died = disk.dead();
      tally.crashes += died ? 1 : 0;
      for (std::uint64_t tear = 0; tear < 4; ++tear) {
        CountingSite site = first;
        Dice dice(seed * 1'000'003 + at * 101 + tear);
        auto now = tear == 3 ? disk.kill_image() : disk.crash_image(dice.next());
        for (int deep = 0; deep < 3; ++deep, ++tally.states) {
          now->lie(lies);
          now->crash_at(dice.between(1, 40));
          site.live(*now, 8);
          now = now->crash_image(dice.next());
        }
        now->lie(lies);
        site.live(*now, 8);
        ++tally.states;
        tally.repeats += site.repeats;
        tally.words += site.words;
        tally.refused += site.refused;
      }
    }
  }
  return tally;
}

TEST(RandomPoolCrashTest, NoWordIsGivenTwiceWhereverTheCrashIs) {
  const Tally tally = explore(20, {});
  std::cout << tally.words << " words, " << tally.crashes << " crashes, " << tally.states
            << " states\n";
  EXPECT_EQ(tally.repeats, 0u);
  EXPECT_EQ(tally.refused, 0u);
  EXPECT_GT(tally.crashes, 500u);
  EXPECT_GT(tally.words, 100'000u);
}

// Mostly such a pool does not open any more, which is a loss but gives nothing twice.
TEST(RandomPoolCrashTest, ADiskWhoseSyncsDoNothingIsCaught) {
  const Tally tally = explore(4, {.sync_does_nothing = true});
  EXPECT_GT(tally.repeats + tally.refused, 0u);
}

// The limit, and the proof that the ledger sees a word that comes again: a pool with one end has no
// witness when it is restored from a backup.
TEST(RandomPoolCrashTest, ARestoredBackupGivesWordsAgain) {
  std::uint64_t repeats = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SimDisk disk;
    ASSERT_TRUE(disk.make_directories("/media"));
    ASSERT_TRUE(disk.make_directories("/site"));
    CountingSite site(seed);
    site.live(disk, 12);
    const auto backup = disk.kill_image();
    site.live(disk, 12);
    site.live(*backup, 12);
    repeats += site.repeats;
  }
  EXPECT_GT(repeats, 0u);
}

}  // namespace
}  // namespace warifu::kme
