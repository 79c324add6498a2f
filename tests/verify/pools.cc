// warifu-verify-pools: the pool's crash harness with as many states as wanted, as figures.
//
//   warifu-verify-pools [--states N] [--runs N] [--json]
//
// Prints one row per promise; the exit code is 1 when one does not hold. Every run follows from its
// seed; the threads take different ones.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

#include "testing/pool_bugs.h"

namespace warifu::sim {
namespace {

struct Row {
  std::string name;
  double value = 0;
  std::string unit;
  double goal = 0;  // at least this many
  bool ok = false;
  std::string note;
};

// Seeds of different threads never meet.
constexpr std::uint64_t kSeedsApart = 1'000'000'000;

Tally together(std::uint64_t amount, const std::function<Tally(Rules, std::uint64_t)>& explore) {
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<Tally> tallies(threads);
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        tallies[i] = explore({.seed = 1 + i * kSeedsApart}, (amount + threads - 1) / threads);
      });
    }
  }
  Tally sum;
  for (const Tally& one : tallies) {
    if (sum.found.total() == 0) sum.first_bad_seed = one.first_bad_seed;
    sum.found += one.found;
    sum.states += one.states;
    sum.crashes += one.crashes;
    sum.bytes += one.bytes;
    sum.refusals += one.refusals;
  }
  return sum;
}

Row clean(std::string name, std::uint64_t goal, std::uint64_t reached, const Tally& tally,
          double seconds) {
  std::string note = fmt::format("{} violations, {} of them bytes used twice; {} crashes; {:.0f} s",
                                 tally.found.total(), tally.found.overlaps, tally.crashes, seconds);
  if (tally.found.total() > 0) note += fmt::format("; first bad seed {}", tally.first_bad_seed);
  return {std::move(name),
          static_cast<double>(reached),
          "states",
          static_cast<double>(goal),
          reached >= goal && tally.found.total() == 0,
          std::move(note)};
}

double timed(Tally& tally, const std::function<Tally()>& work) {
  const auto start = std::chrono::steady_clock::now();
  tally = work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Row> measure(std::uint64_t states, std::uint64_t runs) {
  std::vector<Row> rows;
  Tally tally;
  double seconds = timed(tally, [&] { return together(states, explore_crashes); });
  rows.push_back(clean("pool_crash_states", states, tally.states, tally, seconds));
  seconds = timed(tally, [&] { return together(states / 2, explore_faults); });
  rows.push_back(clean("pool_disk_errors", states / 2, tally.states, tally, seconds));
  for (const Restored which : {Restored::kReceiver, Restored::kSender}) {
    const bool receiver = which == Restored::kReceiver;
    seconds = timed(tally, [&] {
      return together(runs, [&](Rules rules, std::uint64_t amount) {
        return explore_backups(rules, which, receiver, amount);
      });
    });
    rows.push_back(clean(receiver ? "pool_restored_receiver" : "pool_restored_sender", runs, runs,
                         tally, seconds));
    rows.back().unit = "runs";
  }
  std::uint64_t caught = 0;
  std::string missed;
  for (const SeededBug& bug : seeded_bugs()) {
    if (is_caught(bug, run_seeded_bug(bug, 100'000))) {
      ++caught;
    } else {
      missed += fmt::format("; not caught: {}", bug.name);
    }
  }
  const std::uint64_t all = seeded_bugs().size();
  rows.push_back({"pool_seeded_bugs", static_cast<double>(caught), "caught",
                  static_cast<double>(std::max<std::uint64_t>(all, 12)), caught == all && all >= 12,
                  fmt::format("of {}{}", all, missed)});
  return rows;
}

int run(int argc, char** argv) {
  CLI::App app{"The pool's crash harness, as figures"};
  std::uint64_t states = 1'000'000;
  std::uint64_t runs = 100'000;
  bool json = false;
  app.add_option("--states", states, "images of disks after a crash")->check(CLI::PositiveNumber);
  app.add_option("--runs", runs, "runs with a restored backup")->check(CLI::PositiveNumber);
  app.add_flag("--json", json, "print one JSON document");
  CLI11_PARSE(app, argc, argv);
  const std::vector<Row> rows = measure(states, runs);
  bool good = true;
  boost::json::array results;
  for (const Row& row : rows) {
    good = good && row.ok;
    results.push_back({{"name", row.name}, {"value", row.value}, {"unit", row.unit},
                       {"goal", row.goal}, {"ok", row.ok}, {"note", row.note}});
    if (json) continue;
    std::cout << fmt::format("{:<24} {:>10.0f} {:<7} {:<6} {}\n", row.name, row.value, row.unit,
                             row.ok ? "ok" : "FAILED", row.note);
  }
  if (json) std::cout << boost::json::serialize(boost::json::object{{"results", results}}) << "\n";
  return good ? 0 : 1;
}

}  // namespace
}  // namespace warifu::sim

int main(int argc, char** argv) {
  return warifu::sim::run(argc, argv);
}
