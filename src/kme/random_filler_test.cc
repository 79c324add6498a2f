// From sources to fills: the pool is kept filled, a failed source stops every fill with its reason,
// one that is gone only stops what the pool does not hold, and what went into a segment is kept.
#include "kme/random_filler.h"

#include <gtest/gtest.h>

#include <thread>

#include "entropy/entropy_test_support.h"
#include "kme/key_device_source.h"
#include "testing/sim_clock.h"
#include "testing/temporary_folder.h"

namespace warifu::kme {
namespace {

using entropy::FakeFeed;
using entropy::FakeSource;
using keypool::Origin;

class RandomFillerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = RandomSource::open(system_, dir_, Bytes(32, 3), RandomFrom::kSources);
    ASSERT_TRUE(opened) << opened.error().message;
    pool_ = std::move(*opened);
  }

  FakeSource* add(const char* name, Origin origin, double entropy, bool required = true) {
    FakeFeed fake = entropy::fake_feed(
        {.name = name, .origin = origin, .min_entropy = entropy, .required = required},
        feeds_.size() + 1, clock_, os::kernel_random());
    feeds_.push_back(std::move(fake.feed));
    return fake.source;
  }
  void make_filler(std::uint64_t high_water = 3 << 20) {
    filler_ = std::make_unique<RandomFiller>(system_, *pool_, std::move(feeds_), high_water);
  }

  sim::SimClock clock_;
  os::System system_{os::real_files(), clock_, os::kernel_random()};
  sim::TemporaryFolder dir_;
  std::unique_ptr<RandomSource> pool_;
  std::vector<std::unique_ptr<entropy::Feed>> feeds_;
  std::unique_ptr<RandomFiller> filler_;
};

TEST_F(RandomFillerTest, FillsUpToTheMarkAndGivesWhatItClaims) {
  add("kernel", Origin::kKernelGenerator, 8.0);
  add("device", Origin::kHardware, 6.0);
  make_filler();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(*filler_->round(), RandomFiller::kBatchBytes);
  EXPECT_EQ(*filler_->round(), 0u);
  Bytes out(100'000);
  const auto entropy = pool_->fill(out);
  ASSERT_TRUE(entropy) << entropy.error().message;
  EXPECT_EQ(entropy->origins, std::set{Origin::kHardware});
  EXPECT_FALSE(entropy->computational());
  EXPECT_EQ(pool_->status().parts, (std::set{Origin::kHardware, Origin::kKernelGenerator}));
  EXPECT_EQ(*filler_->round(), RandomFiller::kBatchBytes);
}

TEST_F(RandomFillerTest, AFailedSourceStopsEveryFillUntilItIsTakenInAgain) {
  add("kernel", Origin::kKernelGenerator, 8.0);
  FakeSource* device = add("trng", Origin::kHardware, 6.0);
  make_filler();
  ASSERT_TRUE(filler_->round());
  Bytes out(1000);
  ASSERT_TRUE(pool_->fill(out));
  device->stuck_after = device->given;
  EXPECT_FALSE(filler_->round());
  const auto refused = pool_->fill(out);  // although the pool holds enough
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_EQ(refused.error().message.find(
                "random numbers: source 'trng' failed its repetition count test at 20"),
            0u)
      << refused.error().message;
  EXPECT_EQ(pool_->status().problem.empty(), false);
  device->stuck_after = UINT64_MAX;
  EXPECT_FALSE(filler_->round());
  ASSERT_TRUE(filler_->readmit("trng"));
  EXPECT_TRUE(pool_->fill(out));  // at once
}

TEST_F(RandomFillerTest, ASourceThatIsGoneOnlyStopsWhatThePoolDoesNotHold) {
  FakeSource* device = add("trng", Origin::kHardware, 6.0);
  make_filler();
  ASSERT_TRUE(filler_->round());
  device->gone = true;
  EXPECT_FALSE(filler_->round());
  Bytes out(RandomFiller::kBatchBytes);
  ASSERT_TRUE(pool_->fill(out));
  const auto none = pool_->fill(out);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kUnavailable);
  EXPECT_NE(none.error().message.find("source 'trng' cannot be read"), std::string::npos);
}

TEST_F(RandomFillerTest, FillsWaitForTheSourcesAndEndWhenTheSiteStops) {
  FakeSource* device = add("trng", Origin::kHardware, 6.0);
  make_filler();
  Bytes out(2 * RandomFiller::kBatchBytes);
  Result<keypool::Entropy> filled;
  std::jthread waiting([&] { filled = pool_->fill(out); });
  while (!pool_->is_awaited()) std::this_thread::yield();
  std::jthread filling([&] { filler_->run(); });
  waiting.join();
  ASSERT_TRUE(filled) << filled.error().message;
  filler_->stop();
  filling.join();
  EXPECT_GT(device->given, out.size());
  EXPECT_EQ(pool_->fill(out).error().code, Code::kCancelled);
}

// --- a key device as a source -------------------------------------------------------------------

class FakeDevice final : public KeyDevice {
 public:
  Result<std::vector<DeviceKey>> fresh(std::size_t most) override {
    if (!has_key) return fail(Code::kOutOfKey, "no key now");
    std::vector<DeviceKey> keys;
    for (Byte i = 0; i < 3 && keys.size() * 32 < most; ++i) {
      keys.push_back({std::to_string(next), secret::Buffer::copy_of(Bytes(32, next++))});
    }
    return keys;
  }
  Result<std::vector<DeviceKey>> by_ids(const std::vector<std::string>&) override {
    return fail(Code::kNotFound, "never asked");
  }
  Origin origin() const override { return Origin::kHardware; }

  Byte next = 1;
  bool has_key = true;
};

TEST(KeyDeviceSource, GivesEachKeyOnce) {
  auto device = std::make_unique<FakeDevice>();
  FakeDevice& fake = *device;
  sim::SimClock clock;
  KeyDeviceSource source(std::move(device), clock);
  std::map<Byte, int> seen;
  for (int i = 0; i < 24; ++i) {
    Bytes part(20);
    const auto size = source.read(part);
    ASSERT_TRUE(size);
    for (const Byte byte : ByteView(part).first(*size)) ++seen[byte];
  }
  for (const auto& [byte, count] : seen) EXPECT_EQ(count, 32) << int{byte};
  EXPECT_EQ(seen.size(), 12u);
  fake.has_key = false;
  Bytes part(20);
  const auto before = clock.monotonic();
  EXPECT_EQ(source.read(part).error().code, Code::kOutOfKey);
  EXPECT_GE(clock.monotonic() - before, KeyDeviceSource::kPatience);
}

}  // namespace
}  // namespace warifu::kme
