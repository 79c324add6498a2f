// Several devices behind one link, as the leading end asks them: in turn, past one that fails or
// asks to wait, not while the error rate is high; what is lost to a full pool is counted.
#include <gtest/gtest.h>

#include <filesystem>

#include "kme/intake.h"
#include "kme/link_ends_test_support.h"

namespace warifu::kme {
namespace {

using std::chrono::seconds;

class FakeClock final : public os::Clock {
 public:
  os::UnixMs now() override { return {1'000'000}; }
  std::chrono::nanoseconds monotonic() override { return time; }
  void sleep(std::chrono::milliseconds duration) override { time += duration; }
  std::chrono::nanoseconds time{seconds(1000)};
};

// Both ends of a device pair: hands out what is wanted of it, and remembers how often it was asked.
struct FakeDevice final : KeyDevice {
  Result<std::vector<DeviceKey>> fresh(std::size_t) override {
    ++asked;
    if (problem) return std::unexpected(*problem);
    std::vector<DeviceKey> keys;
    keys.push_back({name + std::to_string(asked), secret::Buffer(1000)});
    return keys;
  }
  Result<std::vector<DeviceKey>> by_ids(const std::vector<std::string>& ids) override {
    std::vector<DeviceKey> keys;
    for (const std::string& id : ids) {
      if (!id.starts_with(name)) return fail(Code::kNotFound, "not a key of " + name);
      keys.push_back({id, secret::Buffer(1000)});
    }
    return keys;
  }
  keypool::Origin origin() const override { return keypool::Origin::kRateModel; }
  Result<DeviceReport> look() override { return report; }
  std::chrono::seconds retry_after() const override { return wait; }

  std::string name;
  std::optional<Error> problem;
  DeviceReport report;
  seconds wait{0};
  int asked = 0;
};

class DevicesTest : public testing::Test {
 protected:
  void SetUp() override {
    one_.name = "one";
    two_.name = "two";
    lead_ = std::make_unique<Intake>(system_, ends_.left_link(), devices(), 10'000);
    follow_ = std::make_unique<Intake>(system_, ends_.right_link(), devices(), 10'000);
  }
  std::vector<IntakeDevice> devices() {
    const AlarmLimits alarms{.qber = 0.11};
    return {{&one_, "one", alarms}, {&two_, "two", alarms}};
  }
  Result<std::uint64_t> round() {
    return lead_->round(
        [&](IntakeMethod method, Bytes body) { return follow_->answer(method, body); });
  }

  FakeClock clock_;
  os::System system_{os::real_files(), clock_, os::kernel_random()};
  LinkEnds ends_{system_, LinkClass::kQkd, "left", "right"};
  FakeDevice one_, two_;
  std::unique_ptr<Intake> lead_, follow_;
};

TEST_F(DevicesTest, EachInTurn) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(round(), 1000u);
  EXPECT_EQ(one_.asked, 2);
  EXPECT_EQ(two_.asked, 2);
}

TEST_F(DevicesTest, AFailingOneDoesNotStopTheOthersAndIsAskedAgainLater) {
  one_.problem = {Code::kUnavailable, "no route"};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(round(), 1000u);
  EXPECT_EQ(one_.asked, 1) << "left alone for a while";
  EXPECT_EQ(two_.asked, 4);
  one_.problem.reset();
  clock_.time += seconds(10);
  EXPECT_EQ(round(), 1000u);
  EXPECT_EQ(round(), 1000u);
  EXPECT_EQ(one_.asked, 2);
}

TEST_F(DevicesTest, ADeviceThatAsksToWaitIsLeftAloneForThatLong) {
  one_.problem = {Code::kOutOfKey, "try later"};
  one_.wait = seconds(30);
  two_.problem = {Code::kOutOfKey, "no key now"};
  EXPECT_EQ(round().error().code, Code::kOutOfKey);
  clock_.time += seconds(29);
  EXPECT_EQ(round().error().code, Code::kOutOfKey);
  EXPECT_EQ(one_.asked, 1);
  EXPECT_EQ(two_.asked, 2);
  clock_.time += seconds(2);
  one_.problem.reset();
  EXPECT_EQ(round(), 1000u);
  EXPECT_EQ(one_.asked, 2);
}

TEST_F(DevicesTest, AHighErrorRateStopsTheIntakeOfThatDeviceOnly) {
  one_.report.qber = 0.2;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(round(), 1000u);
  EXPECT_EQ(one_.asked, 0);
  two_.report.qber = 0.3;
  const auto stopped = round();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::kRefused);
  EXPECT_NE(stopped.error().message.find("QBER"), std::string::npos);
  one_.report.qber = 0.05;
  clock_.time += seconds(10);
  EXPECT_EQ(round(), 1000u);
  EXPECT_EQ(one_.asked, 1);
}

TEST_F(DevicesTest, AnAlarmAtTheFarEndRefusesTheOffer) {
  // The far end leads its own direction and so looks at its device.
  one_.report.qber = 0.2;
  two_.report.qber = 0.2;
  const auto back = [&](IntakeMethod method, Bytes body) { return lead_->answer(method, body); };
  EXPECT_FALSE(follow_->round(back));
  one_.report.qber.reset();  // this end does not learn of it
  two_.report.qber.reset();
  const auto refused = round();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_EQ(ends_.left_link().send().status().synced_end.value, 0u);
}

TEST_F(DevicesTest, AnEndThatListsFewerDevicesSaysSo) {
  follow_ = std::make_unique<Intake>(system_, ends_.right_link(), one_, 10'000);
  EXPECT_EQ(round(), 1000u);
  const auto refused = round();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("device 2"), std::string::npos);
}

TEST_F(DevicesTest, WhatAFullPoolLosesIsCounted) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(round(), 1000u);
  EXPECT_EQ(round(), 0u) << "full";
  one_.report.discarded_bits = 8'000'000;  // before we looked: not ours to count
  two_.report = {.rate_bits_per_second = 800, .full = true};
  const auto lost = [&] { return ends_.left_link().report().saturation; };
  clock_.time += seconds(2);
  EXPECT_EQ(round(), 0u);
  EXPECT_EQ(lost().lost_bytes, 0u);
  one_.report.discarded_bits = 8'004'000;
  two_.report.full = false;
  clock_.time += seconds(2);
  EXPECT_EQ(round(), 0u);
  EXPECT_EQ(lost().lost_bytes, 500u);
  EXPECT_FALSE(lost().estimated);
  two_.report.full = true;
  clock_.time += seconds(2);
  EXPECT_EQ(round(), 0u);
  clock_.time += seconds(3);
  EXPECT_EQ(round(), 0u);
  EXPECT_EQ(lost().lost_bytes, 800u) << "three seconds of 100 bytes";
  EXPECT_TRUE(lost().estimated);
  one_.report.discarded_bits = 800;  // the device was started anew
  clock_.time += seconds(2);
  EXPECT_EQ(round(), 0u);
  EXPECT_EQ(lost().lost_bytes, 1100u);
}

}  // namespace
}  // namespace warifu::kme
