// Cutoffs against published values, and the tests against sources that are stuck, biased, or become
// so; a good source passes 10^8 bits.
#include "entropy/health.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace warifu::entropy {
namespace {

TEST(HealthCutoffs, RepetitionCountAsInTheStandard) {
  EXPECT_EQ(repetition_cutoff(2.0, 20), 11u);  // the example of section 4.4.1
  EXPECT_EQ(repetition_cutoff(1.0, 30), 31u);
  EXPECT_EQ(repetition_cutoff(8.0, 20), 4u);
  EXPECT_EQ(repetition_cutoff(8.0, 30), 5u);
  EXPECT_EQ(repetition_cutoff(0.3, 20), 68u);
}

// Against exact sums of rational numbers, made outside of this program.
TEST(HealthCutoffs, AdaptiveProportionIsTheExactBinomialQuantile) {
  EXPECT_EQ(proportion_cutoff(1024, 1.0, 20), 589u);
  EXPECT_EQ(proportion_cutoff(1024, 1.0, 30), 609u);
  EXPECT_EQ(proportion_cutoff(512, 1.0, 20), 311u);
  EXPECT_EQ(proportion_cutoff(512, 1.0, 30), 325u);
  EXPECT_EQ(proportion_cutoff(512, 2.0, 20), 177u);
  EXPECT_EQ(proportion_cutoff(512, 2.0, 30), 190u);
  EXPECT_EQ(proportion_cutoff(512, 4.0, 20), 62u);
  EXPECT_EQ(proportion_cutoff(512, 4.0, 30), 71u);
  EXPECT_EQ(proportion_cutoff(512, 6.0, 30), 31u);
  EXPECT_EQ(proportion_cutoff(512, 8.0, 20), 13u);
  EXPECT_EQ(proportion_cutoff(512, 8.0, 30), 16u);
  EXPECT_EQ(proportion_cutoff(512, 8.0, 40), 19u);
}

// One bit in n samples, alpha 2^-30: the table of jitterentropy. It leaves the first sample of the
// window, which always equals itself, out of the binomial; the standard's formula, used here, does
// not, and is the same or one stricter.
TEST(HealthCutoffs, AgreeWithAPublishedTable) {
  const unsigned published[] = {325, 422, 459, 477, 488, 494, 499, 502,
                                505, 507, 508, 509, 510, 511, 512};
  for (unsigned n = 1; n <= std::size(published); ++n) {
    EXPECT_EQ(1 + proportion_cutoff(511, 1.0 / n, 30), published[n - 1]) << n;
    EXPECT_LE(published[n - 1] - proportion_cutoff(512, 1.0 / n, 30), 1u) << n;
  }
}

TEST(HealthCutoffs, EveryPermittedSettingCanFail) {
  for (double entropy = kLeastMinEntropy; entropy <= kFullEntropy; entropy += 0.1) {
    for (unsigned alpha = kLeastAlpha; alpha <= kMostAlpha; ++alpha) {
      const Cutoffs got = cutoffs(entropy, alpha);
      EXPECT_GE(got.repetition, 4u);
      EXPECT_GT(got.proportion, kWindow / std::exp2(entropy));
      EXPECT_LE(got.proportion, kWindow) << entropy << " " << alpha;
    }
  }
}

Bytes uniform(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<Byte>(generator());
  return bytes;
}

TEST(HealthTest, AStuckSourceFailsAtTheCutoff) {
  HealthTests tests(cutoffs(6.0, 30));  // 6 in a row
  EXPECT_EQ(tests.feed(Bytes(5, 7)), Verdict::kGood);
  EXPECT_EQ(tests.feed(Bytes(1, 7)), Verdict::kRepetition);
  tests.restart();
  EXPECT_EQ(tests.feed(Bytes(5, 7)), Verdict::kGood);
  EXPECT_EQ(tests.feed(Bytes(5, 8)), Verdict::kGood);
}

TEST(HealthTest, ASourceThatBecomesStuckLaterIsCaughtThen) {
  HealthTests tests(cutoffs(6.0, 40));
  EXPECT_EQ(tests.feed(uniform(1'000'000, 1)), Verdict::kGood);
  EXPECT_EQ(tests.feed(Bytes(64, 0)), Verdict::kRepetition);
}

// Never the same byte twice in a row, but one byte has every second place.
TEST(HealthTest, ABiasedSourceFailsTheProportionTest) {
  Bytes biased = uniform(4096, 2);
  for (std::size_t i = 0; i < biased.size(); ++i) {
    if (i % 2 == 0) biased[i] = 0x55;
    if (i % 2 == 1 && biased[i] == 0x55) biased[i] = 0x56;
  }
  HealthTests tests(cutoffs(6.0, 30));
  EXPECT_EQ(tests.feed(biased), Verdict::kProportion);
}

// Each byte value 2 is drawn at p = 1/4 where 6 bits were promised: within a few windows.
TEST(HealthTest, ASourceOfTwoBitsThatPromisedSixIsCaught) {
  std::mt19937_64 generator(3);
  Bytes weak(512 * 8);
  for (auto& byte : weak) byte = static_cast<Byte>(generator() % 4);
  HealthTests tests(cutoffs(6.0, 40));
  EXPECT_NE(tests.feed(weak), Verdict::kGood);
  HealthTests honest(cutoffs(2.0, 40));
  EXPECT_EQ(honest.feed(weak), Verdict::kGood);
}

TEST(HealthTest, WindowsFollowEachOtherHoweverTheBytesAreCutUp) {
  Bytes biased = uniform(20'000, 4);
  for (std::size_t i = 10'000; i < biased.size(); i += 3) biased[i] = 9;
  const auto first_failure = [&](std::size_t step) {
    HealthTests tests(cutoffs(6.0, 30));
    for (std::size_t at = 0; at < biased.size(); ++at) {
      const std::size_t part = std::min(step, biased.size() - at);
      if (step > 1) {
        if (tests.feed(ByteView(biased).subspan(at, part)) != Verdict::kGood) return at / 512;
        at += part - 1;
      } else if (tests.feed(ByteView(biased).subspan(at, 1)) != Verdict::kGood) {
        return at / 512;
      }
    }
    return std::size_t{0};
  };
  EXPECT_GT(first_failure(1), 10'000u / 512);
  EXPECT_EQ(first_failure(1), first_failure(512));
}

TEST(HealthTest, AGoodSourcePassesAHundredMillionBits) {
  HealthTests tests(cutoffs(kFullEntropy, kMostAlpha));
  std::mt19937_64 generator(5);
  Bytes block(100'000);
  for (int i = 0; i < 125; ++i) {
    for (std::size_t at = 0; at < block.size(); at += 8) {
      const std::uint64_t word = generator();
      std::memcpy(block.data() + at, &word, 8);
    }
    ASSERT_EQ(tests.feed(block), Verdict::kGood) << i;
  }
}

}  // namespace
}  // namespace warifu::entropy
