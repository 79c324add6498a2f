// Planning by coverage and by size.
#include "plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "error.h"
#include "options.h"

namespace warifu::make_cram {
namespace {

constexpr double kBasesPerPair = 2.0 * kReadLength;
constexpr double kLowestCoverage = 8;         // below it a file covers less rather than thinner
constexpr double kFirstGuess = 100;           // bytes per pair, replaced by the first pilot
constexpr std::uint64_t kPilotPairs = 30000;  // six slices: enough for compression to settle
constexpr double kAim = 1.04;                 // the middle of what is allowed
constexpr double kMost = 1.08;

std::uint64_t at_least_one(double pairs) {
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(pairs)));
}

// The same density as the plan, but few pairs.
Plan pilot_of(const Plan& plan) {
  if (plan.pairs <= kPilotPairs) return plan;
  const double share = static_cast<double>(kPilotPairs) / static_cast<double>(plan.pairs);
  const double bases = static_cast<double>(plan.layout.bases()) * share;
  return {plan.layout.first(static_cast<std::int64_t>(bases)), kPilotPairs};
}

}  // namespace

double Plan::coverage() const {
  return static_cast<double>(pairs) * kBasesPerPair / static_cast<double>(layout.bases());
}

Plan plan_for_coverage(const Layout& layout, double coverage) {
  return {layout, at_least_one(coverage * static_cast<double>(layout.bases()) / kBasesPerPair)};
}

SizePlanner::SizePlanner(Layout layout, std::uint64_t size, bool may_shorten)
    : layout_(std::move(layout)), size_(size), may_shorten_(may_shorten) {}

Plan SizePlanner::plan_at(double bytes_per_pair) const {
  Plan plan{layout_, at_least_one(kAim * static_cast<double>(size_) / bytes_per_pair)};
  if (may_shorten_ && plan.coverage() < kLowestCoverage) {
    const double bases = static_cast<double>(plan.pairs) * kBasesPerPair / kLowestCoverage;
    plan.layout = layout_.first(static_cast<std::int64_t>(bases));
  }
  if (plan.coverage() > kHighestCoverage) {
    fail(
        "--size: {} bytes on {} bases need a coverage of {:.0f}, and the highest is {:.0f}; "
        "choose a larger region",
        size_, layout_.bases(), plan.coverage(), kHighestCoverage);
  }
  return plan;
}

Plan SizePlanner::first_plan(const Trial& trial) const {
  Plan plan = plan_at(kFirstGuess);
  // The second pilot has nearly the final coverage, on which the cost of a pair depends a little.
  for (int round = 0; round < 2; ++round) {
    const Plan pilot = pilot_of(plan);
    const auto bytes = static_cast<double>(trial(pilot));
    plan = plan_at(bytes / static_cast<double>(pilot.pairs));
  }
  return plan;
}

Plan SizePlanner::corrected(const Plan& plan, std::uint64_t actual) const {
  return plan_at(static_cast<double>(actual) / static_cast<double>(plan.pairs));
}

bool SizePlanner::fits(std::uint64_t actual) const {
  return actual >= size_ && static_cast<double>(actual) <= kMost * static_cast<double>(size_);
}

}  // namespace warifu::make_cram
