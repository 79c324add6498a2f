// Seeded bugs of a cluster: what its simulation must catch, and by what. Made at the seams to
// files, stores and databases, so that production code stays untouched.
#pragma once

#include <span>
#include <string_view>

#include "testing/cluster_rules.h"

namespace warifu::sim {

struct ClusterBug {
  std::string_view name;
  ClusterBugs bugs;
  // Any of these must be counted.
  std::vector<std::uint64_t ClusterCounts::*> due;
  bool burn_control = false;    // it shows only then
  std::string_view shape = {};  // it shows only there; empty: in any
};

[[nodiscard]] std::span<const ClusterBug> cluster_seeded_bugs();
// Tries seeds from 1 on; the first one that shows the bug, or dies of it; none within `seeds`. Not
// from inside a schedule.
[[nodiscard]] std::optional<std::uint64_t> seed_that_shows(const ClusterBug& bug,
                                                           std::uint64_t seeds);

}  // namespace warifu::sim
