// warifu-verify-gates: random lives of consent gates, as figures.
//
//   warifu-verify-gates [--runs N] [--from SEED] [--threads N]
//
// Each run is some forty steps of one gate on a simulated disk (testing/gate_runs.h), with power
// lost within writes. Prints one JSON document for tools/verify/consent.py; exit code 1 when a
// promise was broken or a seeded bug was not found.
#include <fmt/format.h>

#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include "base/log.h"
#include "secret/secret.h"
#include "testing/gate_runs.h"
#include "tests/verify/flags.h"

namespace warifu::sim {
namespace {

namespace json = boost::json;

GateTally run_all(std::uint64_t from, std::uint64_t runs, std::uint64_t threads) {
  GateTally tally;
  std::mutex mutex;
  {
    std::vector<std::jthread> workers;
    for (std::uint64_t lane = 0; lane < threads; ++lane) {
      workers.emplace_back([&, lane] {
        GateTally own;
        for (std::uint64_t i = lane; i < runs; i += threads) own.add(run_gate(from + i));
        const std::lock_guard lock(mutex);
        tally.add(own);
      });
    }
  }
  return tally;
}

std::size_t bugs_found() {
  std::size_t found = 0;
  for (const GateBug bug : kGateBugs) {
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
      if (run_gate(seed, bug).violations == 0) continue;
      ++found;
      break;
    }
  }
  return found;
}

int run(std::uint64_t from, std::uint64_t runs, std::uint64_t threads) {
  const GateTally tally = run_all(from, runs, threads);
  constexpr std::size_t kBugs = std::size(kGateBugs);
  const std::size_t found = bugs_found();
  const bool sound = tally.violations == 0;
  const json::array results = {
      {{"name", "gate_states"},
       {"value", tally.violations},
       {"unit", "broken promises"},
       {"goal", 0},
       {"ok", sound},
       {"note",
        sound ? fmt::format("{} steps in {} runs: {} permits, {} refusals, {} of them bent, "
                            "{} withdrawals, {} revocations, {} power losses; {} by proxies, {} by "
                            "guardians",
                            tally.steps, tally.runs, tally.permits, tally.refusals + tally.bent,
                            tally.bent, tally.withdrawals, tally.revocations, tally.crashes,
                            tally.by_proxies, tally.by_guardians)
              : tally.first_violation}},
      {{"name", "gate_seeded_bugs"},
       {"value", found},
       {"unit", "found"},
       {"goal", kBugs},
       {"ok", found == kBugs},
       {"note",
        "no withdrawals, any number of uses, any purpose, any time, any mandate, any age, nothing "
        "durable"}}};
  std::cout << json::serialize(json::object{{"results", results}}) << "\n";
  return sound && found == kBugs ? 0 : 1;
}

}  // namespace
}  // namespace warifu::sim

int main(int argc, char** argv) {
  std::uint64_t runs = 100'000, from = 1, threads = 2;
  warifu::verify::Flags flags("Random lives of consent gates, as figures");
  flags.number("--runs", runs, "how many, of some forty steps each", 1);
  flags.number("--from", from, "the first seed");
  flags.number("--threads", threads, "at once", 1, 64);
  if (const auto code = flags.parse(argc, argv)) return *code;
  warifu::secret::allow_unlocked();  // simulated secrets
  (void)warifu::init_log("verify", "/dev/null", warifu::LogLevel::kError);
  return warifu::sim::run(from, runs, threads);
}
