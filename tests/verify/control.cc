// warifu-verify-control: placement held against what is promised of it, as figures.
//
//   warifu-verify-control [--only NAME] [--instances N] [--oracle-objects N] [--days N] [--seeds N]
//                         [--objects N] [--plan-days N] [--jobs N]
//
// The planner is the one that stores use; networks are simulated over modelled link rates. Prints
// one JSON document, a row per promise, for tools/verify/control.py; the exit code is 1 when one
// does not hold. Figures follow from the seeds, times from the machine.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iostream>

#include <boost/json.hpp>

#include "simulate/oracle.h"
#include "simulate/planning_time.h"
#include "simulate/study.h"
#include "simulate/traffic.h"
#include "tests/verify/flags.h"

namespace warifu::simulate {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kObjectBytes = 16'000'000'000;

// What the command line asks for.
struct Wanted {
  std::string only;  // empty: every row
  std::size_t instances = 300, oracle_objects = 4000;
  double days = 500;
  std::size_t seeds = 3;
  std::size_t objects = 10'000;
  double plan_days = 400;
  std::size_t jobs = 1000;
};

json::object row(std::string_view name, double value, std::string_view unit, double goal, bool ok,
                 std::string_view note) {
  return {{"name", name}, {"value", value}, {"unit", unit},
          {"goal", goal}, {"ok", ok},       {"note", note}};
}

// One origin, random direct links: objects arrive at the best rate there is and never pile up.
json::array oracle_rows(const Wanted& wanted) {
  Dice dice(7, 0);
  std::size_t exact = 0;
  std::size_t most = 0;
  for (std::size_t i = 0; i < wanted.instances; ++i) {
    const std::size_t shares = 1 + dice.below(4);
    std::vector<double> rates(shares + dice.below(5));
    for (double& rate : rates) rate = static_cast<double>(1 + dice.below(20)) * 1e6;
    const OracleRun run = follow_oracle(rates, shares, wanted.oracle_objects, 1);
    most = std::max(most, run.most_waiting);
    exact += run.most_waiting <= oracle_most_waiting(rates.size()) ? 1U : 0U;
  }
  return {
      row("placement_oracle", static_cast<double>(exact), "instances",
          static_cast<double>(wanted.instances), exact == wanted.instances,
          fmt::format("T* = max{{T: sum min(r_i, T) >= mT}} reached to whole objects: of {} that "
                      "arrive at T* never more than {} wait; simulated",
                      wanted.oracle_objects, most))};
}

// The planner against fixed plans and against the linear program, on the three draws of the rates.
json::array adaptive_rows(const Wanted& wanted) {
  StudyOptions options;
  options.variants = {0, 1, 2};
  options.policies = {Policy::kNearest, Policy::kPrice};
  options.rule_off = false;
  options.setting.days = wanted.days;
  double price[3] = {}, nearest[3] = {}, bound[3] = {};
  for (std::size_t seed = 1; seed <= wanted.seeds; ++seed) {
    options.setting.seed = seed;
    const auto study = run_study(japan50(), options, {});
    WARIFU_CHECK(study);
    for (const std::size_t i : options.variants) {
      const double weight = 1 / static_cast<double>(wanted.seeds);
      const auto rate = [&](Policy policy) {
        return study->find(i, policy, ExposureRule::kOn)->sustained.persons_per_day * weight;
      };
      price[i] += rate(Policy::kPrice);
      nearest[i] += rate(Policy::kNearest);
      bound[i] = study->bound(i, ExposureRule::kOn)->bound.persons_per_day;
    }
  }
  const double all_price = price[0] + price[1] + price[2];
  const double times = all_price / (nearest[0] + nearest[1] + nearest[2]);
  const double reached = 100 * all_price / (bound[0] + bound[1] + bound[2]);
  const std::string what =
      fmt::format("persons/day on networks 1/2/3, {} seeds, {:g} days: price {:.2f}/{:.2f}/{:.2f}",
                  wanted.seeds, wanted.days, price[0], price[1], price[2]);
  return {row("placement_vs_fixed", times, "times", 2, times >= 2,
              fmt::format("{}, fixed nearest {:.2f}/{:.2f}/{:.2f}; simulated", what, nearest[0],
                          nearest[1], nearest[2])),
          row("placement_vs_bound", reached, "%", 95, reached >= 95,
              fmt::format("{}, linear program {:.2f}/{:.2f}/{:.2f}; simulated", what, bound[0],
                          bound[1], bound[2]))};
}

// Counts for itself, from routes alone, which sites saw two shares.
class WatchedPlacer : public Placer {
 public:
  explicit WatchedPlacer(const ModelPlanner& planner) : planner_(planner) {}

  std::optional<Placed> place(std::size_t origin, const KeyPools& pools) override {
    auto placed = planner_.place(origin, pools);
    if (!placed) return placed;
    std::map<SiteName, std::size_t> seen;
    for (const auto& share : placed->shares) {
      for (const SiteName& site : share.route) ++seen[site];
    }
    seen.erase(planner_.network().sites[origin].name);
    const bool two = std::ranges::any_of(seen, [](const auto& one) { return one.second > 1; });
    exposed += two ? 1U : 0U;
    return placed;
  }

  std::size_t exposed = 0;

 private:
  const ModelPlanner& planner_;
};

struct Exposed {
  std::size_t placed = 0, by_rule = 0, by_routes = 0;
};

// At nine tenths of what the network can carry, until so many objects are placed.
Exposed count_exposed(ExposureRule rule, std::size_t objects) {
  Exposed sum;
  const ModelPlanner planner(japan50(), rule, kObjectBytes);
  for (std::size_t variant = 0; variant < 3; ++variant) {
    const auto rates = japan50().rates(variant);
    FlowProblem problem(japan50(), rates, planner.share_bytes(), rule, Directions::kOwnHalf);
    const auto bound = problem.solve();
    WARIFU_CHECK(bound);
    Setting setting{.persons_per_day = 0.9 * bound->persons_per_day};
    setting.days = 1.1 * static_cast<double>(objects) / 3 / setting.persons_per_day + 5;
    WatchedPlacer placer(planner);
    const Outcome outcome =
        simulate(japan50(), rates, placer, planner.share_bytes(), setting, false);
    sum.placed += outcome.placed;
    sum.by_rule += outcome.exposed;
    sum.by_routes += placer.exposed;
  }
  return sum;
}

json::array exposure_rows(const Wanted& wanted) {
  const Exposed on = count_exposed(ExposureRule::kOn, wanted.objects);
  const Exposed off = count_exposed(ExposureRule::kOff, wanted.objects);
  const double share = 100 * static_cast<double>(off.by_rule) / static_cast<double>(off.placed);
  return {
      row("placement_exposed", static_cast<double>(on.by_rule + on.by_routes), "objects", 0,
          on.by_rule + on.by_routes == 0 && on.placed >= wanted.objects,
          fmt::format("of {} placed: another site than the destination could restore, by the "
                      "policy and by the routes; simulated",
                      on.placed)),
      row("placement_exposed_off", share, "%", 10, share > 10 && off.by_rule == off.by_routes,
          fmt::format("of {} placed without the rule (negative control: must be above the goal); "
                      "simulated",
                      off.placed))};
}

json::array planning_rows(const Wanted& wanted) {
  Setting setting{.days = wanted.plan_days};
  const auto rates = japan50().rates(0);
  FlowProblem problem(japan50(), rates,
                      ModelPlanner(japan50(), ExposureRule::kOn, kObjectBytes).share_bytes(),
                      ExposureRule::kOn, setting.directions);
  const auto bound = problem.solve();
  WARIFU_CHECK(bound);
  setting.persons_per_day = bound->persons_per_day;
  const PlanningTimes times =
      measure_planning(japan50(), rates, setting, kObjectBytes, wanted.jobs);
  return {row("placement_plan_p99", times.p99_ms, "ms", 10, times.plans > 0 && times.p99_ms < 10,
              fmt::format("plan and runner-up, 50 sites, 88 links, {} objects: median {:.2f} ms, "
                          "longest {:.2f} ms; processor time",
                          times.plans, times.median_ms, times.most_ms)),
          row("placement_nested_p99", times.nested_p99_ms, "ms", 10,
              times.nested_plans > 0 && times.nested_p99_ms < 10,
              fmt::format("plan and runner-up under nested policies with a label that all 50 sites "
                          "carry: median {:.2f} ms, longest {:.2f} ms; {} plans, {} of them proved "
                          "the cheapest; {} times no legal plan exists, {} times none was found",
                          times.nested_median_ms, times.nested_most_ms, times.nested_plans,
                          times.nested_best, times.nested_refused, times.nested_unknown)),
          row("placement_replan", times.replanned_seconds, "s", 1, times.replanned_seconds < 1,
              fmt::format("{} waiting jobs planned again, snapshots included; processor time",
                          times.replanned))};
}

struct Promise {
  std::string_view name;
  std::function<json::array(const Wanted&)> rows;
};

const Promise kPromises[] = {{"placement_oracle", oracle_rows},
                             {"placement_adaptive", adaptive_rows},
                             {"placement_exposure", exposure_rows},
                             {"placement_planning", planning_rows}};

int run(int argc, char** argv) {
  verify::Flags flags("Placement held against what is promised of it");
  Wanted wanted;
  flags.text("--only", wanted.only, "the one promise to look at");
  flags.number("--instances", wanted.instances, "of the oracle", 1);
  flags.number("--oracle-objects", wanted.oracle_objects, "in each", 1);
  flags.number("--days", wanted.days, "of the sustained rates", 30, 36'500);
  flags.number("--seeds", wanted.seeds, "of the sustained rates", 1);
  flags.number("--objects", wanted.objects, "looked at for exposure", 1);
  flags.number("--plan-days", wanted.plan_days, "whose plans are timed", 1, 36'500);
  flags.number("--jobs", wanted.jobs, "planned again at once", 1);
  if (const auto code = flags.parse(argc, argv)) return *code;
  json::array results;
  for (const Promise& promise : kPromises) {
    if (!wanted.only.empty() && wanted.only != promise.name) continue;
    for (auto& one : promise.rows(wanted)) results.push_back(std::move(one));
  }
  if (results.empty()) {
    std::cerr << "warifu-verify-control: there is no promise '" << wanted.only << "'\n";
    return 2;
  }
  std::cout << json::serialize(json::object{{"results", results}}) << "\n";
  return std::ranges::all_of(results, [](const auto& one) { return one.at("ok").as_bool(); }) ? 0
                                                                                              : 1;
}

}  // namespace
}  // namespace warifu::simulate

int main(int argc, char** argv) {
  return warifu::simulate::run(argc, argv);
}
