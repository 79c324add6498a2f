// The measurements run, in small, and say what they measured.
#include "bench_kernels/bench_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace warifu::bench_kernels {
namespace {

const MeasureOptions kSmall{.stream_bytes = 1U << 16, .rounds = 3, .variant = {}};

TEST(BenchKernels, EveryNameGivesAFigure) {
  const auto figures = measure_kernels([](std::string_view) { return true; }, kSmall);
  const bool alone = figures.size() + 3 == kernel_names().size();  // a machine with one processor
  ASSERT_TRUE(alone || figures.size() == kernel_names().size());
  for (const KernelFigure& figure : figures) {
    EXPECT_TRUE(std::ranges::find(kernel_names(), figure.name) != kernel_names().end());
    EXPECT_GT(figure.bytes_per_second, 0) << figure.name;
    EXPECT_GT(figure.against_bytes_per_second, 0) << figure.name;
    EXPECT_GT(figure.ratio, 0) << figure.name;
    EXPECT_EQ(figure.goal > 0, figure.name != "two_cores_memcpy") << figure.name;
    EXPECT_EQ(figure.against, figure.name.starts_with("two_cores") ? "one core" : "memcpy");
  }
}

TEST(BenchKernels, OnlyWhatIsWanted) {
  const auto figures =
      measure_kernels([](std::string_view name) { return name == "hash"; }, kSmall);
  ASSERT_EQ(figures.size(), 1U);
  EXPECT_EQ(figures[0].name, "hash");
}

TEST(BenchKernels, NoSuchNameAndNoSuchVariantGiveNothing) {
  EXPECT_TRUE(measure_kernels([](std::string_view) { return false; }, kSmall).empty());
  MeasureOptions options = kSmall;
  options.variant = "abacus";
  EXPECT_TRUE(measure_kernels([](std::string_view) { return true; }, options).empty());
}

}  // namespace
}  // namespace warifu::bench_kernels
