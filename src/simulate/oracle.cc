// With links sorted, the best T is the least of the averages over the tails.
#include "simulate/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace warifu::simulate {
namespace {

constexpr std::uint64_t kObjectBytes = 10'000'000'000;

// A hub and its neighbours.
ModelNetwork star(const std::vector<double>& rates) {
  ModelNetwork network{.name = "star", .title = "One origin", .regions = {"here"}};
  const auto add = [&](const std::string& name, double people) {
    network.sites.push_back({.name = *SiteName::parse(name), .title = name, .population = people});
  };
  add("hub", 1);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    add(fmt::format("s{}", i), 0);
    // Half of a link's rate serves the direction away from the hub.
    network.links.push_back({.a = 0, .b = i + 1, .bits_per_second = {2 * rates[i]}});
  }
  return network;
}

planner::PolicyNode policy_with(std::size_t shares) {
  std::string text = "2 of (origin";
  for (std::size_t i = 0; i < shares; ++i) text += fmt::format(", {}", kAnywhere);
  auto policy = planner::parse_policy(text + ")");
  WARIFU_CHECK(policy);
  return std::move(*policy);
}

}  // namespace

double oracle_rate(std::vector<double> rates, std::size_t shares) {
  if (shares == 0 || rates.size() < shares) return 0;
  std::ranges::sort(rates, std::greater<>());
  // When the j quickest links carry a share of every object, the others carry the rest.
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t j = 0; j < shares; ++j) {
    const double tail =
        std::accumulate(rates.begin() + static_cast<std::ptrdiff_t>(j), rates.end(), 0.0);
    least = std::min(least, tail / static_cast<double>(shares - j));
  }
  return least;
}

OracleRun follow_oracle(const std::vector<double>& rates, std::size_t shares, std::size_t objects,
                        double load) {
  WARIFU_CHECK(shares >= 1 && rates.size() >= shares && rates.size() <= 200);
  const ModelNetwork network = star(rates);
  const ModelPlanner planner(network, ExposureRule::kOn, kObjectBytes);
  const planner::PolicyNode policy = policy_with(shares);
  const double bytes = static_cast<double>(planner.share_bytes());
  KeyPools pools(network.rates(0), Directions::kOwnHalf, 0);
  OracleRun run{.rate = oracle_rate(rates, shares) / 8 / bytes};
  for (; run.arrived < objects; ++run.arrived) {
    pools.yield(1 / (run.rate * load));
    ++run.waiting;
    while (run.waiting > 0) {
      const auto placed = planner.place(policy, 0, pools);
      if (!placed) break;
      pools.pay(placed->directions(), bytes);
      --run.waiting;
    }
    run.most_waiting = std::max(run.most_waiting, run.waiting);
  }
  return run;
}

}  // namespace warifu::simulate
