// The best rate of one origin, and that the planner reaches it.
#include "simulate/oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "simulate/traffic.h"

namespace warifu::simulate {
namespace {

// The greatest T that the definition allows, by bisection.
double by_definition(const std::vector<double>& rates, std::size_t shares) {
  double low = 0;
  double high = std::accumulate(rates.begin(), rates.end(), 0.0);
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (const double rate : rates) sum += std::min(rate, middle);
    (sum >= static_cast<double>(shares) * middle ? low : high) = middle;
  }
  return low;
}

TEST(Oracle, TheFormulaIsTheDefinition) {
  EXPECT_DOUBLE_EQ(oracle_rate({10, 10, 4, 4, 2}, 2), 15);
  EXPECT_DOUBLE_EQ(oracle_rate({10, 1, 1}, 2), 2);
  EXPECT_EQ(oracle_rate({10}, 2), 0);
  Dice dice(5, 1);
  for (int i = 0; i < 500; ++i) {
    const std::size_t shares = 1 + dice.below(5);
    std::vector<double> rates(shares + dice.below(6));
    for (double& rate : rates) rate = 0.5 + dice.uniform() * 20;
    EXPECT_NEAR(oracle_rate(rates, shares), by_definition(rates, shares), 1e-9);
  }
}

TEST(Oracle, ThePlannerReachesItToWholeObjects) {
  Dice dice(20261126, 2);
  for (int i = 0; i < 12; ++i) {
    const std::size_t shares = 1 + dice.below(4);
    std::vector<double> rates(shares + dice.below(5));
    for (double& rate : rates) rate = static_cast<double>(1 + dice.below(20)) * 1e6;
    const OracleRun run = follow_oracle(rates, shares, 600, 1);
    EXPECT_EQ(run.arrived, 600u);
    EXPECT_LE(run.most_waiting, oracle_most_waiting(rates.size())) << "instance " << i;
  }
}

// What is left waiting does not grow with time: the rate is reached, not nearly reached.
TEST(Oracle, NothingPilesUpHoweverLongItGoesOn) {
  const std::vector<double> rates = {10e6, 10e6, 4e6, 4e6, 2e6};
  EXPECT_EQ(follow_oracle(rates, 2, 6000, 1).most_waiting,
            follow_oracle(rates, 2, 1500, 1).most_waiting);
}

TEST(Oracle, NothingGoesFaster) {
  const std::vector<double> rates = {10e6, 10e6, 4e6, 4e6, 2e6};
  const OracleRun run = follow_oracle(rates, 2, 2000, 1.05);
  EXPECT_GE(static_cast<double>(run.waiting), 2000 - 2000 / 1.05 - 1);
}

}  // namespace
}  // namespace warifu::simulate
