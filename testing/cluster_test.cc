// A cluster of four sites with their real code, in which everything breaks: no acknowledged object
// is lost, no byte is wrong, no site comes to more than it may. And the controls: every fault
// occurs, seeded bugs are caught, the same seed gives the same run.
//
// WARIFU_CLUSTER_SEEDS sets how many seeds are tried, WARIFU_CLUSTER_SEED the first one. More:
// build/release/tests/verify/warifu-verify-cluster.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "base/log.h"
#include "secret/secret.h"
#include "testing/cluster_bugs.h"
#include "testing/cluster_run.h"

namespace warifu::sim {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::uint64_t wanted_seeds() {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  return setting("WARIFU_CLUSTER_SEEDS", 1000);
#else
  return setting("WARIFU_CLUSTER_SEEDS", 40);
#endif
}
constexpr std::uint64_t kEnoughForAllFaults = 300;
constexpr std::uint64_t kSeedsForBugs = 60;

class ClusterTest : public testing::Test {
 protected:
  void SetUp() override {
    secret::allow_unlocked();  // simulated secrets
    // What goes wrong on purpose is no news.
    ASSERT_TRUE(init_log("cluster", "/dev/null", LogLevel::kError));
  }
};

// In two halves, which run side by side.
class ClusterHalfTest : public ClusterTest, public testing::WithParamInterface<std::uint64_t> {};

TEST_P(ClusterHalfTest, NothingAcknowledgedIsLostOrWrongOrKnownToAWrongSite) {
  const std::uint64_t seeds = wanted_seeds() / 2;
  const std::uint64_t first = setting("WARIFU_CLUSTER_SEED", 1) + GetParam() * seeds;
  ClusterCounts sum;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const ClusterOutcome outcome = run_cluster({.seed = seed});
    sum += outcome.counts;
    for (const std::string& finding : outcome.findings) {
      ADD_FAILURE() << "seed " << seed << ": " << finding;
    }
  }
  std::cout << seeds << " seeds: " << counts_text(sum, cluster_violations()) << "\n  "
            << counts_text(sum, cluster_faults()) << "\n  " << counts_text(sum, cluster_work())
            << "\n";
  if (seeds < kEnoughForAllFaults) return;
  // A fault that never occurs, and work that is never done, prove nothing.
  for (const auto kinds : {cluster_faults(), cluster_work()}) {
    for (const CountKind& kind : kinds) {
      // Runs that use up their key are few.
      if (kind.count == &ClusterCounts::couriers) continue;
      // And so are those whose catalog burns in the middle of a cut.
      if (kind.count == &ClusterCounts::recut) continue;
      EXPECT_GT(sum.*kind.count, 0u) << kind.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClusterHalfTest, testing::Values(0, 1));

TEST_F(ClusterTest, TheSameSeedGivesTheSameRun) {
  for (const std::uint64_t seed : {3U, 17U, 58U}) {
    const ClusterOutcome once = run_cluster({.seed = seed});
    const ClusterOutcome again = run_cluster({.seed = seed});
    EXPECT_EQ(once.trace, again.trace) << seed;
    EXPECT_EQ(once.counts.turns, again.counts.turns) << seed;
    EXPECT_NE(once.trace, run_cluster({.seed = seed + 1}).trace);
  }
}

TEST_F(ClusterTest, SeededBugsAreCaught) {
  for (const ClusterBug& bug : cluster_seeded_bugs()) {
    const auto seed = seed_that_shows(bug, kSeedsForBugs);
    EXPECT_TRUE(seed.has_value()) << bug.name;
    if (seed) std::cout << bug.name << ": caught by seed " << *seed << std::endl;
  }
}

}  // namespace
}  // namespace warifu::sim
