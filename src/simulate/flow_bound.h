// The bound that no policy can beat for long: a linear program over flows of shares.
//
// One commodity per origin, T persons per day in all, in proportion to population:
//   origin     flow out of o = 2 d_o T (nothing comes back)
//   elsewhere  0 <= what stays at v <= d_o T                 one share per site
//   region     what stays in the region of o <= d_o T        one share at least outside
//   disjoint   flow into v <= d_o T                          with the rule on: nobody sees two
//   key        shares over a pool <= what it yields
// "disjoint" is a relaxation: fractions of shares may pass where whole ones may not. The dual of a
// key row is the shadow price of the link: persons per day gained for one more share per day.
// Initial fill of pools is not part of it, so a short run may lie a little above. Solved by Clp's
// simplex; a second solve() starts from the first one's basis. One thread.
#pragma once

#include <memory>

#include "simulate/model_planner.h"

namespace warifu::simulate {

struct FlowBound {
  double persons_per_day = 0;
  std::vector<double> shadow_price;  // by link
};

class FlowProblem {
 public:
  // `rates` by link, in bits per second, both directions together.
  FlowProblem(const ModelNetwork& network, const std::vector<double>& rates,
              std::uint64_t share_bytes, ExposureRule rule, Directions directions);
  ~FlowProblem();
  FlowProblem(const FlowProblem&) = delete;
  FlowProblem& operator=(const FlowProblem&) = delete;

  void set_rate(std::size_t link, double bits_per_second);
  // Errors: kInvalidArgument when the solver finds no optimum (a network whose people cannot reach
  // two sites has 0).
  [[nodiscard]] Result<FlowBound> solve();

 private:
  struct Solver;
  std::unique_ptr<Solver> solver_;
};

}  // namespace warifu::simulate
