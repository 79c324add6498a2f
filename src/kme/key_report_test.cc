// States with their hysteresis, averages, and the alarms of a device.
#include "kme/key_report.h"

#include <gtest/gtest.h>

#include "base/reason.h"
#include "kme/device_alarm.h"

namespace warifu::kme {
namespace {

using std::chrono::seconds;

constexpr KeyLimits kLimits{.empty_bytes = 100, .ready_bytes = 1000, .hysteresis_percent = 10};

TEST(KeyState, FollowsTheLevelWithHysteresis) {
  struct Step {
    std::uint64_t available;
    KeyState state;
  };
  const Step steps[] = {
      {100, KeyState::kEmpty},    {105, KeyState::kEmpty},    {111, KeyState::kCharging},
      {101, KeyState::kCharging}, {999, KeyState::kCharging}, {1000, KeyState::kReady},
      {950, KeyState::kReady},    {900, KeyState::kReady},    {899, KeyState::kWarning},
      {999, KeyState::kWarning},  {1000, KeyState::kReady},   {500, KeyState::kWarning},
      {100, KeyState::kEmpty},    {5000, KeyState::kReady},
  };
  DirectionMeter meter;
  seconds now(0);
  for (const Step& step : steps) {
    meter.sample({.available_bytes = step.available}, kLimits, now += seconds(1));
    EXPECT_EQ(meter.state(), step.state) << step.available;
  }
}

TEST(KeyState, AFreshSiteWithLittleKeyIsCharging) {
  DirectionMeter meter;
  meter.sample({.available_bytes = 500}, kLimits, seconds(1));
  EXPECT_EQ(meter.state(), KeyState::kCharging);
}

TEST(Rates, AverageWhatTheTwoEndsOfTheStreamDo) {
  DirectionMeter meter;
  keypool::PoolStatus status{.mark = {500}, .synced_end = {10'000}};
  DirectionReport report;
  meter.sample(status, kLimits, seconds(0));
  meter.fill(report);
  EXPECT_EQ(report.inflow_bits_per_second, 0) << "what was there before is no inflow";
  for (int i = 1; i <= 100; ++i) {
    status.synced_end.value += 1000;
    status.mark.value += 250;
    meter.sample(status, kLimits, seconds(i));
  }
  meter.fill(report);
  EXPECT_NEAR(report.inflow_bits_per_second, 8000, 10);
  EXPECT_NEAR(report.outflow_bits_per_second, 2000, 10);
  status.synced_end.value -= 5000;  // reconciled
  meter.sample(status, kLimits, seconds(101));
  meter.fill(report);
  EXPECT_GT(report.inflow_bits_per_second, 0);
  EXPECT_LT(report.inflow_bits_per_second, 8000);
}

TEST(Alarm, AHighErrorRateStopsAndALowOneStartsAgain) {
  DeviceAlarm alarm({.qber = 0.11});
  EXPECT_TRUE(alarm.update({}, seconds(1)).empty());
  EXPECT_TRUE(alarm.update({.qber = 0.11}, seconds(2)).empty());
  EXPECT_FALSE(alarm.stopped());
  EXPECT_EQ(alarm.update({.qber = 0.12}, seconds(3)).size(), 1u);
  EXPECT_TRUE(alarm.stopped());
  ASSERT_EQ(alarm.alarms().size(), 1u);
  EXPECT_EQ(alarm.alarms()[0].reason, Reason::kQberHigh);
  EXPECT_TRUE(alarm.update({.qber = 0.13}, seconds(4)).empty()) << "told once";
  EXPECT_TRUE(alarm.update({}, seconds(5)).empty()) << "silence is no all-clear";
  EXPECT_TRUE(alarm.stopped());
  EXPECT_EQ(alarm.update({.qber = 0.02}, seconds(6)).size(), 1u);
  EXPECT_FALSE(alarm.stopped());
  EXPECT_TRUE(alarm.alarms().empty());
}

TEST(Alarm, ALowRateWarnsAfterAMinuteAndNeverStops) {
  DeviceAlarm alarm({.rate_bits_per_second = 1000});
  EXPECT_TRUE(alarm.update({.rate_bits_per_second = 10}, seconds(0)).empty());
  EXPECT_TRUE(alarm.update({.rate_bits_per_second = 10}, seconds(59)).empty());
  EXPECT_TRUE(alarm.update({.rate_bits_per_second = 1000}, seconds(60)).empty());
  EXPECT_TRUE(alarm.update({.rate_bits_per_second = 10}, seconds(61)).empty());
  EXPECT_TRUE(alarm.alarms().empty());
  EXPECT_EQ(alarm.update({.rate_bits_per_second = 10}, seconds(121)).size(), 1u);
  ASSERT_EQ(alarm.alarms().size(), 1u);
  EXPECT_EQ(alarm.alarms()[0].reason, Reason::kKeyRateLow);
  EXPECT_FALSE(alarm.stopped());
  EXPECT_EQ(alarm.update({.rate_bits_per_second = 2000}, seconds(122)).size(), 1u);
  EXPECT_TRUE(alarm.alarms().empty());
}

TEST(Alarm, WithoutLimitsThereIsNone) {
  DeviceAlarm alarm({});
  EXPECT_TRUE(alarm.update({.qber = 0.5, .rate_bits_per_second = 1}, seconds(0)).empty());
  EXPECT_TRUE(alarm.update({.qber = 0.5, .rate_bits_per_second = 1}, seconds(99)).empty());
  EXPECT_FALSE(alarm.stopped());
}

}  // namespace
}  // namespace warifu::kme
