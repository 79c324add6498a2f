// `warifu bench`: figures with their goals, as a table or as JSON.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include <boost/json.hpp>

#include "apps/local_commands.h"
#include "apps/output.h"
#include "base/units.h"
#include "measure/measure.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::atomic<bool> bench_stopped = false;

void take_stop_signals() {
  struct sigaction action{};  // without SA_RESTART: waiting for a child ends
  action.sa_handler = [](int) { bench_stopped = true; };
  (void)::sigaction(SIGINT, &action, nullptr);
  (void)::sigaction(SIGTERM, &action, nullptr);
}

json::object figure_json(const measure::Figure& figure) {
  json::object object = {{"name", figure.name}, {"measured", figure.measured}};
  object["value"] = figure.measured ? json::value(figure.value) : json::value(nullptr);
  object["unit"] = figure.unit;
  object["ratio"] = figure.ratio > 0 ? json::value(figure.ratio) : json::value(nullptr);
  object["against"] = figure.against;
  object["goal"] = figure.goal > 0 ? json::value(figure.goal) : json::value(nullptr);
  object["met"] =
      figure.goal > 0 && figure.measured ? json::value(figure.met()) : json::value(nullptr);
  object["note"] = figure.note;
  return object;
}

std::vector<std::string> row_of(const measure::Figure& figure) {
  if (!figure.measured) return {figure.name, "-", "-", "-", "-", figure.note};
  return {
      figure.name,
      fmt::format("{:.3g} {}", figure.value, figure.unit),
      figure.ratio > 0 ? fmt::format("{:.2f}", figure.ratio) : "-",
      figure.goal > 0 ? fmt::format("{}{:g}", figure.at_most ? "<= " : "", figure.goal) : "-",
      figure.goal > 0 ? (figure.met() ? "yes" : "NO") : "-",
      figure.against + (figure.note.empty() || figure.against.empty() ? "" : "; ") + figure.note};
}

Result<std::vector<measure::Measurement>> choose(const BenchOptions& options) {
  std::vector<measure::Measurement> all = measure::all_measurements();
  if (options.only.empty()) {
    if (!options.all) std::erase_if(all, [](const auto& one) { return one.minutes; });
    return all;
  }
  std::vector<measure::Measurement> chosen;
  for (const std::string& name : options.only) {
    const auto it = std::ranges::find(all, name, &measure::Measurement::name);
    if (it == all.end()) {
      return fail(Code::kInvalidArgument,
                  "--only '" + name + "': warifu bench --list has the names");
    }
    chosen.push_back(*it);
  }
  return chosen;
}

void print_list(bool as_json) {
  json::array list;
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : measure::all_measurements()) {
    list.push_back({{"name", one.name}, {"what", one.what}, {"minutes", one.minutes}});
    rows.push_back({one.name, one.minutes ? "minutes" : "< 1 min", one.what});
  }
  if (as_json) {
    print_json({{"measurements", list}});
  } else {
    print_table({"NAME", "TAKES", "WHAT"}, rows);
  }
}

void print_results(const Common& common, const std::string& dir,
                   const std::vector<measure::Figure>& figures) {
  const auto facts = measure::machine(dir);
  if (common.json) {
    json::object machine;
    for (const auto& [key, value] : facts) machine[key] = value;
    json::array results;
    for (const auto& figure : figures) results.push_back(figure_json(figure));
    print_json({{"machine", machine}, {"results", results}});
    return;
  }
  for (const auto& [key, value] : facts) fmt::print("{:<8} {}\n", key, value);
  fmt::print("\n");
  std::vector<std::vector<std::string>> rows;
  for (const auto& figure : figures) rows.push_back(row_of(figure));
  print_table({"FIGURE", "VALUE", "RATIO", "GOAL", "MET", "AGAINST; NOTE"}, rows);
}

}  // namespace

Result<> bench(const Common& common, const BenchOptions& options) {
  if (options.list) {
    print_list(common.json);
    return {};
  }
  TRY_ASSIGN(const auto chosen, choose(options));
  std::error_code error;
  measure::Settings settings{
      .dir = std::filesystem::absolute(options.dir, error).lexically_normal().string(),
      .program = std::filesystem::read_symlink("/proc/self/exe", error).string(),
      .quick = options.quick,
      .stop = &bench_stopped,
      .tell = [](const std::string& what) {
        if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "{}\n", what);
      }};
  if (!options.size.empty()) {
    TRY_ASSIGN(settings.size, parse_size(options.size));
  }
  if (!std::filesystem::is_directory(settings.dir, error)) {
    return fail(Code::kNotFound, "--dir '" + settings.dir + "' is no folder");
  }
  take_stop_signals();
  std::vector<measure::Figure> figures;
  for (const auto& one : chosen) {
    settings.tell("measuring " + one.name);
    auto measured = one.run(settings);
    if (!measured && measured.error().code == Code::kCancelled) {
      return fail(Code::kCancelled, "stopped; the scratch files are removed");
    }
    if (!measured) {
      measure::Figure failed;
      failed.name = one.name;
      failed.measured = false;
      failed.note = "failed: " + measured.error().message;
      measured = std::vector{failed};
    }
    figures.insert(figures.end(), measured->begin(), measured->end());
  }
  print_results(common, settings.dir, figures);
  const bool failed = std::ranges::any_of(
      figures, [](const auto& figure) { return figure.note.starts_with("failed: "); });
  if (failed) return fail(Code::kIo, "some figures could not be measured");
  return {};
}

}  // namespace warifu::apps
