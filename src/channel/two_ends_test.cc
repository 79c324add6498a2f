// Both ends of a link with their real code, over a line that loses, repeats, reorders and changes
// frames, with crashes of either end at any step and restored backups: no byte is used twice, and
// both ends use each byte for the same thing. And the controls: seeded bugs must be caught.
//
// WARIFU_SITE_RUNS sets how many seeds are tried. More: `./run verify kms`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>

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

TEST_F(TwoEndsTest, SeedsThatWereBadOnceAreGood) {
  constexpr std::pair<std::uint64_t, Rollback> kSeeds[] = {
      // Counted as disagreements: an old frame in the place of a new one made the receiving end
      // take another range to check it than the sending end had used.
      {446, Rollback::kNone},
      {718, Rollback::kOne},
      // Key that a false mark burnt to the last byte counted as ends that do not come together.
      {9541, Rollback::kNone},
      {48817, Rollback::kNone},
      // A torn slot of the mark looked like one of an earlier version.
      {19098, Rollback::kNone},
      // The harness went on over a connection whose stream this end had given up.
      {1'000'031'096, Rollback::kNone},
      // A restored end took key in at a place where the far end held other key.
      {7472, Rollback::kOne},
      {1'000'000'608, Rollback::kOne},
      {1'000'003'440, Rollback::kOne},
  };
  for (const auto& [seed, rollback] : kSeeds) {
    const sim::SiteTally tally = sim::explore_sites({.seed = seed, .rollback = rollback}, 1);
    EXPECT_EQ(tally.found.total(), 0u) << tally;
  }
}

// Whoever looks into a seed sees the run of that seed.
TEST_F(TwoEndsTest, ATraceTellsEveryUseAndChangesNothing) {
  std::ostringstream trace, told, untold;
  sim::SiteRules rules{.seed = 446};
  untold << sim::explore_sites(rules, 1);
  rules.trace = &trace;
  const sim::SiteTally tally = sim::explore_sites(rules, 1);
  told << tally;
  EXPECT_EQ(told.str(), untold.str());
  std::istringstream lines(trace.str());
  std::uint64_t uses = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool is_use = line.find(": left ") != std::string::npos;
    const bool is_greeting = line.find("to check a greeting") != std::string::npos;
    if (is_use && !is_greeting) ++uses;  // that is told again when it counts
  }
  EXPECT_EQ(uses, tally.uses);
  for (const char* wanted : {"a calls: conversation ", " sends a hello of 40 bytes", " is done",
                             "    which gives way to an old one", "to check a frame: left "}) {
    EXPECT_THAT(trace.str(), testing::HasSubstr(wanted));
  }
}

// The controls count what they must, and the trace shows it where it happens.
TEST_F(TwoEndsTest, ATraceShowsAViolationUnderWhatCausedIt) {
  std::ostringstream trace;
  sim::SiteRules rules{.rollback = Rollback::kBoth, .trace = &trace};
  while (sim::explore_sites(rules, 1).found.overlaps == 0) {
    ++rules.seed;
    trace.str("");
    ASSERT_LT(rules.seed, 4'000u);
  }
  EXPECT_THAT(trace.str(), testing::ContainsRegex(": left [^\n]*\n  VIOLATION: 1 overlaps\n"));
}

TEST_F(TwoEndsTest, EverySeededBugIsCaught) {
  for (const sim::SiteBug& bug : sim::site_bugs()) {
    EXPECT_TRUE(sim::is_caught(bug, 4'000)) << bug.name;
  }
}

}  // namespace
}  // namespace warifu::channel
