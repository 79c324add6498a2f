// What a feed lets through, when it stops, how it comes back; and what a mixture is made of and may
// be called.
#include "entropy/mixer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "entropy/entropy_test_support.h"
#include "testing/sim_clock.h"
#include "testing/sim_random.h"

namespace warifu::entropy {
namespace {

using keypool::Origin;

class MixerTest : public testing::Test {
 protected:
  FakeFeed make(const char* name, Origin origin, double entropy, bool required = true,
                bool condition = true) {
    return fake_feed({.name = name,
                      .origin = origin,
                      .min_entropy = entropy,
                      .condition = condition,
                      .required = required},
                     next_seed_++, clock_, random_);
  }
  static bool never(std::size_t) { return false; }

  sim::SimClock clock_;
  sim::SimRandom random_{1};
  std::uint64_t next_seed_ = 1;
};

TEST_F(MixerTest, StartUpSamplesAreNotGiven) {
  auto fake = make("a", Origin::kKernelGenerator, 8.0);
  Bytes out(1024);
  ASSERT_TRUE(fake.feed->take(out));
  EXPECT_EQ(fake.source->given, kStartupSamples + 1024);
  FakeSource again(1);  // the same seed
  Bytes all(kStartupSamples + 1024);
  for (std::size_t at = 0; at < all.size();) at += *again.read(MutableBytes(all).subspan(at));
  EXPECT_TRUE(std::ranges::equal(out, ByteView(all).subspan(kStartupSamples)));
}

TEST_F(MixerTest, AStuckSourceNeverStarts) {
  auto fake = make("a", Origin::kHardware, 6.0);
  fake.source->stuck_after = 0;
  Bytes out(1024);
  const auto taken = fake.feed->take(out);
  EXPECT_EQ(taken.error().code, Code::kRefused);
  EXPECT_NE(taken.error().message.find("source 'a' failed its repetition count test at 20"),
            std::string::npos)
      << taken.error().message;
  EXPECT_EQ(fake.feed->status().state, FeedState::kFailed);
  EXPECT_EQ(fake.feed->status().bytes, 0u);
}

TEST_F(MixerTest, AFailedSourceStaysOutUntilItIsTakenInAgain) {
  auto fake = make("a", Origin::kHardware, 6.0);
  Bytes out(1024);
  ASSERT_TRUE(fake.feed->take(out));
  fake.source->stuck_after = fake.source->given;
  EXPECT_EQ(fake.feed->take(out).error().code, Code::kRefused);
  fake.source->stuck_after = UINT64_MAX;  // it is well again, but nobody has said so
  clock_.advance(std::chrono::hours(24));
  const std::uint64_t reads = fake.source->reads;
  EXPECT_EQ(fake.feed->take(out).error().code, Code::kRefused);
  EXPECT_EQ(fake.source->reads, reads) << "it was read again";
  const std::uint64_t before = fake.source->given;
  ASSERT_TRUE(fake.feed->readmit());
  EXPECT_EQ(fake.source->given, before + kStartupSamples);
  EXPECT_TRUE(fake.feed->take(out));
  EXPECT_EQ(fake.feed->status().failures, 1u);
  EXPECT_TRUE(fake.feed->status().problem.empty());
}

TEST_F(MixerTest, ReadmittingASourceThatIsStillStuckFails) {
  auto fake = make("a", Origin::kHardware, 6.0);
  fake.source->stuck_after = 10;
  EXPECT_FALSE(fake.feed->start());
  EXPECT_EQ(fake.feed->readmit().error().code, Code::kRefused);
  EXPECT_EQ(fake.feed->status().failures, 2u);
}

TEST_F(MixerTest, ASourceThatWasGoneIsTestedAnew) {
  auto fake = make("a", Origin::kHardware, 6.0);
  Bytes out(1024);
  ASSERT_TRUE(fake.feed->take(out));
  fake.source->gone = true;
  EXPECT_EQ(fake.feed->take(out).error().code, Code::kUnavailable);
  fake.source->gone = false;
  EXPECT_EQ(fake.feed->take(out).error().code, Code::kUnavailable) << "tried again at once";
  clock_.advance(kRetryAfter);
  const std::uint64_t before = fake.source->given;
  ASSERT_TRUE(fake.feed->take(out));
  EXPECT_EQ(fake.source->given, before + kStartupSamples + 8 * Condenser::raw_bytes(6.0));
}

TEST_F(MixerTest, StopEndsAReadInTheMiddle) {
  auto fake = make("a", Origin::kHardware, 6.0);
  fake.feed->stop();
  Bytes out(1024);
  EXPECT_EQ(fake.feed->take(out).error().code, Code::kCancelled);
  EXPECT_EQ(fake.source->reads, 0u);
}

TEST_F(MixerTest, AMixtureIsTheXorOfItsParts) {
  auto a = make("a", Origin::kKernelGenerator, 8.0);
  auto b = make("b", Origin::kCpu, 8.0);
  std::vector<std::unique_ptr<Feed>> feeds;
  feeds.push_back(std::move(a.feed));
  feeds.push_back(std::move(b.feed));
  Mixer mixer(std::move(feeds));
  const auto batch = mixer.next(4096, never);
  ASSERT_TRUE(batch) << batch.error().message;
  Bytes expected(4096);
  for (const std::uint64_t seed : {1U, 2U}) {
    FakeSource again(seed);
    Bytes all(kStartupSamples + expected.size());
    for (std::size_t at = 0; at < all.size();) at += *again.read(MutableBytes(all).subspan(at));
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] ^= all[kStartupSamples + i];
  }
  EXPECT_TRUE(std::ranges::equal(batch->bytes.bytes(), expected));
  EXPECT_EQ(batch->claim, Origin::kKernelGenerator);
  EXPECT_EQ(batch->parts, 1U << 6 | 1U << 7);
}

TEST_F(MixerTest, OnlyAWholeHardwarePartMakesAMixtureHardware) {
  struct Case {
    double entropy;
    bool condition;
    Origin claim;
  };
  for (const Case& c : {Case{6.0, true, Origin::kHardware}, Case{8.0, false, Origin::kHardware},
                        Case{6.0, false, Origin::kKernelGenerator}}) {
    std::vector<std::unique_ptr<Feed>> feeds;
    feeds.push_back(make("kernel", Origin::kKernelGenerator, 8.0).feed);
    feeds.push_back(make("device", Origin::kHardware, c.entropy, true, c.condition).feed);
    Mixer mixer(std::move(feeds));
    const auto batch = mixer.next(1024, never);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->claim, c.claim) << c.entropy << c.condition;
    EXPECT_EQ(batch->parts, 1U << 6 | 1U << 1);
  }
}

TEST_F(MixerTest, ARequiredSourceThatFailsEndsTheMixture) {
  auto a = make("a", Origin::kKernelGenerator, 8.0);
  auto b = make("b", Origin::kHardware, 6.0);
  b.source->stuck_after = 50'000;
  std::vector<std::unique_ptr<Feed>> feeds;
  feeds.push_back(std::move(a.feed));
  feeds.push_back(std::move(b.feed));
  Mixer mixer(std::move(feeds));
  const auto batch = mixer.next(1 << 20, never);
  EXPECT_EQ(batch.error().code, Code::kRefused);
  EXPECT_EQ(mixer.next(1024, never).error().code, Code::kRefused);
  EXPECT_EQ(mixer.start().error().code, Code::kRefused);
  EXPECT_EQ(mixer.readmit("c").error().code, Code::kNotFound);
  b.source->stuck_after = UINT64_MAX;
  ASSERT_TRUE(mixer.readmit("b"));
  EXPECT_EQ(mixer.next(1024, never)->claim, Origin::kHardware);
}

// The batch that was begun with it is dropped; what follows does not name it.
TEST_F(MixerTest, AnOptionalSourceThatFailsIsLeftOutAndNoLongerNamed) {
  auto a = make("a", Origin::kKernelGenerator, 8.0);
  auto b = make("b", Origin::kHardware, 6.0, false);
  b.source->stuck_after = 50'000;
  std::vector<std::unique_ptr<Feed>> feeds;
  feeds.push_back(std::move(a.feed));
  feeds.push_back(std::move(b.feed));
  Mixer mixer(std::move(feeds));
  const auto batch = mixer.next(1 << 17, never);
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->bytes.size(), std::size_t{1} << 17);
  EXPECT_EQ(batch->claim, Origin::kKernelGenerator);
  EXPECT_EQ(batch->parts, 1U << 6);
  EXPECT_GT(a.source->given, kStartupSamples + (1 << 17) + 20'000) << "the batch was kept";
}

// One that only goes away ends the batch; what was mixed with it stands.
TEST_F(MixerTest, ABatchHasTheSamePartsFromFrontToBack) {
  auto a = make("a", Origin::kKernelGenerator, 8.0);
  auto b = make("b", Origin::kHardware, 6.0, false);
  FakeSource* device = b.source;
  std::vector<std::unique_ptr<Feed>> feeds;
  feeds.push_back(std::move(a.feed));
  feeds.push_back(std::move(b.feed));
  Mixer mixer(std::move(feeds));
  const auto first = mixer.next(1 << 20, [&](std::size_t bytes) {
    device->gone = bytes >= 8192;
    return false;
  });
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes.size(), 8192u);
  EXPECT_EQ(first->claim, Origin::kHardware);
  const auto second = mixer.next(2048, never);
  EXPECT_EQ(second->claim, Origin::kKernelGenerator);
  EXPECT_EQ(second->parts, 1U << 6);
}

}  // namespace
}  // namespace warifu::entropy
