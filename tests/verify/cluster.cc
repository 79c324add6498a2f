// A whole cluster in one process, deterministic, broken in every way at once (testing/cluster_run.h).
#include <iostream>

#include "base/log.h"
#include "secret/secret.h"
#include "testing/cluster_run.h"

using namespace warifu;

int main(int argc, char** argv) {
  secret::allow_unlocked();
  (void)init_log("cluster", std::getenv("SIM_LOG") ? "" : "/dev/null", LogLevel::kInfo);
  const std::uint64_t from = argc > 1 ? std::stoull(argv[1]) : 1, count = argc > 2 ? std::stoull(argv[2]) : 1;
  std::cout << std::unitbuf;
  sim::ClusterCounts sum;
  for (std::uint64_t seed = from; seed < from + count; ++seed) {
    const auto outcome = sim::run_cluster({.seed = seed, .trace = argc > 3 ? &std::cout : nullptr});
    if (outcome.counts.violations() > 0 || argc > 3) {
    std::cout << seed << ": trace " << std::hex << outcome.trace << std::dec << "; "
              << sim::counts_text(outcome.counts, sim::cluster_violations()) << "; "
              << sim::counts_text(outcome.counts, sim::cluster_faults()) << "; "
              << sim::counts_text(outcome.counts, sim::cluster_work()) << "\n";
    for (const auto& finding : outcome.findings) std::cout << "   " << finding << "\n";
    std::cout << std::flush;
    }
    sum += outcome.counts;
  }
  std::cout << counts_text(sum, sim::cluster_violations()) << "\n" << counts_text(sum, sim::cluster_faults()) << "\n" << counts_text(sum, sim::cluster_work()) << "\n";
}
