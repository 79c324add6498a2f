// Pools, the network file, the bound, and runs: repeatable, without leaks, in the known order.
#include <gtest/gtest.h>

#include <numeric>

#include "simulate/flow_bound.h"
#include "simulate/report.h"
#include "simulate/simulation.h"
#include "simulate/study.h"

namespace warifu::simulate {
namespace {

constexpr std::uint64_t kObject = 16'000'000'000;

// Five sites in a ring with one chord, two regions; 20 Mbit/s everywhere.
constexpr const char* kRing = R"toml(name = "ring"
sites = [
  ["a", "A", 35.0, 135.0, 100, "west"], ["b", "B", 35.5, 136.0, 50, "west"],
  ["c", "C", 36.0, 137.0, 0, "east"], ["d", "D", 35.2, 138.0, 100, "east"],
  ["e", "E", 34.5, 136.5, 0, "west"]]
links = [["a", "b", 20], ["b", "c", 20], ["c", "d", 20], ["d", "e", 20], ["e", "a", 20],
  ["b", "d", 20]]
)toml";

ModelNetwork ring() {
  auto network = parse_network(kRing, "ring.toml");
  WARIFU_CHECK(network);
  return std::move(*network);
}

TEST(KeyPools, FillOverflowAndPay) {
  KeyPools pools({8e6, 16e6}, Directions::kOwnHalf);  // 0.5 and 1 MB/s in each direction
  const double capacity = 0.5e6 * 86'400 * kPoolDays;
  EXPECT_DOUBLE_EQ(pools.capacity(0), capacity);
  EXPECT_DOUBLE_EQ(pools.residual(1), capacity / 2);
  pools.yield(86'400 * 7);
  EXPECT_DOUBLE_EQ(pools.residual(0), capacity);
  pools.yield(1000);
  EXPECT_DOUBLE_EQ(pools.residual(0), capacity);
  EXPECT_DOUBLE_EQ(pools.wasted(0), 2 * 0.5e6 * 1000);
  pools.pay({0, 2}, 1e6);
  EXPECT_DOUBLE_EQ(pools.residual(0), capacity - 1e6);
  EXPECT_DOUBLE_EQ(pools.residual(1), capacity);
  EXPECT_FALSE(pools.can_pay({0, 0}, capacity * 0.6));
  pools.set_up(0, false);
  EXPECT_EQ(pools.residual(0), 0);
  EXPECT_FALSE(pools.can_pay({1}, 1));
}

TEST(KeyPools, OnePoolForBothDirectionsPaysBoth) {
  KeyPools pools({8e6}, Directions::kShared);
  const double half = pools.capacity(0) / 2;
  EXPECT_TRUE(pools.can_pay({0, 1}, half / 2));
  EXPECT_FALSE(pools.can_pay({0, 1}, half * 0.6));
  pools.pay({0}, half / 2);
  EXPECT_DOUBLE_EQ(pools.residual(1), half / 2);
}

TEST(ModelNetwork, TheBuiltInOneIsWhatItSays) {
  const ModelNetwork& network = japan50();
  EXPECT_EQ(network.sites.size(), 50u);
  EXPECT_EQ(network.links.size(), 88u);
  EXPECT_EQ(network.variants(), 3u);
  EXPECT_EQ(network.regions.size(), 8u);
  const auto rates = network.rates(0);
  EXPECT_NEAR(std::accumulate(rates.begin(), rates.end(), 0.0), 204.8e6, 0.3e6);
  EXPECT_NEAR(distance_km(network.sites[0], network.sites[1]), 254, 3);  // Sapporo, Aomori
}

TEST(ModelNetwork, MistakesAreNamedWithTheirLine) {
  const auto error_of = [](std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    WARIFU_CHECK(at != std::string::npos);
    const auto network = parse_network(text.replace(at, from.size(), to), "my.toml");
    return network ? std::string("accepted") : network.error().message;
  };
  for (const auto& [from, to, why] : std::vector<std::array<const char*, 3>>{
           {"name =", "name", "my.toml:1"},
           {"name = \"ring\"", "", "name"},
           {"\"ring\"", "\"ring\"\nspeed = 3", "speed"},
           {"[\"a\", \"A\", 35.0", "[\"a\", \"A\", 95.0", "my.toml:3: the latitude"},
           {"[\"a\", \"A\"", "[\"A b\", \"A\"", "my.toml:3"},
           {"[\"a\", \"A\"", "[\"origin\", \"A\"", "my.toml:3"},
           {"[\"e\", \"E\"", "[\"a\", \"E\"", "two sites 'a'"},
           {"100, \"west\"", "-1, \"west\"", "the number of people"},
           {"100, \"west\"", "100", "six fields"},
           {"[\"a\", \"b\", 20]", "[\"a\", \"x\", 20]", "my.toml:6: there is no site 'x'"},
           {"[\"a\", \"b\", 20]", "[\"a\", \"a\", 20]", "two different ends"},
           {"[\"a\", \"b\", 20]", "[\"b\", \"c\", 20]", "two links"},
           {"[\"a\", \"b\", 20]", "[\"a\", \"b\", 0]", "a rate in Mbit/s"},
           {"[\"b\", \"c\", 20]", "[\"b\", \"c\", 20, 20]", "a rate for each variant"}}) {
    const std::string message = error_of(kRing, from, to);
    EXPECT_NE(message.find(why), std::string::npos) << to << ": " << message;
  }
}

// Figures that were found with another program over the same data.
TEST(FlowBound, TheNetworkOfFiftySites) {
  const auto bytes = ModelPlanner(japan50(), ExposureRule::kOn, kObject).share_bytes();
  const std::pair<double, double> expected[] = {{14.3, 20.0}, {12.3, 16.9}, {15.5, 19.7}};
  for (std::size_t variant = 0; variant < 3; ++variant) {
    const auto rates = japan50().rates(variant);
    const auto bound = [&](ExposureRule rule, Directions directions) {
      return FlowProblem(japan50(), rates, bytes, rule, directions).solve()->persons_per_day;
    };
    const double on = bound(ExposureRule::kOn, Directions::kShared);
    EXPECT_NEAR(on, expected[variant].first, 0.1);
    EXPECT_NEAR(bound(ExposureRule::kOff, Directions::kShared), expected[variant].second, 0.1);
    EXPECT_NEAR(bound(ExposureRule::kOn, Directions::kOwnHalf), on / 2, 0.1);
  }
}

TEST(FlowBound, ShadowPricesSayWhatMoreKeyIsWorth) {
  const auto bytes = ModelPlanner(japan50(), ExposureRule::kOn, kObject).share_bytes();
  auto rates = japan50().rates(0);
  FlowProblem problem(japan50(), rates, bytes, ExposureRule::kOn, Directions::kShared);
  const auto before = problem.solve();
  const auto dearest = static_cast<std::size_t>(std::ranges::max_element(before->shadow_price) -
                                                before->shadow_price.begin());
  EXPECT_EQ(japan50().link_title(dearest), "Hokkaido-Aomori");
  EXPECT_NEAR(before->shadow_price[dearest], 24.1, 0.1);
  const double share_per_day = static_cast<double>(bytes) * 8 / 86'400;
  problem.set_rate(dearest, rates[dearest] + 0.01 * share_per_day);
  EXPECT_NEAR(problem.solve()->persons_per_day - before->persons_per_day,
              0.01 * before->shadow_price[dearest], 0.01);
}

TEST(Simulation, TheSameSeedGivesTheSameRun) {
  const ModelNetwork network = ring();
  const ModelPlanner planner(network, ExposureRule::kOn, kObject);
  const auto run = [&](std::uint64_t seed) {
    const Setting setting{
        .persons_per_day = 6, .days = 60, .failures = 0.05, .restores = 0.002, .seed = seed};
    const auto placer = make_placer(Policy::kPrice, planner);
    return simulate(network, network.rates(0), *placer, planner.share_bytes(), setting, false);
  };
  const Outcome first = run(1);
  const Outcome again = run(1);
  EXPECT_GT(first.placed, 200u);
  EXPECT_GT(first.restored, 5u);
  EXPECT_EQ(first.exposed, 0u);
  EXPECT_EQ(first.placed, again.placed);
  EXPECT_EQ(first.hops, again.hops);
  EXPECT_EQ(first.paid_bytes, again.paid_bytes);
  EXPECT_NE(first.paid_bytes, run(2).paid_bytes);
}

TEST(Simulation, NoPlanIsEverMadeThatARelayCouldRestoreFrom) {
  for (const auto rule : {ExposureRule::kOn, ExposureRule::kOff}) {
    const ModelPlanner planner(japan50(), rule, kObject);
    const auto placer = make_placer(Policy::kPrice, planner);
    const Setting setting{.persons_per_day = 6, .days = 30};
    const Outcome outcome =
        simulate(japan50(), japan50().rates(0), *placer, planner.share_bytes(), setting, false);
    ASSERT_GT(outcome.placed, 100u);
    if (rule == ExposureRule::kOn) {
      EXPECT_EQ(outcome.exposed, 0u);
    } else {
      EXPECT_GT(outcome.exposed_share(), 0.1);  // the negative control
    }
  }
}

TEST(Simulation, EveryPlanHasAShareOutsideTheRegion) {
  const ModelPlanner planner(japan50(), ExposureRule::kOn, kObject);
  const KeyPools pools(japan50().rates(1), Directions::kOwnHalf);
  for (const Policy policy : {Policy::kNearest, Policy::kResidual, Policy::kPrice}) {
    const auto placer = make_placer(policy, planner);
    for (std::size_t origin = 0; origin < 47; ++origin) {
      const auto placed = placer->place(origin, pools);
      if (!placed) continue;  // a link that holds less than a share when half full
      const auto region = [&](std::size_t share) {
        return japan50().sites[planner.site(placed->shares[share].site)].region;
      };
      EXPECT_EQ(placed->shares[0].site, japan50().sites[origin].name);
      EXPECT_TRUE(region(1) != japan50().sites[origin].region ||
                  region(2) != japan50().sites[origin].region);
      EXPECT_EQ(sites_that_could_restore(placed->shares, japan50().sites[origin].name), 0u);
    }
  }
}

TEST(Study, PoliciesStandInTheKnownOrderAndReportsAreWhole) {
  StudyOptions options;
  options.setting.days = 40;
  options.rule_off = false;
  options.couriers = 1;
  double told = 0;
  const auto study = run_study(ring(), options, [&](double done, const std::string&) {
    EXPECT_GE(done, told - 1e-9);
    told = done;
  });
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_NEAR(told, 1, 1e-6);
  const auto rate = [&](Policy policy) {
    return study->find(0, policy, ExposureRule::kOn)->sustained.persons_per_day;
  };
  EXPECT_GE(rate(Policy::kPrice) * 1.15, rate(Policy::kNearest));
  ASSERT_EQ(study->couriers.size(), 2u);
  EXPECT_GE(study->couriers[1].bound, study->couriers[0].bound - 1e-9);  // but for rounding
  const std::string html = study_html(ring(), *study);
  EXPECT_NE(html.find(kStudyLabel), std::string::npos);
  EXPECT_NE(html.find("<svg"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);  // nothing from elsewhere
  options.variants = {1};
  EXPECT_FALSE(run_study(ring(), options, {}));
}

TEST(Couriers, DriveWhereTheBoundRisesMostAmongTheDearestLinks) {
  StudyOptions options{.policies = {Policy::kNearest}, .rule_off = false, .couriers = 2};
  options.setting.days = 30;
  const auto study = run_study(ring(), options, {});
  ASSERT_TRUE(study);
  ASSERT_EQ(study->couriers.size(), 3u);
  const ModelNetwork network = ring();
  const auto bytes = ModelPlanner(network, ExposureRule::kOn, kObject).share_bytes();
  auto rates = network.rates(0);
  for (std::size_t count = 1; count <= 2; ++count) {
    const auto bound = [&] {
      return *FlowProblem(network, rates, bytes, ExposureRule::kOn, Directions::kOwnHalf).solve();
    };
    const FlowBound before = bound();
    const double dearest = std::ranges::max(before.shadow_price);
    double most = 0;
    for (std::size_t link = 0; link < rates.size(); ++link) {
      if (before.shadow_price[link] < dearest - 1e-6) continue;
      rates[link] += kCourierBitsPerSecond;
      most = std::max(most, bound().persons_per_day);
      rates[link] -= kCourierBitsPerSecond;
    }
    const CourierResult& courier = study->couriers[count];
    EXPECT_NEAR(courier.bound, most, 1e-3 * most);
    rates[courier.link.value()] += kCourierBitsPerSecond;
    EXPECT_NEAR(bound().persons_per_day, courier.bound, 1e-6 * most);
  }
}

}  // namespace
}  // namespace warifu::simulate
