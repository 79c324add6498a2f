// Seeded bugs: what the crash harness must catch. A harness that finds nothing in these would find
// nothing anywhere.
#pragma once

#include <span>
#include <string_view>

#include "testing/pool_crashes.h"

namespace warifu::sim {

enum class Due : std::uint8_t { kReuse, kAnyViolation };
enum class Course : std::uint8_t { kCrashes, kFaults, kRestoredReceiver, kTwoOwners };

struct SeededBug {
  std::string_view name;
  Rules rules;
  Course course = Course::kCrashes;
  Due due = Due::kAnyViolation;  // what the runs must count
  bool rare = false;             // shows only in a few of 10,000 states: more of them are tried
};

[[nodiscard]] std::span<const SeededBug> seeded_bugs();

// Runs the harness over the bug, with a part of `states` (10,000 or more) that is enough to show
// it.
[[nodiscard]] Tally run_seeded_bug(const SeededBug& bug, std::uint64_t states);
[[nodiscard]] bool is_caught(const SeededBug& bug, const Tally& tally);

// A second pool is opened on the folder of an open one. `lies`: the lock is given to both; else the
// second must stay out, and a violation is counted when it does not.
[[nodiscard]] Tally two_owners(bool lies);

}  // namespace warifu::sim
