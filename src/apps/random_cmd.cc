// `warifu random import|status|test|readmit`: the random numbers of a site and their sources.
#include <fmt/format.h>

#include <filesystem>

#include <boost/json.hpp>

#include "api/random_json.h"
#include "apps/api_client.h"
#include "apps/key_commands.h"
#include "apps/output.h"
#include "apps/random_sources.h"
#include "base/log.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

void print_sources(const json::array& sources) {
  std::vector<std::vector<std::string>> rows;
  for (const json::value& source : sources) {
    rows.push_back(
        {text_of(source, "name"), text_of(source, "state"), text_of(source, "origin"),
         fmt::format("{:g}", source.at("min_entropy_per_byte").to_number<double>()),
         human_bytes(number_of(source, "raw_bytes")), human_bytes(number_of(source, "bytes")),
         fmt::format("{} in a row, {} of {}", number_of(source, "repetition_cutoff"),
                     number_of(source, "proportion_cutoff"),
                     number_of(source, "proportion_window")),
         std::to_string(number_of(source, "failures")), text_of(source, "last_failure")});
  }
  print_table({"SOURCE", "STATE", "ORIGIN", "BITS/BYTE", "READ", "GIVEN", "CUTOFFS", "FAILURES",
               "LAST FAILURE"},
              rows);
  for (const json::value& source : sources) {
    if (!text_of(source, "problem").empty()) fmt::print("  {}\n", text_of(source, "problem"));
  }
}

// The error of the first source that failed a test or cannot be read; a failure counts more.
Result<> verdict(const json::array& sources) {
  Result<> worst;
  for (const json::value& source : sources) {
    const std::string state = text_of(source, "state");
    if (state == "failed") {
      return fail(Code::kRefused, "random numbers: " + text_of(source, "problem"));
    }
    if (state == "unavailable" && worst) {
      worst = fail(Code::kUnavailable, "random numbers: " + text_of(source, "problem"));
    }
  }
  return worst;
}

void show(const Common& common, const json::value& answer) {
  if (common.json) {
    print_json(answer);
    return;
  }
  std::string origins;
  for (const auto& origin : answer.at("origins").as_array()) {
    origins += (origins.empty() ? "" : "+") + std::string(origin.as_string());
  }
  print_table({"SITE", "SOURCE", "AVAILABLE", "USED", "FROM"},
              {{text_of(answer, "site"), text_of(answer, "source"),
                human_bytes(number_of(answer, "available_bytes")),
                human_bytes(number_of(answer, "used_bytes")), origins}});
  for (const char* use : {"sharing", "applications", "relaying"}) {
    const std::string from = text_of(answer, (std::string("for_") + use).c_str());
    if (from != text_of(answer, "source")) fmt::print("{}: switched to {}\n", use, from);
  }
  if (!answer.at("sources").as_array().empty()) {
    fmt::print("\n");
    print_sources(answer.at("sources").as_array());
  }
}

// The sources that `random test` is about.
Result<std::vector<config::RandomSourceConfig>> chosen(const Common& common,
                                                       const RandomTestOptions& options) {
  std::vector<config::RandomSourceConfig> sources;
  if (!common.site.empty()) {
    if (!options.kind.empty()) {
      return fail(Code::kInvalidArgument, "--kind describes a source without --site");
    }
    TRY_ASSIGN(const auto config, config::load_site_config(common.site + "/site.toml"));
    for (const auto& source : config.random_sources) {
      if (options.source.empty() || source.settings.name == options.source) {
        sources.push_back(source);
      }
    }
    if (!sources.empty()) return sources;
    return fail(Code::kNotFound,
                options.source.empty()
                    ? "'" + config.path + "' has no [[random.source]]"
                    : "'" + config.path + "' has no source '" + options.source + "'");
  }
  if (!options.source.empty()) {
    return fail(Code::kInvalidArgument, "--source names a source of a --site");
  }
  if (options.kind.empty()) {
    sources.resize(2);
    sources[1].kind = config::RandomKind::kCpu;
    sources[1].settings.origin = keypool::Origin::kCpu;
  } else {
    sources.resize(1);
    TRY_ASSIGN(sources[0].kind, config::parse_random_kind(options.kind));
    sources[0].file = options.path;
  }
  for (auto& source : sources) {
    const bool wants_path =
        source.kind == config::RandomKind::kDevice || source.kind == config::RandomKind::kFile;
    if (source.kind == config::RandomKind::kQkd) {
      return fail(Code::kInvalidArgument, "a qkd device is tested with --site, which has its keys");
    }
    if (wants_path == options.path.empty()) {
      return fail(Code::kInvalidArgument,
                  wants_path ? "this kind needs --path" : "--path is for a device or a file");
    }
    if (wants_path) source.settings.origin = keypool::Origin::kHardware;
    source.settings.name = config::random_kind_name(source.kind);
    source.settings.alpha_log2 = options.alpha;
    if (options.min_entropy != 0) source.settings.min_entropy = options.min_entropy;
    if (wants_path && options.min_entropy == 0) {
      return fail(Code::kInvalidArgument, "this kind needs --min-entropy");
    }
  }
  return sources;
}

Result<> check_numbers(const RandomTestOptions& options) {
  if (options.min_entropy != 0 && !(options.min_entropy >= entropy::kLeastMinEntropy &&
                                    options.min_entropy <= entropy::kFullEntropy)) {
    return fail(Code::kInvalidArgument, "--min-entropy must be from 0.1 to 8 bits per byte");
  }
  if (options.alpha < entropy::kLeastAlpha || options.alpha > entropy::kMostAlpha) {
    return fail(Code::kInvalidArgument, "--alpha must be from 20 to 40");
  }
  return {};
}

}  // namespace

Result<> random_import(const Common& common, const RandomImportOptions& options) {
  ApiClient client(common);
  std::error_code ignored;
  const std::string path = std::filesystem::absolute(options.file, ignored).string();
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/random/import",
                         {{"path", path}, {"origin", options.origin}, {"wipe", options.wipe}}));
  show(common, answer);
  return {};
}

Result<> random_status(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/random"));
  show(common, answer);
  return verdict(answer.at("sources").as_array());
}

Result<> random_readmit(const Common& common, const RandomTestOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/random/readmit", {{"source", options.source}}));
  show(common, answer);
  return {};
}

Result<> random_test(const Common& common, const RandomTestOptions& options) {
  TRY(check_numbers(options));
  TRY(init_log("warifu", "", LogLevel::kError));  // standard output is for the result
  TRY_ASSIGN(const std::uint64_t bytes, parse_size(options.bytes));
  TRY_ASSIGN(const auto sources, chosen(common, options));
  json::array tested;
  secret::Buffer numbers(64 * 1024);
  for (const auto& source : sources) {
    TRY_ASSIGN(auto feed, open_feed(os::real_system(), source, "", "the command line"));
    Result<> good = feed->start();
    for (std::uint64_t made = 0; good && made < bytes; made += numbers.size()) {
      good = feed->take(numbers.bytes());
    }
    tested.push_back(api::to_json(feed->status()));
  }
  if (common.json) {
    print_json(json::object{{"sources", tested}});
  } else {
    print_sources(tested);
  }
  return verdict(tested);
}

}  // namespace warifu::apps
