// Runs of the simulated pair: a crash or a disk error at each operation of seeded workloads, and
// ends restored from backups, with the count of what was violated.
#pragma once

#include <ostream>

#include "testing/two_pools.h"

namespace warifu::sim {

// One state = one image of a disk after a crash, recovered and then drained against the ledger.
struct Tally {
  Violations found;
  std::uint64_t states = 0;
  std::uint64_t crashes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t refusals = 0;
  std::uint64_t first_bad_seed = 0;

  void add(TwoPools& pair, std::uint64_t seed) {
    if (found.total() == 0 && pair.violations().total() > 0) first_bad_seed = seed;
    found += pair.violations();
    states += pair.states();
    bytes += pair.bytes_taken();
    refusals += pair.refusals();
  }
  Tally& operator+=(const Tally& other) {
    if (found.total() == 0) first_bad_seed = other.first_bad_seed;
    found += other.found;
    states += other.states;
    crashes += other.crashes;
    bytes += other.bytes;
    refusals += other.refusals;
    return *this;
  }
};

std::ostream& operator<<(std::ostream& out, const Tally& tally);

// Crashes at each changing operation of each end, run after run of rising seeds, until `states`
// were tried. Each crash leaves several images; on some of them recovery crashes too, up to three
// deep; from some both ends go on; and beside the living peer more deaths follow.
[[nodiscard]] Tally explore_crashes(Rules rules, std::uint64_t states);

// Power loss at every change of the recovery itself, after a crash anywhere, and of the recoveries
// that follow.
[[nodiscard]] Tally explore_recoveries(Rules rules, std::uint64_t states);

// The same with an error at each operation of any sort, of each kind, once and for good; `stride`:
// at each so-many-th operation, so that few states reach all kinds.
[[nodiscard]] Tally explore_faults(Rules rules, std::uint64_t states, std::uint64_t stride = 1);

enum class Restored : std::uint8_t { kSender, kReceiver, kBoth };

// Runs in which one or both ends come back from an older image. `replays`: grants of before may
// arrive again afterwards.
[[nodiscard]] Tally explore_backups(Rules rules, Restored which, bool replays, std::uint64_t runs);

}  // namespace warifu::sim
