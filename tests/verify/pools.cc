// warifu-verify-pools: the pool's crash harness with as many states as wanted, as figures.
//
//   warifu-verify-pools [--states N] [--runs N]
//
// Prints one JSON document, a row per promise, for tools/verify/kms.py; the exit code is 1 when one
// does not hold. Every run follows from its seed; the threads take different ones.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <numeric>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "testing/pool_bugs.h"

namespace warifu::sim {
namespace {

namespace json = boost::json;

// Seeds of different threads never meet.
constexpr std::uint64_t kSeedsApart = 1'000'000'000;

using Explore = std::function<Tally(Rules rules, std::uint64_t amount)>;

Tally on_all_cores(std::uint64_t amount, const Explore& explore) {
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
  return std::accumulate(tallies.begin(), tallies.end(), Tally{},
                         [](Tally sum, const Tally& one) { return sum += one; });
}

json::object row(std::string_view name, std::uint64_t value, std::string_view unit,
                 std::uint64_t goal, bool ok, std::string_view note) {
  return {{"name", name}, {"value", value}, {"unit", unit},
          {"goal", goal}, {"ok", ok},       {"note", note}};
}

// Nothing may be violated.
json::object clean(std::string_view name, std::uint64_t goal, std::string_view unit,
                   const Explore& explore) {
  const auto start = std::chrono::steady_clock::now();
  const Tally tally = on_all_cores(goal, explore);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const std::uint64_t reached = unit == "states" ? tally.states : goal;
  std::string note =
      fmt::format("{} violations, {} of them bytes used twice; {} crashes; {:.0f} s",
                  tally.found.total(), tally.found.overlaps, tally.crashes, took.count());
  if (tally.found.total() > 0) note += fmt::format("; first bad seed {}", tally.first_bad_seed);
  return row(name, reached, unit, goal, reached >= goal && tally.found.total() == 0, note);
}

json::object caught_bugs() {
  constexpr std::uint64_t kWanted = 12;
  std::uint64_t caught = 0;
  std::string note = fmt::format("of {}", seeded_bugs().size());
  for (const SeededBug& bug : seeded_bugs()) {
    if (is_caught(bug, run_seeded_bug(bug, 100'000))) {
      ++caught;
    } else {
      note += fmt::format("; not caught: {}", bug.name);
    }
  }
  const std::uint64_t goal = std::max<std::uint64_t>(seeded_bugs().size(), kWanted);
  return row("pool_seeded_bugs", caught, "caught", goal, caught == goal, note);
}

Explore backups(Restored which, bool replays) {
  return
      [=](Rules rules, std::uint64_t runs) { return explore_backups(rules, which, replays, runs); };
}

int run(int argc, char** argv) {
  CLI::App app{"The pool's crash harness, as figures"};
  std::uint64_t states = 1'000'000;
  std::uint64_t runs = 100'000;
  app.add_option("--states", states, "images of disks after a crash")->check(CLI::PositiveNumber);
  app.add_option("--runs", runs, "runs with a restored backup")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  const json::array results = {
      clean("pool_crash_states", states, "states", explore_crashes),
      clean("pool_disk_errors", states / 2, "states", explore_faults),
      clean("pool_restored_receiver", runs, "runs", backups(Restored::kReceiver, true)),
      clean("pool_restored_sender", runs, "runs", backups(Restored::kSender, false)),
      caught_bugs()};
  std::cout << json::serialize(json::object{{"results", results}}) << "\n";
  return std::ranges::all_of(results, [](const auto& one) { return one.at("ok").as_bool(); }) ? 0
                                                                                              : 1;
}

}  // namespace
}  // namespace warifu::sim

int main(int argc, char** argv) {
  return warifu::sim::run(argc, argv);
}
