// Both ends of a link with their real code, over a line that loses, repeats, reorders and changes
// frames, with crashes of either end at any step and restored backups: no byte is used twice, and
// both ends use each byte for the same thing. And the controls: seeded bugs must be caught.
//
// WARIFU_SITE_RUNS sets how many seeds are tried. More: `./run verify kms`.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "base/log.h"
#include "testing/site_runs.h"

namespace warifu::channel {
namespace {

using sim::Rollback;

std::uint64_t wanted_runs() {
  const char* text = std::getenv("WARIFU_SITE_RUNS");
  if (text != nullptr) return std::strtoull(text, nullptr, 10);
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  return 400;
#else
  return 100;
#endif
}

// What goes wrong on purpose is no news.
class TwoEndsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(init_log("two_ends", "/dev/null", LogLevel::kError)); }
};

sim::SiteTally explore(sim::SiteRules rules) {
  if (const char* text = std::getenv("WARIFU_SITE_SEED")) {
    rules.seed = std::strtoull(text, nullptr, 10);
  }
  const auto start = std::chrono::steady_clock::now();
  const sim::SiteTally tally = sim::explore_sites(rules, wanted_runs());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << tally << "; " << static_cast<double>(tally.runs) / took.count() << " runs/s\n";
  return tally;
}

TEST_F(TwoEndsTest, NoByteIsUsedTwiceAndBothEndsAgreeWhatEachWasFor) {
  const sim::SiteTally tally = explore({});
  EXPECT_EQ(tally.found.total(), 0u) << tally;
  EXPECT_GT(tally.opened, tally.runs);
}

TEST_F(TwoEndsTest, ARestoredEndUsesNoByteTwice) {
  const sim::SiteTally tally = explore({.rollback = Rollback::kOne});
  EXPECT_EQ(tally.found.total(), 0u) << tally;
}

TEST_F(TwoEndsTest, EverySeededBugIsCaught) {
  for (const sim::SiteBug& bug : sim::site_bugs()) {
    EXPECT_TRUE(sim::is_caught(bug, 4'000)) << bug.name;
  }
}

}  // namespace
}  // namespace warifu::channel
