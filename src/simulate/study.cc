// A list of independent tasks, each with its place for the result, worked off by a few threads.
#include "simulate/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

namespace warifu::simulate {
namespace {

// What a search costs, in the runs of a policy that does not plan.
constexpr double kPlanningWeight = 15;
constexpr double kExpectedRuns = 13;
constexpr std::size_t kMostThreads = 16;

struct Task {
  std::vector<double> rates;
  Policy policy;
  ExposureRule rule;
  Sustained* result;
  double weight;
};

class Workers {
 public:
  Workers(const ModelNetwork& network, const StudyOptions& options, const Progress& progress)
      : network_(network), options_(options), progress_(progress) {}

  void run(const std::vector<Task>& tasks) {
    for (const Task& task : tasks) total_ += task.weight;
    std::atomic<std::size_t> next = 0;
    const std::size_t count = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                                      std::min(kMostThreads, tasks.size() + 1));
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&] {
        for (std::size_t at = next++; at < tasks.size(); at = next++) work(tasks[at]);
      });
    }
  }

 private:
  void work(const Task& task) {
    const ModelPlanner planner(network_, task.rule, options_.object_bytes);
    double told = 0;
    const auto tell = [&](const std::string& what) {
      const double step = std::min(task.weight / kExpectedRuns, task.weight - told);
      told += step;
      advance(step, what);
    };
    *task.result =
        sustained_rate(network_, task.rates, task.policy, planner, options_.setting, tell);
    advance(task.weight - told, fmt::format("{} done", policy_name(task.policy)));
  }

  void advance(double step, const std::string& what) {
    const std::lock_guard lock(mutex_);
    done_ += step;
    if (progress_) progress_(std::min(1.0, done_ / total_), what);
  }

  const ModelNetwork& network_;
  const StudyOptions& options_;
  const Progress& progress_;
  std::mutex mutex_;
  double done_ = 0, total_ = 0;
};

bool chooses(Policy policy) {
  return policy == Policy::kResidual || policy == Policy::kPrice;
}

// The rows of policies, without their figures yet.
std::vector<PolicyResult> rows_of(const StudyOptions& options) {
  std::vector<PolicyResult> rows;
  for (const std::size_t variant : options.variants) {
    for (const Policy policy : options.policies) {
      if (policy == Policy::kVaults) {  // no rule was ever kept there
        rows.push_back({variant, policy, ExposureRule::kOff, {}});
        continue;
      }
      if (options.rule_on) rows.push_back({variant, policy, ExposureRule::kOn, {}});
      if (options.rule_off && chooses(policy)) {
        rows.push_back({variant, policy, ExposureRule::kOff, {}});
      }
    }
  }
  return rows;
}

std::uint64_t share_bytes(const ModelNetwork& network, const StudyOptions& options) {
  return ModelPlanner(network, ExposureRule::kOn, options.object_bytes).share_bytes();
}

Result<> add_bounds(const ModelNetwork& network, Study& study) {
  const std::uint64_t bytes = share_bytes(network, study.options);
  for (const std::size_t variant : study.options.variants) {
    for (const auto rule : {ExposureRule::kOn, ExposureRule::kOff}) {
      if (!(rule == ExposureRule::kOn ? study.options.rule_on : study.options.rule_off)) continue;
      FlowProblem problem(network, network.rates(variant), bytes, rule,
                          study.options.setting.directions);
      TRY_ASSIGN(FlowBound bound, problem.solve());
      study.bounds.push_back({variant, rule, std::move(bound)});
    }
  }
  return {};
}

// Where the next courier drives: a link with the highest shadow price. Links of one cut often have
// the same price; among those the one that raises the bound most, so that what the solver rounds
// decides nothing. The first one when that is equal, too.
Result<std::size_t> next_courier_link(FlowProblem& problem, const std::vector<double>& rates,
                                      const std::vector<double>& prices) {
  constexpr double kRounding = 1e-6;
  const double highest = *std::ranges::max_element(prices);
  std::optional<std::size_t> best;
  double best_bound = 0;
  for (std::size_t link = 0; link < prices.size(); ++link) {
    if (prices[link] < highest - kRounding * std::abs(highest)) continue;
    problem.set_rate(link, rates[link] + kCourierBitsPerSecond);
    TRY_ASSIGN(const FlowBound bound, problem.solve());
    problem.set_rate(link, rates[link]);
    if (best && bound.persons_per_day <= best_bound * (1 + kRounding)) continue;
    best = link;
    best_bound = bound.persons_per_day;
  }
  return *best;
}

// One courier after another, each where key is worth most; the rates with each number.
Result<std::vector<std::vector<double>>> send_couriers(const ModelNetwork& network, Study& study) {
  const std::uint64_t bytes = share_bytes(network, study.options);
  std::vector<std::vector<double>> rates_by_count;
  for (const auto rule : {ExposureRule::kOn, ExposureRule::kOff}) {
    std::vector<double> rates = network.rates(study.options.variants.front());
    FlowProblem problem(network, rates, bytes, rule, study.options.setting.directions);
    std::optional<std::size_t> link;
    double price = 0;
    for (std::size_t count = 0; count <= study.options.couriers; ++count) {
      TRY_ASSIGN(const FlowBound bound, problem.solve());
      if (rule == ExposureRule::kOn) {
        study.couriers.push_back({count, link, price, bound.persons_per_day, 0, 0});
        rates_by_count.push_back(rates);
      } else {
        study.couriers[count].bound_off = bound.persons_per_day;
      }
      if (count == study.options.couriers) break;
      TRY_ASSIGN(link, next_courier_link(problem, rates, bound.shadow_price));
      price = bound.shadow_price[*link];
      rates[*link] += kCourierBitsPerSecond;
      problem.set_rate(*link, rates[*link]);
    }
  }
  return rates_by_count;
}

}  // namespace

const PolicyResult* Study::find(std::size_t variant, Policy policy, ExposureRule rule) const {
  const auto it = std::ranges::find_if(results, [&](const PolicyResult& one) {
    return one.variant == variant && one.policy == policy && one.rule == rule;
  });
  return it == results.end() ? nullptr : &*it;
}

const BoundResult* Study::bound(std::size_t variant, ExposureRule rule) const {
  const auto it = std::ranges::find_if(
      bounds, [&](const BoundResult& one) { return one.variant == variant && one.rule == rule; });
  return it == bounds.end() ? nullptr : &*it;
}

Result<> check_options(const ModelNetwork& network, const StudyOptions& options) {
  for (const std::size_t variant : options.variants) {
    if (variant >= network.variants()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("network '{}' has rates 1 to {}, not {}", network.name,
                              network.variants(), variant + 1));
    }
  }
  if (options.variants.empty() || options.policies.empty()) {
    return fail(Code::kInvalidArgument, "there is nothing to simulate");
  }
  const Setting& setting = options.setting;
  if (!(setting.days >= 2 * kUncountedDays + 10 && setting.days <= 36'500)) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("{:g} days: {:g} to 36500, because the first and last {:g} do not count",
                    setting.days, 2 * kUncountedDays + 10, kUncountedDays));
  }
  for (const auto& [value, what] : {std::pair{setting.failures, "links that fail on a day"},
                                    {setting.restores, "objects that are restored on a day"}}) {
    if (!(value >= 0 && value <= 1)) {
      return fail(Code::kInvalidArgument, fmt::format("the share of {} is 0 to 1", what));
    }
  }
  if (options.couriers > kMostCouriers) {
    return fail(Code::kInvalidArgument, fmt::format("at most {} couriers", kMostCouriers));
  }
  constexpr std::uint64_t kLeastObject = 1'000'000;
  constexpr std::uint64_t kMostObject = 1'000'000'000'000'000;
  if (options.object_bytes < kLeastObject || options.object_bytes > kMostObject) {
    return fail(Code::kInvalidArgument, "an object has from 1 MB to 1000 TB");
  }
  return {};
}

Result<Study> run_study(const ModelNetwork& network, const StudyOptions& options,
                        const Progress& progress) {
  TRY(check_options(network, options));
  Study study{.options = options, .results = rows_of(options), .bounds = {}, .couriers = {}};
  TRY(add_bounds(network, study));
  std::vector<Task> tasks;
  const auto add = [&](std::vector<double> rates, Policy policy, ExposureRule rule,
                       Sustained& result) {
    tasks.push_back(
        {std::move(rates), policy, rule, &result, policy == Policy::kPrice ? kPlanningWeight : 1});
  };
  for (PolicyResult& row : study.results) {
    add(network.rates(row.variant), row.policy, row.rule, row.sustained);
  }
  std::vector<Sustained> with_couriers;
  if (options.couriers > 0) {
    TRY_ASSIGN(auto rates, send_couriers(network, study));
    with_couriers.resize(rates.size());
    for (std::size_t i = 0; i < rates.size(); ++i) {
      add(std::move(rates[i]), Policy::kPrice, ExposureRule::kOn, with_couriers[i]);
    }
  }
  // The long ones first: nobody waits for one at the end.
  std::ranges::stable_sort(tasks, std::greater<>(), &Task::weight);
  Workers(network, options, progress).run(tasks);
  for (std::size_t i = 0; i < with_couriers.size(); ++i) {
    study.couriers[i].persons_per_day = with_couriers[i].persons_per_day;
  }
  return study;
}

}  // namespace warifu::simulate
