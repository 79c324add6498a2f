// `warifu simulate`: what a network could store per day, with the planner that stores use.
//
// Needs no site. Files are written when all is known, each one whole or not at all.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include <boost/json.hpp>

#include "apps/local_commands.h"
#include "apps/output.h"
#include "base/units.h"
#include "simulate/report.h"

namespace warifu::apps {
namespace {

using namespace warifu::simulate;

// "a,b,c" in parts.
std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

Result<std::vector<std::size_t>> variants_of(const std::string& list, const ModelNetwork& network) {
  std::vector<std::size_t> variants;
  for (const std::string& part : parts_of(list)) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || end != part.data() + part.size() || number == 0 ||
        number > network.variants()) {
      return fail(Code::kInvalidArgument, fmt::format("--networks '{}': network '{}' has 1 to {}",
                                                      part, network.name, network.variants()));
    }
    if (std::ranges::find(variants, number - 1) == variants.end()) variants.push_back(number - 1);
  }
  return variants;
}

Result<StudyOptions> study_options(const SimulateOptions& options, const ModelNetwork& network) {
  StudyOptions study;
  TRY_ASSIGN(study.variants, variants_of(options.networks, network));
  study.policies.clear();
  for (const std::string& part : parts_of(options.policies)) {
    const auto policy = parse_placing_policy(part);
    if (!policy) return fail_in("--policies", policy.error());
    if (std::ranges::find(study.policies, *policy) == study.policies.end()) {
      study.policies.push_back(*policy);
    }
  }
  study.rule_on = options.exposure != "off";
  study.rule_off = options.exposure != "on";
  study.setting.days = options.days;
  study.setting.seed = options.seed;
  study.setting.failures = options.failures;
  study.setting.restores = options.restores;
  study.setting.directions =
      options.directions == "shared" ? Directions::kShared : Directions::kOwnHalf;
  study.couriers = options.couriers;
  const auto bytes = parse_size(options.size);
  if (!bytes) return fail_in("--size", bytes.error());
  study.object_bytes = *bytes;
  TRY(check_options(network, study));
  return study;
}

// A line on standard error, rewritten in place, with the time that is left.
class Told {
 public:
  void show(double done, const std::string& what) {
    if (!terminal_) return;
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    std::string line = fmt::format("{:3.0f} %  {}", done * 100, what);
    if (done > 0.02 && seconds > 1) {
      line += fmt::format(", {} left", human_seconds(seconds * (1 - done) / done));
    }
    fmt::print(stderr, "\r{:<{}}", line, width_);
    std::fflush(stderr);
    width_ = std::max(width_, line.size());
  }
  ~Told() {
    if (width_ > 0) fmt::print(stderr, "\r{:{}}\r", "", width_);
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  std::size_t width_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void print_results(const Study& study) {
  std::vector<std::vector<std::string>> rows;
  for (const PolicyResult& one : study.results) {
    const Outcome& outcome = one.sustained.outcome;
    const BoundResult* bound = study.bound(one.variant, one.rule);
    const double rate = one.sustained.persons_per_day;
    rows.push_back({row_title(one.policy, one.rule), fmt::format("{}", one.variant + 1),
                    fmt::format("{:.2f}", rate),
                    bound == nullptr || bound->bound.persons_per_day <= 0
                        ? "-"
                        : fmt::format("{:.0f} %", 100 * rate / bound->bound.persons_per_day),
                    fmt::format("{:.0f} %", outcome.wasted() * 100),
                    fmt::format("{:.2f}", outcome.hops_per_person()),
                    fmt::format("{:.1f} %", outcome.exposed_share() * 100)});
  }
  for (const BoundResult& one : study.bounds) {
    rows.push_back({one.rule == ExposureRule::kOn ? "bound" : "bound, rule off",
                    fmt::format("{}", one.variant + 1),
                    fmt::format("{:.2f}", one.bound.persons_per_day), "-", "-", "-", "-"});
  }
  print_table({"POLICY", "NETWORK", "PERSONS/DAY", "OF BOUND", "KEY LOST", "HOPS", "EXPOSED"},
              rows);
  fmt::print("\nEXPOSED: objects that one relay alone could restore\n");
}

void print_couriers(const ModelNetwork& network, const Study& study) {
  std::vector<std::vector<std::string>> rows;
  for (const CourierResult& one : study.couriers) {
    rows.push_back({fmt::format("{}", one.couriers),
                    one.link ? network.link_title(*one.link) : std::string("-"),
                    fmt::format("{:.1f}", one.shadow_price), fmt::format("{:.1f}", one.bound),
                    fmt::format("{:.1f}", one.bound_off),
                    fmt::format("{:.1f}", one.persons_per_day)});
  }
  fmt::print("\n16 TB of random numbers a week, by courier, on network {}\n",
             study.options.variants.front() + 1);
  print_table({"COURIERS", "THE LAST ONE ON", "WORTH", "BOUND", "BOUND, RULE OFF", "SIMULATED"},
              rows);
  fmt::print("\nWORTH: persons per day for one share per day more on that link\n");
}

// Before hours of work, not behind them.
Result<> check_folder(const char* option, const std::string& path) {
  if (path.empty() || path == "-" || os::real_files().exists(os::parent_of(path))) return {};
  return fail(Code::kIo, fmt::format("{} '{}': there is no such folder", option, path));
}

Result<> write_file(const std::string& path, const std::string& text) {
  if (path.empty() || path == "-") return {};
  return os::replace_file(os::real_files(), path, as_bytes(text));
}

}  // namespace

Result<> simulate_network(const SimulateOptions& options) {
  if (options.print_network) {
    fmt::print("{}", japan50_text());
    return {};
  }
  ModelNetwork network = japan50();
  if (!options.network.empty()) {
    TRY_ASSIGN(network, load_network(os::real_files(), options.network));
  }
  TRY_ASSIGN(const StudyOptions study_of, study_options(options, network));
  TRY(check_folder("--json", options.json));
  TRY(check_folder("--html", options.html));
  Result<Study> study = fail(Code::kCancelled, "not run");
  {
    Told told;
    study = run_study(network, study_of,
                      [&](double done, const std::string& what) { told.show(done, what); });
  }
  if (!study) return std::unexpected(study.error());
  const std::string document = boost::json::serialize(study_json(network, *study)) + "\n";
  TRY(write_file(options.json, document));
  TRY(write_file(options.html, study_html(network, *study)));
  if (options.json == "-") {
    fmt::print("{}", document);
    return {};
  }
  fmt::print("{}\n{}\n\n", network.title, kStudyLabel);
  print_results(*study);
  if (!study->couriers.empty()) print_couriers(network, *study);
  return {};
}

}  // namespace warifu::apps
