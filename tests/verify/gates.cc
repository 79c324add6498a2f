// warifu-verify-gates: random lives of consent gates, as figures.
//
//   warifu-verify-gates [--runs N] [--from SEED] [--threads N]
//
// Each run is some forty steps of one gate on a simulated disk (testing/gate_runs.h), with power
// lost within writes. Prints one JSON document for tools/verify/consent.py; exit code 1 when a
// promise was broken or a seeded bug was not found.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include "base/log.h"
#include "secret/secret.h"
#include "testing/act_runs.h"
#include "testing/card_kinds.h"
#include "testing/gate_runs.h"
#include "tests/verify/flags.h"

namespace warifu::sim {
namespace {

namespace json = boost::json;

using Life = GateTally (*)(std::uint64_t seed, GateBug bug);

GateTally one_life(std::uint64_t seed, GateBug bug) {
  return run_gate(seed, bug);
}

GateTally run_all(Life life, std::uint64_t from, std::uint64_t runs, std::uint64_t threads) {
  GateTally tally;
  std::mutex mutex;
  {
    std::vector<std::jthread> workers;
    for (std::uint64_t lane = 0; lane < threads; ++lane) {
      workers.emplace_back([&, lane] {
        GateTally own;
        for (std::uint64_t i = lane; i < runs; i += threads) {
          own.add(life(from + i, GateBug::kNone));
        }
        const std::lock_guard lock(mutex);
        tally.add(own);
      });
    }
  }
  return tally;
}

std::size_t bugs_found(Life life, std::span<const GateBug> bugs) {
  std::size_t found = 0;
  for (const GateBug bug : bugs) {
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
      if (life(seed, bug).violations == 0) continue;
      ++found;
      break;
    }
  }
  return found;
}

// Rows about broken promises and seeded bugs; false when one is not as it should be.
bool add_rows(json::array& rows, const std::string& name, const GateTally& tally,
              const std::string& note, std::size_t found, std::size_t bugs,
              const std::string& bug_names) {
  const bool sound = tally.violations == 0;
  rows.push_back({{"name", name + "_states"},
                  {"value", tally.violations},
                  {"unit", "broken promises"},
                  {"goal", 0},
                  {"ok", sound},
                  {"note", sound ? note : tally.first_violation}});
  rows.push_back({{"name", name + "_seeded_bugs"},
                  {"value", found},
                  {"unit", "found"},
                  {"goal", bugs},
                  {"ok", found == bugs},
                  {"note", bug_names}});
  return sound && found == bugs;
}

// How many places every kind of card can take.
bool add_card_kinds(json::array& rows) {
  const auto cells = try_card_kinds();
  const auto passed = static_cast<std::size_t>(
      std::ranges::count_if(cells, [](const CardCell& cell) { return cell.why.empty(); }));
  std::string note =
      "one-time, DESFire, signature cards: own consent, names a proxy, allows emergencies, proxy, "
      "guardian with another, officer with another; emulated cards' arithmetic, at one gate";
  for (const CardCell& cell : cells) {
    if (!cell.why.empty()) note = cell.place + ": " + cell.why;
  }
  rows.push_back({{"name", "card_kinds"},
                  {"value", passed},
                  {"unit", "places"},
                  {"goal", cells.size()},
                  {"ok", passed == cells.size()},
                  {"note", note}});
  return passed == cells.size();
}

int run(std::uint64_t from, std::uint64_t runs, std::uint64_t threads) {
  json::array rows;
  const GateTally uses = run_all(one_life, from, runs, threads);
  bool is_good = add_rows(
      rows, "gate", uses,
      fmt::format("{} steps in {} runs: {} permits, {} refusals, {} of them bent, {} withdrawals, "
                  "{} revocations, {} power losses; {} by proxies, {} by guardians",
                  uses.steps, uses.runs, uses.permits, uses.refusals + uses.bent, uses.bent,
                  uses.withdrawals, uses.revocations, uses.crashes, uses.by_proxies,
                  uses.by_guardians),
      bugs_found(one_life, kGateBugs), std::size(kGateBugs),
      "no withdrawals, any number of uses, any purpose, any time, any mandate, any age, any "
      "chunks, nothing durable");
  const GateTally acts = run_all(run_acts, from, runs / 4 + 1, threads);
  is_good = add_rows(rows, "gate_acts", acts,
                     fmt::format("{} steps in {} runs: {} times more keys, {} times asked for "
                                 "again, {} leaves for emergencies, {} emergencies by officers, {} "
                                 "told to the person, {} refusals, {} bent, {} withdrawals, {} "
                                 "revocations, {} power losses",
                                 acts.steps, acts.runs, acts.top_ups, acts.acts_again, acts.leaves,
                                 acts.by_officers, acts.told, acts.refusals, acts.bent,
                                 acts.withdrawals, acts.revocations, acts.crashes),
                     bugs_found(run_acts, kActBugs), std::size(kActBugs),
                     "keys again, any officer, no leave, no rule of the site, untold emergencies, "
                     "no withdrawals, any number of uses, nothing durable") &&
            is_good;
  is_good = add_card_kinds(rows) && is_good;
  std::cout << json::serialize(json::object{{"results", rows}}) << "\n";
  return is_good ? 0 : 1;
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
