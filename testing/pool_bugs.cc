// The bugs, and why some are not held to bytes taken twice within their budget, and yet show:
// - nothing is synced: a torn index mostly keeps the pool from opening before its mark matters;
// - a failed sync goes on: the next mark covers the lost one, unless the power goes before it;
// - both slots in one place: the checksum tells a torn mark, and then the slot of the last restart
//   stands in, so only what was marked since then is taken again;
// - no checksum: most garbage puts the mark outside what the index holds, and the pool does not
//   open;
// - no sync_dir: the mark is written in place, under a name that a restart renews; what shows is
//   lost segments;
// - a rename that is not atomic: a pool without its mark or index does not open.
// The last three: a receiving end that uses pad before the other has accepted it has no witness
// when it is restored, a share that is read before its range is marked comes again likewise, and
// two processes on one pool hand out the same bytes.
#include "testing/pool_bugs.h"

#include <algorithm>

namespace warifu::sim {
namespace {

// A seed whose few runs replay grants over marks that went back; most seeds do.
constexpr std::uint64_t kReuseSeed = 12;

const SeededBug kBugs[] = {
    {"sync does nothing", {.lies = {.sync_does_nothing = true}}},
    {"sync of the mark does nothing",
     {.seed = kReuseSeed, .bends = {.never_synced = true}},
     Course::kCrashes,
     Due::kReuse},
    {"failed sync goes on",
     {.lies = {.failed_sync_goes_on = true}},
     Course::kFaults,
     Due::kAnyViolation,
     true},
    {"mark one write behind",
     {.seed = kReuseSeed, .bends = {.one_behind = true}},
     Course::kCrashes,
     Due::kReuse},
    {"recovery reads one slot",
     {.seed = kReuseSeed, .bends = {.reads_one_slot = true}},
     Course::kCrashes,
     Due::kReuse},
    {"both slots in one place",
     {.bends = {.one_slot = true}},
     Course::kCrashes,
     Due::kAnyViolation,
     true},
    {"no checksum", {.bends = {.no_checksum = true}}, Course::kCrashes, Due::kAnyViolation, true},
    {"sync_dir does nothing", {.lies = {.sync_dir_does_nothing = true}}},
    {"rename is not atomic", {.lies = {.rename_keeps_nothing = true}}},
    {"pad used before the other end accepted it",
     {.takes_unaccepted = true},
     Course::kRestoredReceiver,
     Due::kReuse},
    {"a share drawn before its range is marked",
     {.draws_unaccepted = true},
     Course::kRestoredReceiver,
     Due::kReuse},
    {"two owners of one folder", {}, Course::kTwoOwners, Due::kReuse},
};

}  // namespace

std::span<const SeededBug> seeded_bugs() {
  return kBugs;
}

Tally two_owners(bool lies) {
  TwoPools pair({.seed = 5, .lies = {.lock_always_given = lies}});
  pair.grow();
  Tally tally;
  auto second = keypool::Pool::open(pair.system(pair.rx()), TwoPools::folder(pair.rx()),
                                    TwoPools::root_key());
  if (second) {
    for (keypool::Pool* pool : {pair.rx().pool.get(), second->get()}) {
      auto reserved = pool->reserve({1}, keypool::Purpose::kControl);
      WARIFU_CHECK(reserved.has_value());
      const auto pad = reserved->take(1);
      WARIFU_CHECK(pad.has_value());
      pair.record(pair.rx(), pad->offset(), pad->bytes());
    }
  }
  tally.add(pair, 5);
  return tally;
}

Tally run_seeded_bug(const SeededBug& bug, std::uint64_t states) {
  const std::uint64_t enough = bug.rare ? std::max<std::uint64_t>(states / 2, 20'000)
                                        : std::max<std::uint64_t>(states / 10, 10'000);
  switch (bug.course) {
    case Course::kCrashes: return explore_crashes(bug.rules, enough);
    case Course::kFaults: return explore_faults(bug.rules, enough);
    case Course::kRestoredReceiver:
      return explore_backups(bug.rules, Restored::kReceiver, true, states / 80);
    case Course::kTwoOwners: return two_owners(true);
  }
  return {};
}

bool is_caught(const SeededBug& bug, const Tally& tally) {
  return (bug.due == Due::kReuse ? tally.found.overlaps : tally.found.total()) > 0;
}

}  // namespace warifu::sim
