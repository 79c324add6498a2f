// What `warifu simulate` does: the sustained rate of every policy on every draw of a network, the
// bounds of the linear program, and what couriers with disks of random numbers add.
//
// Searches share nothing, so they go side by side, one per processor. Results follow from the
// options and the seed alone, never from the order in which searches end. Nothing here is measured:
// whoever shows a study shows kStudyLabel with it.
#pragma once

#include <functional>
#include <optional>

#include "simulate/flow_bound.h"
#include "simulate/simulation.h"

namespace warifu::simulate {

inline constexpr std::string_view kStudyLabel = "simulated; modelled link rates, not measured";

// A courier brings a disk of random numbers to both ends of a link: 16 TB every week.
inline constexpr double kCourierBitsPerSecond = 16e12 * 8 / (7 * 86'400);
inline constexpr std::size_t kMostCouriers = 20;

struct StudyOptions {
  std::vector<std::size_t> variants = {0};
  std::vector<Policy> policies = all_policies();
  // With `rule_off`, policies that choose are also tried without the exposure rule: the negative
  // control, never something to run.
  bool rule_on = true, rule_off = true;
  Setting setting;  // its rate is what is searched for
  std::uint64_t object_bytes = 16'000'000'000;
  std::size_t couriers = 0;  // on the first of `variants`
};

struct PolicyResult {
  std::size_t variant = 0;
  Policy policy = Policy::kPrice;
  ExposureRule rule = ExposureRule::kOn;
  Sustained sustained;
};

struct BoundResult {
  std::size_t variant = 0;
  ExposureRule rule = ExposureRule::kOn;
  FlowBound bound;
};

// With `couriers` couriers; the last of them drives along `link`: of those with the highest shadow
// price the one that raises the bound most.
struct CourierResult {
  std::size_t couriers = 0;
  std::optional<std::size_t> link;
  double shadow_price = 0;          // of that link before
  double bound = 0, bound_off = 0;  // with the exposure rule and without; the latter with its
                                    // own choice of links
  double persons_per_day = 0;       // simulated, policy price
};

struct Study {
  StudyOptions options;
  std::vector<PolicyResult> results;
  std::vector<BoundResult> bounds;
  std::vector<CourierResult> couriers;

  // nullptr: was not asked for.
  [[nodiscard]] const PolicyResult* find(std::size_t variant, Policy policy,
                                         ExposureRule rule) const;
  [[nodiscard]] const BoundResult* bound(std::size_t variant, ExposureRule rule) const;
};

// `progress` hears how much is done, from 0 to 1, and what is going on; from several threads, one
// at a time. Errors: kInvalidArgument when the options do not fit the network, or no bound exists.
using Progress = std::function<void(double done, const std::string& what)>;
[[nodiscard]] Result<Study> run_study(const ModelNetwork& network, const StudyOptions& options,
                                      const Progress& progress);

// Errors: kInvalidArgument naming what does not fit.
[[nodiscard]] Result<> check_options(const ModelNetwork& network, const StudyOptions& options);

}  // namespace warifu::simulate
