// warifu-verify-cluster: runs of the simulated cluster (testing/cluster_run.h), as many as wanted,
// as figures.
//
//   warifu-verify-cluster [--seeds N] [--from S] [--threads T]
//   warifu-verify-cluster --trace SEED
//   --shape NAME and --burn-control 1 choose what the seed would
//
// Every run follows from its seed. Several threads are several processes: one takes every T-th
// seed, and one that dies of a broken invariant, or of a run without end, is a finding of its seed;
// another goes on behind it. --trace tells one run in words instead; the exit code is 1 when
// something was violated. Prints one JSON document, a row per promise, for tools/verify/control.py;
// the exit code is 1 when one does not hold.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include "base/log.h"
#include "secret/secret.h"
#include "testing/cluster_bugs.h"
#include "testing/cluster_run.h"
#include "tests/verify/flags.h"

namespace warifu::sim {
namespace {

namespace json = boost::json;
constexpr std::size_t kShownFindings = 20;

struct Wanted {
  std::uint64_t seeds = 1000;
  std::uint64_t from = 1;
  std::uint64_t threads = 1;
  std::uint64_t bug_seeds = 0;  // for each seeded bug; 0: none is tried
  std::optional<std::uint64_t> traced;
  ClusterRules rules;  // of every run, but for the seed

  [[nodiscard]] ClusterRules of(std::uint64_t seed) const {
    ClusterRules all = rules;
    all.seed = seed;
    return all;
  }
};

// What one lane of seeds has come to.
struct Lane {
  ClusterCounts counts;
  std::uint64_t done = 0, died = 0;
  std::uint64_t faultless = 0;  // runs in which nothing broke
  std::vector<std::string> findings;

  Lane& operator+=(const Lane& other) {
    counts += other.counts;
    done += other.done;
    died += other.died;
    faultless += other.faultless;
    findings.insert(findings.end(), other.findings.begin(), other.findings.end());
    return *this;
  }
};

// The child: a seed before its run, all counts behind it, findings as lines of text.
[[noreturn]] void run_seeds(int out, const Wanted& wanted, std::uint64_t from, std::uint64_t end,
                            std::uint64_t step) {
  FILE* const pipe = ::fdopen(out, "w");
  for (std::uint64_t seed = from; seed < end; seed += step) {
    fmt::print(pipe, "S {}\n", seed);
    std::fflush(pipe);
    const ClusterOutcome outcome = run_cluster(wanted.of(seed));
    for (const std::string& finding : outcome.findings) {
      fmt::print(pipe, "F seed {}: {}\n", seed, finding);
    }
    fmt::print(pipe, "D");
    for (const auto kinds : {cluster_violations(), cluster_faults(), cluster_work()}) {
      for (const CountKind& kind : kinds) fmt::print(pipe, " {}", outcome.counts.*kind.count);
    }
    fmt::print(pipe, "\n");
    std::fflush(pipe);
  }
  ::_exit(0);
}

ClusterCounts read_counts(const std::string& line) {
  ClusterCounts counts;
  std::istringstream text(line);
  for (const auto kinds : {cluster_violations(), cluster_faults(), cluster_work()}) {
    for (const CountKind& kind : kinds) text >> counts.*kind.count;
  }
  return counts;
}

// Reads what a child says; returns the seed that it died of.
std::optional<std::uint64_t> hear(int in, Lane& lane) {
  FILE* const pipe = ::fdopen(in, "r");
  std::optional<std::uint64_t> running;
  char* line = nullptr;
  std::size_t room = 0;
  while (::getline(&line, &room, pipe) > 0) {
    std::string text(line + 2);
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (line[0] == 'S') running = std::strtoull(text.c_str(), nullptr, 10);
    if (line[0] == 'F') lane.findings.push_back(text);
    if (line[0] != 'D') continue;
    const ClusterCounts counts = read_counts(text);
    lane.counts += counts;
    ++lane.done;
    const auto faults = cluster_faults();
    lane.faultless +=
        std::ranges::all_of(faults, [&](const CountKind& kind) { return counts.*kind.count == 0; });
    running.reset();
  }
  std::free(line);
  std::fclose(pipe);
  return running;
}

Lane run_lane(const Wanted& wanted, std::uint64_t from, std::uint64_t end, std::uint64_t step) {
  Lane lane;
  while (from < end) {
    int ends[2];
    WARIFU_CHECK(::pipe(ends) == 0);
    const pid_t child = ::fork();
    WARIFU_CHECK(child >= 0);
    if (child == 0) run_seeds(ends[1], wanted, from, end, step);
    ::close(ends[1]);
    const auto died = hear(ends[0], lane);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!died) break;
    ++lane.died;
    lane.findings.push_back(fmt::format("seed {}: the process died (status {})", *died, status));
    from = *died + step;
  }
  return lane;
}

Lane run_all(const Wanted& wanted) {
  std::vector<Lane> lanes(wanted.threads);
  {
    // Lanes are made before any of their threads runs, so no child inherits a foreign lock.
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < wanted.threads; ++i) {
      threads.emplace_back([&, i] {
        lanes[i] = run_lane(wanted, wanted.from + i, wanted.from + wanted.seeds, wanted.threads);
      });
    }
  }
  Lane sum;
  for (const Lane& lane : lanes) sum += lane;
  return sum;
}

json::object row(std::string_view name, std::uint64_t value, std::string_view unit,
                 std::uint64_t goal, bool ok, const std::string& note) {
  return {{"name", name}, {"value", value}, {"unit", unit},
          {"goal", goal}, {"ok", ok},       {"note", note}};
}

json::object bugs_row(std::uint64_t seeds) {
  std::uint64_t caught = 0;
  std::string said;
  for (const ClusterBug& bug : cluster_seeded_bugs()) {
    const auto seed = seed_that_shows(bug, seeds);
    caught += seed ? 1 : 0;
    said += fmt::format("{}{} {}", said.empty() ? "" : "; ", bug.name,
                        seed ? fmt::format("by seed {}", *seed) : std::string("not caught"));
  }
  const std::uint64_t all = cluster_seeded_bugs().size();
  return row("cluster_seeded_bugs", caught, "caught", all, caught == all, said);
}

int print_figures(const Wanted& wanted) {
  const auto start = std::chrono::steady_clock::now();
  const Lane all = run_all(wanted);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::vector<std::string> never;
  std::size_t kinds = 0;
  for (const auto list : {cluster_faults(), cluster_work()}) {
    for (const CountKind& kind : list) {
      if (kind.rare) continue;
      ++kinds;
      if (all.counts.*kind.count == 0) never.emplace_back(kind.name);
    }
  }
  const std::uint64_t bad = all.counts.violations() + all.died;
  std::string said;
  for (std::size_t i = 0; i < std::min(kShownFindings, all.findings.size()); ++i) {
    said += "; " + all.findings[i];
  }
  json::array rows;
  rows.push_back(row("cluster_simulated", bad, "violations", 0, bad == 0 && all.done > 0,
                     fmt::format("{} seeds from {} on, {:.0f} s; faults: {}; work: {}{}", all.done,
                                 wanted.from, seconds, counts_text(all.counts, cluster_faults()),
                                 counts_text(all.counts, cluster_work()), said)));
  rows.push_back(
      row("cluster_faults_met", kinds - never.size(), "kinds", kinds, never.empty(),
          fmt::format("kinds of faults and work that occurred; {} runs without a fault"
                      "{}{}",
                      all.faultless, never.empty() ? "" : "; never: ", fmt::join(never, ", "))));
  if (wanted.bug_seeds > 0) rows.push_back(bugs_row(wanted.bug_seeds));
  const bool sound =
      std::ranges::all_of(rows, [](const json::value& one) { return one.at("ok").as_bool(); });
  std::cout << json::serialize(json::object{{"results", rows}}) << "\n";
  return sound ? 0 : 1;
}

int tell(const Wanted& wanted, std::uint64_t seed) {
  ClusterRules rules = wanted.of(seed);
  rules.trace = &std::cout;
  const ClusterOutcome outcome = run_cluster(rules);
  std::cout << fmt::format("seed {}: {}\nfaults: {}\nwork: {}\ntrace {:016x}\n", seed,
                           counts_text(outcome.counts, cluster_violations()),
                           counts_text(outcome.counts, cluster_faults()),
                           counts_text(outcome.counts, cluster_work()), outcome.trace);
  return outcome.counts.violations() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace warifu::sim

int main(int argc, char** argv) {
  using namespace warifu;
  verify::Flags flags("Runs of the simulated cluster, as figures");
  sim::Wanted wanted;
  std::string log;
  flags.number("--seeds", wanted.seeds, "how many runs", 1);
  flags.number("--from", wanted.from, "the first seed");
  flags.number("--threads", wanted.threads, "processes at once", 1, 64);
  flags.number("--trace", wanted.traced, "tell the run of this seed in words");
  flags.number("--bugs", wanted.bug_seeds, "seeds to try for each seeded bug; 0: none is tried");
  flags.number("--burn-control", wanted.rules.burn_control,
               "1: the control site burns in every run", 0, 1);
  flags.text("--shape", wanted.rules.shape, "all runs in this network: direct, nested, relayed");
  flags.text("--log", log, "what the sites log, to this file; with --trace");
  if (const auto code = flags.parse(argc, argv)) return *code;
  const auto& shapes = sim::cluster_shapes();
  const bool known =
      wanted.rules.shape.empty() ||
      std::ranges::any_of(shapes, [&](const auto* one) { return one->name == wanted.rules.shape; });
  if (!known) {
    std::cerr << "--shape: there is no network '" << wanted.rules.shape << "'\n";
    return 2;
  }
  secret::allow_unlocked();  // simulated secrets
  const auto opened = init_log("cluster", log.empty() ? "/dev/null" : log,
                               log.empty() ? LogLevel::kError : LogLevel::kInfo);
  if (!opened) {
    std::cerr << opened.error().message << "\n";
    return 2;
  }
  return wanted.traced ? sim::tell(wanted, *wanted.traced) : sim::print_figures(wanted);
}
