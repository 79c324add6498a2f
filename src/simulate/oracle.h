// The one case where the best throughput is known by a formula: one origin with direct links.
//
// m shares of every object go to m different neighbours. Whatever is chosen, no more than
//   T* = max{T : sum over links of min(r_i, T) >= m T}
// objects per time can be stored, r_i being the shares per time that link i can carry. The planner
// is held against it: objects arrive at T* exactly, pools begin empty, and the number of objects
// that wait must stay below what whole objects need at most, however long it goes on. One thread.
#pragma once

#include "simulate/model_planner.h"

namespace warifu::simulate {

// T* for m = `shares`, in the unit of `rates`. 0 when there are fewer links than shares.
[[nodiscard]] double oracle_rate(std::vector<double> rates, std::size_t shares);

struct OracleRun {
  double rate = 0;  // T*, objects per second
  std::size_t arrived = 0;
  std::size_t waiting = 0;       // at the end
  std::size_t most_waiting = 0;  // ever
};

// More never wait when the rate is reached: each link may hold back less than one whole share.
[[nodiscard]] constexpr std::size_t oracle_most_waiting(std::size_t links) {
  return links;
}

// Lets `objects` objects arrive at `load` times T* and placed by the planner. `rates` in bits per
// second that each link can carry away from the origin; at least `shares` of them, at most 200.
[[nodiscard]] OracleRun follow_oracle(const std::vector<double>& rates, std::size_t shares,
                                      std::size_t objects, double load);

}  // namespace warifu::simulate
