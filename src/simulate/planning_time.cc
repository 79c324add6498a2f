// A placer that times what it passes on.
#include "simulate/planning_time.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "simulate/traffic.h"

namespace warifu::simulate {
namespace {

// Processor time of this thread: on a machine with other work the rest is not the planner's.
double processor_seconds() {
  timespec now{};
  WARIFU_CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class TimedPlacer : public Placer {
 public:
  TimedPlacer(const ModelPlanner& planner, const KeyPools& pools)
      : planner_(planner), scarce_(pools) {}

  std::optional<Placed> place(std::size_t origin, const KeyPools& pools) override {
    auto placed = planner_.place(origin, pools);
    if (placed) {
      const planner::Snapshot snapshot = planner_.snapshot(origin, pools);
      const double start = processor_seconds();
      const auto advice =
          planner::advise_placement(planner_.policy_of(origin), snapshot, planner_.records());
      seconds_.push_back(processor_seconds() - start);
      WARIFU_CHECK(advice);
    } else {
      scarce_ = pools;
    }
    return placed;
  }

  [[nodiscard]] const KeyPools& scarce() const { return scarce_; }
  std::vector<double>& seconds() { return seconds_; }

 private:
  const ModelPlanner& planner_;
  KeyPools scarce_;  // as it was when somebody last had to wait
  std::vector<double> seconds_;
};

struct Spread {
  double median_ms = 0, p99_ms = 0, most_ms = 0;
};

Spread spread_of(std::vector<double>& seconds) {
  if (seconds.empty()) return {};
  std::ranges::sort(seconds);
  return {seconds[seconds.size() / 2] * 1e3, seconds[seconds.size() * 99 / 100] * 1e3,
          seconds.back() * 1e3};
}

constexpr std::string_view kNested[] = {
    "2 of (origin, {0}, 2 of ({0}, {0}, {0}) via {0})",
    "2 of ({0}, {0}, 2 of ({0}, {0}, {0}) via {0})",
    "2 of (origin, 2 of ({0}, {0}, {0}) via {0}, 2 of ({0}, {0}, {0}) via {0})",
    "3 of (origin, {0}, {0}, {0}, 2 of ({0}, {0}, {0}) via {0})",
};

void plan_nested(const ModelNetwork& network, const ModelPlanner& planner, const KeyPools& pools,
                 PlanningTimes& times, std::vector<double>& seconds) {
  for (const std::string_view text : kNested) {
    const auto policy = planner::parse_policy(fmt::format(fmt::runtime(text), kAnywhere));
    WARIFU_CHECK(policy);
    for (std::size_t origin = 0; origin < network.sites.size(); ++origin) {
      const planner::Snapshot snapshot = planner.snapshot(origin, pools);
      const double start = processor_seconds();
      const auto advice = planner::advise_placement(*policy, snapshot, planner.records());
      seconds.push_back(processor_seconds() - start);
      if (advice) {
        ++times.nested_plans;
        if (advice->plan.is_cheapest) ++times.nested_best;
      } else {
        const bool gave_up = advice.error().message.contains("among the first");
        ++(gave_up ? times.nested_unknown : times.nested_refused);
      }
    }
  }
}

// A site, drawn by population.
std::size_t draw(Dice& dice, const std::vector<double>& demand) {
  double left = dice.uniform();
  for (std::size_t site = 0; site < demand.size(); ++site) {
    left -= demand[site];
    if (left < 0) return site;
  }
  return static_cast<std::size_t>(std::ranges::max_element(demand) - demand.begin());
}

}  // namespace

PlanningTimes measure_planning(const ModelNetwork& network, const std::vector<double>& rates,
                               const Setting& setting, std::uint64_t object_bytes,
                               std::size_t jobs) {
  const ModelPlanner planner(network, ExposureRule::kOn, object_bytes);
  TimedPlacer placer(planner, KeyPools(rates, setting.directions));
  (void)simulate(network, rates, placer, planner.share_bytes(), setting, false);
  PlanningTimes times{.plans = placer.seconds().size()};
  const Spread flat = spread_of(placer.seconds());
  times.median_ms = flat.median_ms;
  times.p99_ms = flat.p99_ms;
  times.most_ms = flat.most_ms;
  const auto demand = network.demand();
  constexpr std::uint64_t kStream = 2'000'001;
  Dice dice(setting.seed, kStream);
  const double start = processor_seconds();
  for (; times.replanned < jobs; ++times.replanned) {
    const std::size_t origin = draw(dice, demand);
    (void)planner.plan(planner.policy_of(origin), planner.snapshot(origin, placer.scarce()));
  }
  times.replanned_seconds = processor_seconds() - start;
  std::vector<double> nested;
  plan_nested(network, planner, placer.scarce(), times, nested);
  plan_nested(network, planner, KeyPools(rates, setting.directions), times, nested);
  const Spread spread = spread_of(nested);
  times.nested_median_ms = spread.median_ms;
  times.nested_p99_ms = spread.p99_ms;
  times.nested_most_ms = spread.most_ms;
  return times;
}

}  // namespace warifu::simulate
