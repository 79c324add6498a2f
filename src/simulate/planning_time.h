// How long the planner takes on a simulated network in use.
//
// The network is run at a given rate with the price policy; at every object that is placed the
// moment's whole snapshot is planned as a store job does it, with runner-up, and timed. Then as
// many jobs as are asked for are planned again at once, at a moment when some site has to wait for
// key; and every site plans an object under each of a few nested policies whose labels every site
// carries, at that moment and when all pools are full. Times are processor time on this machine.
// One thread.
#pragma once

#include "simulate/simulation.h"

namespace warifu::simulate {

struct PlanningTimes {
  std::size_t plans = 0;
  double median_ms = 0, p99_ms = 0, most_ms = 0;
  std::size_t replanned = 0;  // jobs
  double replanned_seconds = 0;
  // Under nested policies.
  std::size_t nested_plans = 0, nested_refused = 0;  // the latter: no legal plan exists
  std::size_t nested_unknown = 0;                    // given up: none was found in time
  std::size_t nested_best = 0;                       // plans than which none is cheaper
  double nested_median_ms = 0, nested_p99_ms = 0, nested_most_ms = 0;
};

[[nodiscard]] PlanningTimes measure_planning(const ModelNetwork& network,
                                             const std::vector<double>& rates,
                                             const Setting& setting, std::uint64_t object_bytes,
                                             std::size_t jobs);

}  // namespace warifu::simulate
