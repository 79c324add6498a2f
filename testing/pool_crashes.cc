// Where the crashes, errors and backups of a run are put, and what is done with each end
// afterwards.
#include "testing/pool_crashes.h"

namespace warifu::sim {
namespace {

constexpr std::uint64_t kSteps = 40;
constexpr int kTears = 16;      // images of each crash that one end recovers alone
constexpr int kTwins = 2;       // images of each crash that both ends recover from
constexpr int kMoreDeaths = 3;  // crashes that the surviving pair goes on to live through

// Both ends lost power at once: recovered, repaired, used, drained.
void go_on_as_twin(const TwoPools& pair, std::uint64_t seed, Tally& tally, std::uint64_t run) {
  TwoPools twin(pair, seed);
  const bool open = twin.recover(twin.tx(), std::move(twin.tx().disk), 1) &&
                    twin.recover(twin.rx(), std::move(twin.rx().disk), 1);
  if (open) {
    (void)twin.repair();
    (void)twin.live(8);
    twin.drain();
  }
  tally.add(twin, run);
}

// The dead end comes back beside its living peer, and more crashes follow.
void go_on(TwoPools& pair, End* dead) {
  Dice& dice = pair.dice();
  for (int deaths = 0; dead != nullptr && deaths < kMoreDeaths; ++deaths) {
    pair.bury(*dead);
    auto image = dice.one_in(2) ? dead->disk->kill_image() : dead->disk->crash_image(dice.next());
    if (!pair.recover(*dead, std::move(image), 2)) return;
    (void)pair.repair();
    SimDisk& next = *(dice.one_in(2) ? pair.tx() : pair.rx()).disk;
    if (dice.one_in(3)) {
      next.fail_next(dice.between(1, 100), Fault::kIo, false);
    } else {
      next.crash_at(dice.between(1, 60));
    }
    dead = pair.live(kSteps / 2);
  }
  for (End* end : {&pair.tx(), &pair.rx()}) {
    end->disk->clear_faults();
    if (!end->disk->dead()) continue;
    pair.bury(*end);
    if (!pair.recover(*end, end->disk->crash_image(dice.next()), 0)) return;
  }
  pair.drain();
}

// Crashes at each changing operation of one seeded run; false when `at` lies beyond its end.
bool crash_once(Rules rules, bool sender, std::uint64_t at, Tally& tally) {
  TwoPools pair(rules);
  (sender ? pair.tx() : pair.rx()).disk->crash_at(at);
  End* dead = pair.live(kSteps);
  if (dead == nullptr) return false;
  ++tally.crashes;
  pair.bury(*dead);
  for (int i = 0; i < kTears; ++i) {
    pair.check_image(*dead, dead->disk->crash_image(pair.dice().next()), i % 4 == 3 ? 3 : 0);
  }
  for (int i = 0; i < kTwins; ++i) go_on_as_twin(pair, pair.dice().next(), tally, rules.seed);
  go_on(pair, dead);
  tally.add(pair, rules.seed);
  return true;
}

// The same crash, and then one at each change of the recovery from it, and further ones inside the
// recoveries that follow.
bool crash_in_recovery(const Rules& rules, bool sender, std::uint64_t at, Tally& tally) {
  constexpr std::uint64_t kRecoveryChanges = 14;  // more than any recovery makes here
  TwoPools pair(rules);
  (sender ? pair.tx() : pair.rx()).disk->crash_at(at);
  End* dead = pair.live(kSteps);
  if (dead == nullptr) return false;
  ++tally.crashes;
  pair.bury(*dead);
  const std::uint64_t image = pair.dice().next();
  for (std::uint64_t change = 1; change <= kRecoveryChanges; ++change) {
    pair.check_image(*dead, dead->disk->crash_image(image), static_cast<int>(1 + change % 3),
                     change);
  }
  tally.add(pair, rules.seed);
  return true;
}

// One operation fails, once or with all later ones; the process goes on where it may, then the
// power goes. False when `at` lies beyond the end of the run.
bool fault_once(const Rules& rules, bool sender, std::uint64_t at, Fault fault, bool for_good,
                Tally& tally) {
  TwoPools pair(rules);
  SimDisk& disk = *(sender ? pair.tx() : pair.rx()).disk;
  disk.fail_next(at, fault, for_good);
  End* dead = nullptr;
  for (std::uint64_t i = 0; i < kSteps && dead == nullptr && disk.faults_met() == 0; ++i) {
    dead = pair.live(1);
  }
  if (disk.faults_met() == 0) return false;
  ++tally.crashes;
  // What the process believes after an error is put to the test for a short or a long while.
  if (!pair.dice().one_in(4)) disk.clear_faults();
  if (dead == nullptr) dead = pair.live(pair.dice().one_in(2) ? pair.dice().below(3) : kSteps);
  for (End* end : {&pair.tx(), &pair.rx()}) {
    pair.bury(*end);
    for (int i = 0; i < 3; ++i) {
      pair.check_image(*end, end->disk->crash_image(pair.dice().next()), i == 2 ? 2 : 0);
    }
    pair.check_image(*end, end->disk->kill_image(), 3);
  }
  go_on_as_twin(pair, pair.dice().next(), tally, rules.seed);
  tally.add(pair, rules.seed);
  return true;
}

// One or both ends come back from an older image.
void roll_back(const Rules& rules, Restored which, bool replays, Tally& tally) {
  const std::uint64_t seed = rules.seed;
  TwoPools pair(rules);
  (void)pair.live(pair.dice().between(5, 40));
  std::vector<std::pair<End*, std::unique_ptr<SimDisk>>> backups;
  if (which != Restored::kReceiver) backups.emplace_back(&pair.tx(), pair.tx().disk->kill_image());
  if (which != Restored::kSender) {
    backups.emplace_back(&pair.rx(), pair.rx().disk->crash_image(seed));
  }
  (void)pair.live(pair.dice().between(5, 60));
  for (auto& [end, image] : backups) {
    pair.bury(*end);
    end->told_mark = end->told_end = 0;  // going back is what this test does to it
    if (!pair.recover(*end, std::move(image), 0)) return tally.add(pair, seed);
  }
  if (!replays) pair.forget_grants();
  (void)pair.repair();
  (void)pair.live(40);
  pair.drain();
  tally.add(pair, seed);
}

}  // namespace

Tally explore_crashes(Rules rules, std::uint64_t states) {
  Tally tally;
  for (; tally.states < states; ++rules.seed) {
    rules.largest_segment = rules.seed % 16 == 0 ? 70'000 : 300;  // beyond one sealed block
    for (const bool sender : {true, false}) {
      for (std::uint64_t at = 1; tally.states < states; ++at) {
        if (!crash_once(rules, sender, at, tally)) break;
      }
    }
  }
  return tally;
}

Tally explore_recoveries(Rules rules, std::uint64_t states) {
  Tally tally;
  for (; tally.states < states; ++rules.seed) {
    for (std::uint64_t crash = 1; tally.states < states; crash += 5) {
      if (!crash_in_recovery(rules, rules.seed % 2 == 0, crash, tally)) break;
    }
  }
  return tally;
}

Tally explore_faults(Rules rules, std::uint64_t states, std::uint64_t stride) {
  constexpr int kWays = 16;  // four kinds, at either end, once and for good
  Tally tally;
  for (; tally.states < states; ++rules.seed) {
    for (int way = 0; way < kWays; ++way) {
      const auto fault = static_cast<Fault>(way / 4);
      for (std::uint64_t at = 1 + rules.seed % stride; tally.states < states; at += stride) {
        if (!fault_once(rules, way % 2 == 0, at, fault, way / 2 % 2 == 0, tally)) break;
      }
    }
  }
  return tally;
}

Tally explore_backups(Rules rules, Restored which, bool replays, std::uint64_t runs) {
  Tally tally;
  for (std::uint64_t i = 0; i < runs; ++i, ++rules.seed) roll_back(rules, which, replays, tally);
  return tally;
}

std::ostream& operator<<(std::ostream& out, const Tally& tally) {
  const Violations& v = tally.found;
  return out << v.total() << " violations (" << v.overlaps << " overlaps, " << v.wrong << " wrong, "
             << v.mark_back << " mark back, " << v.lost << " lost, " << v.wasted << " wasted, "
             << v.refused << " refused) in " << tally.states << " states, " << tally.crashes
             << " crashes, " << tally.bytes << " bytes taken, " << tally.refusals
             << " grants refused; first bad seed " << tally.first_bad_seed;
}

}  // namespace warifu::sim
