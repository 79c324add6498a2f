// warifu-verify-pools: the pool's crash harness and the two sites' with as many states as wanted,
// as figures.
//
//   warifu-verify-pools [--states N] [--runs N] [--only NAME] [--shard N]
//   warifu-verify-pools --only two_ends|two_ends_one_restored --seed N
//
// --only takes one row; --shard takes seeds that no other shard of any size meets, so that many
// processes, or many machines, share a long run and repeat only what was cut short.
// --seed tells one run in words, act by act, instead; the exit code is 1 when something was
// violated. Prints one JSON document, a row per promise, for tools/verify/kms.py; the exit code is
// 1 when one does not hold. Every run follows from its seed; the threads take different ones.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include "base/log.h"
#include "testing/pool_bugs.h"
#include "testing/site_runs.h"
#include "tests/verify/flags.h"

namespace warifu::sim {
namespace {

namespace json = boost::json;

// Seeds of different threads never meet.
constexpr std::uint64_t kSeedsApart = 1'000'000'000;
constexpr std::uint64_t kThreadsPerShard = 256;

using Explore = std::function<Tally(Rules rules, std::uint64_t amount)>;

// What the command line asks for.
struct Wanted {
  std::uint64_t states = 1'000'000;
  std::uint64_t runs = 100'000;
  std::uint64_t shard = 0;
  std::string only;  // empty: every row
  std::optional<std::uint64_t> seed;
};

// Calls explore(first seed, amount) in a thread per core and adds up what they return.
template <typename Sum, typename Run>
Sum on_all_cores(const Wanted& wanted, std::uint64_t amount, const Run& explore) {
  const std::uint64_t threads =
      std::clamp<std::uint64_t>(std::thread::hardware_concurrency(), 1, kThreadsPerShard);
  std::vector<Sum> tallies(threads);
  {
    std::vector<std::jthread> workers;
    for (std::uint64_t i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        const std::uint64_t seed = 1 + (wanted.shard * kThreadsPerShard + i) * kSeedsApart;
        tallies[i] = explore(seed, (amount + threads - 1) / threads);
      });
    }
  }
  return std::accumulate(tallies.begin(), tallies.end(), Sum{},
                         [](Sum sum, const Sum& one) { return sum += one; });
}

json::object row(std::string_view name, std::uint64_t value, std::string_view unit,
                 std::uint64_t goal, bool ok, std::string_view note) {
  return {{"name", name}, {"value", value}, {"unit", unit},
          {"goal", goal}, {"ok", ok},       {"note", note}};
}

// Nothing may be violated.
json::object clean(const Wanted& wanted, std::string_view name, std::uint64_t goal,
                   std::string_view unit, const Explore& explore) {
  const auto start = std::chrono::steady_clock::now();
  const Tally tally = on_all_cores<Tally>(
      wanted, goal,
      [&](std::uint64_t seed, std::uint64_t amount) { return explore({.seed = seed}, amount); });
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

// The same of both ends with all of their code.
json::object two_ends(const Wanted& wanted, std::string_view name, Rollback rollback) {
  const auto start = std::chrono::steady_clock::now();
  const SiteTally tally =
      on_all_cores<SiteTally>(wanted, wanted.runs, [&](std::uint64_t seed, std::uint64_t runs) {
        return explore_sites({.seed = seed, .rollback = rollback}, runs);
      });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::string note =
      fmt::format("{} violations ({}); {} crashes; {} uses; {:.0f} s", tally.found.total(),
                  tally_text(tally.found), tally.crashes, tally.uses, took.count());
  if (rollback != Rollback::kNone) {
    note +=
        fmt::format("; {} unaccepted ranges used again (threat model W6)", tally.prepared_again);
  }
  note += bad_seeds_text(tally);
  return row(name, tally.runs, "runs", wanted.runs, tally.found.total() == 0, note);
}

// One run of two ends in words.
int tell_seed(const Wanted& wanted) {
  const bool restored = wanted.only == "two_ends_one_restored";
  if (!restored && wanted.only != "two_ends") {
    std::cerr << "warifu-verify-pools: --seed tells one run of --only two_ends or --only "
                 "two_ends_one_restored\n";
    return 2;
  }
  const SiteTally tally = explore_sites({.seed = *wanted.seed,
                                         .rollback = restored ? Rollback::kOne : Rollback::kNone,
                                         .trace = &std::cout},
                                        1);
  std::cout << tally << "\n";
  return tally.found.total() == 0 ? 0 : 1;
}

json::object caught_site_bugs() {
  std::uint64_t caught = 0;
  std::string note = fmt::format("of {}", site_bugs().size());
  for (const SiteBug& bug : site_bugs()) {
    if (is_caught(bug, 20'000)) {
      ++caught;
    } else {
      note += fmt::format("; not caught: {}", bug.name);
    }
  }
  const std::uint64_t goal = site_bugs().size();
  return row("two_ends_seeded_bugs", caught, "caught", goal, caught == goal, note);
}

Explore backups(Restored which, bool replays) {
  return
      [=](Rules rules, std::uint64_t runs) { return explore_backups(rules, which, replays, runs); };
}

struct Row {
  std::string_view name;
  std::function<json::object(std::string_view name, const Wanted& wanted)> measure;
};

const Row kRows[] = {
    {"pool_crash_states",
     [](auto name, const Wanted& w) {
       return clean(w, name, w.states, "states", explore_crashes);
     }},
    {"pool_crash_in_recovery",
     [](auto name, const Wanted& w) {
       const std::uint64_t goal = w.only.empty() ? w.states / 10 : w.states;
       return clean(w, name, goal, "states", explore_recoveries);
     }},
    {"pool_disk_errors",
     [](auto name, const Wanted& w) {
       return clean(w, name, w.states / 2, "states",
                    [](Rules rules, std::uint64_t n) { return explore_faults(rules, n); });
     }},
    {"pool_restored_receiver",
     [](auto name, const Wanted& w) {
       return clean(w, name, w.runs, "runs", backups(Restored::kReceiver, true));
     }},
    {"pool_restored_sender",
     [](auto name, const Wanted& w) {
       return clean(w, name, w.runs, "runs", backups(Restored::kSender, false));
     }},
    {"pool_seeded_bugs", [](auto, const Wanted&) { return caught_bugs(); }},
    {"two_ends", [](auto name, const Wanted& w) { return two_ends(w, name, Rollback::kNone); }},
    {"two_ends_one_restored",
     [](auto name, const Wanted& w) { return two_ends(w, name, Rollback::kOne); }},
    {"two_ends_seeded_bugs", [](auto, const Wanted&) { return caught_site_bugs(); }},
};

int run(int argc, char** argv) {
  verify::Flags flags("The crash harnesses of pools and of two sites, as figures");
  Wanted wanted;
  flags.number("--states", wanted.states, "images of disks after a crash", 1);
  flags.number("--runs", wanted.runs, "runs of two sites, or with a restored backup", 1);
  flags.text("--only", wanted.only, "the one row to measure");
  flags.number("--shard", wanted.shard, "which seeds", 0, 70'000'000);
  flags.number("--seed", wanted.seed,
               "tell the run of this seed in words; with --only two_ends or two_ends_one_restored");
  if (const auto code = flags.parse(argc, argv)) return *code;
  (void)init_log("verify", "/dev/null", LogLevel::kError);  // simulated trouble is no news
  if (wanted.seed) return tell_seed(wanted);
  json::array results;
  for (const Row& row : kRows) {
    if (wanted.only.empty() || wanted.only == row.name) {
      results.push_back(row.measure(row.name, wanted));
    }
  }
  if (results.empty()) {
    std::cerr << "warifu-verify-pools: there is no row '" << wanted.only << "'\n";
    return 2;
  }
  std::cout << json::serialize(json::object{{"results", results}}) << "\n";
  return std::ranges::all_of(results, [](const auto& one) { return one.at("ok").as_bool(); }) ? 0
                                                                                              : 1;
}

}  // namespace
}  // namespace warifu::sim

int main(int argc, char** argv) {
  return warifu::sim::run(argc, argv);
}
