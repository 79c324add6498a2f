// Both ends of a relayed link under power loss at every write of either: what is synced is the same
// at both ends, no byte is given twice, and every segment tells its relays.
#include <gtest/gtest.h>

#include <iostream>

#include "kme/relay_test_support.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::kme {
namespace {

using sim::SimCrash;
using sim::SimDisk;

constexpr std::uint32_t kPart = 1024;

// Two sites with a disk each, and what outlives them: the ledger of key that was given out.
class Pair {
 public:
  Pair(std::uint64_t seed, const sim::Lies& lies) : lies_(lies), random_(seed) {
    relays_.graph = both_ways({{"a", "x"}, {"x", "b"}, {"a", "y"}, {"y", "b"}});
    const LinkId id = LinkId::from_view(Bytes(16, 5));
    for (int end = 0; end < 2; ++end) {
      disks_[end] = std::make_unique<SimDisk>();
      EXPECT_TRUE(disks_[end]->make_directories("/site"));
      disks_[end]->sync_dir("/");
      const std::string peer = end == 0 ? "b" : "a";
      EXPECT_TRUE(
          create_link_pools(system(end), "/site", {site_of(peer), LinkClass::kRelayed, id}));
      for (const auto& folder :
           {std::string("/site"), std::string("/site/pools"), "/site/pools/" + peer}) {
        disks_[end]->sync_dir(folder);
      }
      disks_[end]->lie(lies_);
    }
  }

  // Rounds and uses at both ends until `steps` are done or a disk is dead.
  void live(int steps) {
    std::unique_ptr<RelayEnd> a, b;
    try {
      a = std::make_unique<RelayEnd>(system(0), "/site", "a", "b", 2, kPart, relays_);
      b = std::make_unique<RelayEnd>(system(1), "/site", "b", "a", 2, kPart, relays_);
      if (!a->problem.empty() || !b->problem.empty()) {
        if (!dead()) ++refused;
      } else {
        relays_.far = b->device.get();
        for (int i = 0; i < steps && !dead(); ++i) {
          (void)a->intake->round(
              [&](IntakeMethod method, Bytes body) { return b->intake->answer(method, body); });
          check_ways(*a, a->link().send());
          check_ways(*b, b->link().receive());
          if (i % 2 == 1) use(*a, *b);
        }
      }
    } catch (const SimCrash&) {
    }
    const SimDisk::Quiet quiet_a(*disks_[0]), quiet_b(*disks_[1]);
    a.reset();
    b.reset();
  }

  void crash_at(int end, std::uint64_t change) { disks_[end]->crash_at(change); }
  [[nodiscard]] bool dead() const { return disks_[0]->dead() || disks_[1]->dead(); }
  // The power is gone at one end; the process of the other one goes with its next step.
  void restart(std::uint64_t tear) {
    for (auto& disk : disks_) {
      auto image = disk->dead() ? disk->crash_image(tear) : disk->kill_image();
      image->lie(lies_);
      disk = std::move(image);
    }
  }

  std::uint64_t differing = 0, repeats = 0, refused = 0, without_ways = 0, used = 0;

 private:
  os::System system(int end) { return {*disks_[end], clock_, random_}; }

  void check_ways(RelayEnd& end, keypool::Pool& pool) {
    if (dead()) return;
    for (const auto& entry : pool.segments()) {
      const auto ways = end.link().relay_ways()->of(pool.direction(), entry.number);
      if (!are_disjoint(ways, site_of("a"), site_of("b"))) ++without_ways;
    }
  }

  // The order of every use: the receiving end reserves, the sending end takes over, both read.
  void use(RelayEnd& a, RelayEnd& b) {
    const std::uint64_t size = std::min(a.link().send().status().available_bytes,
                                        b.link().receive().status().available_bytes) /
                               2;
    if (size < 16) return;
    auto granted = b.link().receive().reserve({size}, keypool::Purpose::kControl);
    if (!granted) return;
    auto accepted = a.link().send().accept(granted->begin(), {size});
    if (!accepted) {
      (void)a.link().send().burn_to(granted->end());
      return;
    }
    const auto x = granted->take(size);
    const auto y = accepted->take(size);
    if (!x || !y) return;
    if (!std::ranges::equal(x->bytes(), y->bytes())) ++differing;
    for (std::size_t at = 0; at + 16 <= size; at += 16, ++used) {
      const ByteView block = x->bytes().subspan(at, 16);
      if (!ledger_.insert(Bytes(block.begin(), block.end())).second) ++repeats;
    }
  }

  sim::Lies lies_;
  sim::SimClock clock_;
  sim::SimRandom random_;
  FakeRelays relays_;
  std::unique_ptr<SimDisk> disks_[2];
  std::set<Bytes> ledger_;
};

struct Tally {
  std::uint64_t crashes = 0, used = 0, wrong = 0, stuck = 0;
};

// Every changing operation of either end is a crash once.
Tally explore(std::uint64_t most, const sim::Lies& lies) {
  Tally tally;
  for (int end = 0; end < 2; ++end) {
    bool died = true;
    // A sync that does nothing is no place to crash at, so there the run goes on behind it.
    for (std::uint64_t at = 1; at <= most && (died || lies.sync_does_nothing); ++at) {
      for (std::uint64_t tear = 0; tear < 2; ++tear) {
        Pair pair(at * 31 + tear, lies);
        pair.crash_at(end, at);
        pair.live(4);
        died = pair.dead();
        tally.crashes += died ? 1 : 0;
        pair.restart(at * 7 + tear);
        const std::uint64_t before = pair.used;
        pair.live(6);
        const std::uint64_t wrong =
            pair.differing + pair.repeats + pair.refused + pair.without_ways;
        if (wrong > 0 && !lies.sync_does_nothing) {
          ADD_FAILURE() << "end " << end << ", change " << at << ": " << pair.differing
                        << " ranges differ, " << pair.repeats << " blocks came twice, "
                        << pair.refused << " times refused, " << pair.without_ways
                        << " segments without relays";
        }
        tally.wrong += wrong;
        tally.stuck += pair.used == before ? 1 : 0;
        tally.used += pair.used;
      }
    }
  }
  return tally;
}

TEST(RelayCrashTest, BothEndsAgreeWhereverThePowerGoes) {
  const Tally tally = explore(UINT64_MAX, {});
  std::cout << tally.crashes << " crashes, " << tally.used << " blocks of key used\n";
  EXPECT_EQ(tally.wrong, 0u);
  EXPECT_EQ(tally.stuck, 0u) << "key did not flow again";
  EXPECT_GT(tally.crashes, 80u);
}

// The negative control: the harness sees what goes wrong.
TEST(RelayCrashTest, ADiskWhoseSyncsDoNothingIsCaught) {
  const Tally tally = explore(80, {.sync_does_nothing = true});
  EXPECT_GT(tally.wrong, 0u) << tally.crashes << " crashes, " << tally.used << " blocks, "
                             << tally.stuck << " stuck";
}

}  // namespace
}  // namespace warifu::kme
