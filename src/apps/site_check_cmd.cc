// `warifu site check`: a configuration is read as `site run` reads it, and a policy is judged
// against the network in it. Nothing is opened and nothing is started.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_front.h"
#include "apps/output.h"
#include "apps/site_commands.h"
#include "genome/tool.h"
#include "os/files.h"
#include "planner/policy_check.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

Result<planner::PolicyReport> judge(const config::SiteConfig& config, const std::string& wished) {
  if (wished.empty()) return planner::check_own_policy(config);
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(wished));
  return planner::check_policy(policy, config);
}

void print_policy(const planner::PolicyReport& report) {
  fmt::print("policy {}\n", report.policy);
  fmt::print("  sites that may be lost at any moment of a store, whichever: {}\n",
             report.may_be_lost);
  fmt::print("  fewest sites that together could restore: {}\n", report.must_collude);
  fmt::print("  levels of nesting: {}\n", report.nesting);
  for (const std::string& warning : report.warnings) fmt::print("  warning: {}\n", warning);
}

void print_break_glass(const config::SiteConfig& config) {
  if (!config.break_glass) {
    fmt::print("emergencies: this site opens nothing without the person's card\n");
    return;
  }
  fmt::print("emergencies: {} of {} officers' cards together open what its person has allowed\n",
             config.break_glass->needed, config.break_glass->officers.size());
}

void print_operators(const config::SiteConfig& config) {
  print_break_glass(config);
  if (!config.operators) {
    fmt::print("{}\n", single_operator_text());
    return;
  }
  fmt::print("operators\n");
  for (const operators::Account& one : config.operators->accounts) {
    fmt::print("  {}: {}\n", one.name, fmt::join(one.roles.names(), ", "));
  }
}

// What is needed only when somebody asks for a region, so that no start shows that it is missing.
Result<> check_genome_files(const config::SiteConfig& config) {
  os::FileSystem& files = os::real_files();
  for (const auto& [assembly, fasta] : config.reference_files) {
    for (const std::string& path : {fasta, fasta + ".fai"}) {
      if (files.exists(path)) continue;
      return fail(Code::kNotFound, fmt::format("{}: genome.references: '{}' of {} is not there",
                                               config.path, path, assembly));
    }
  }
  const std::string helper = genome::helper_program();
  if (!config.is_controller() || files.exists(helper)) return {};
  return fail(Code::kNotFound, "'" + helper + "', which reads genome files, is not there");
}

}  // namespace

Result<> site_check(const Common& common, const CheckOptions& options) {
  TRY_ASSIGN(const config::SiteConfig config, config::load_site_config(options.config));
  TRY(consent::SignatureTrust::open(os::real_files(), config.signature_cards));
  TRY(check_genome_files(config));
  json::object answer = {{"config", options.config},
                         {"site", config.name.text()},
                         {"controller", config.controller.text()}};
  answer["operators"] = config.operators ? config.operators->accounts.size() : 0;
  answer["single_operator"] = !config.operators;
  answer["break_glass"] = config.break_glass.has_value();
  // Other sites place nothing; a policy is theirs to judge only when it is asked for.
  if (!config.is_controller() && options.policy.empty()) {
    if (common.json) {
      print_json(answer);
    } else {
      fmt::print("site {}: the configuration is sound\n", config.name.text());
      print_operators(config);
    }
    return {};
  }
  TRY_ASSIGN(const planner::PolicyReport report, judge(config, options.policy));
  if (!common.json) {
    fmt::print("site {}: the configuration is sound\n", config.name.text());
    print_operators(config);
    print_policy(report);
    return {};
  }
  answer["policy"] = report.policy;
  answer["fragile"] = report.fragile;
  answer["nesting"] = report.nesting;
  answer["sites_that_may_be_lost"] = report.may_be_lost;
  answer["sites_that_could_restore"] = report.must_collude;
  answer["warnings"] = json::array(report.warnings.begin(), report.warnings.end());
  print_json(answer);
  return {};
}

}  // namespace warifu::apps
