// `warifu plan`: where an object would go, or why it went where it is.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/object_commands.h"
#include "apps/output.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::string hours_text(const json::value& plan) {
  const json::value& hours = plan.at("hours_for_key");
  if (hours.is_null()) return "key never comes";
  const double value = hours.to_number<double>();
  return value == 0 ? "key is there" : "key in " + human_seconds(value * 3600);
}

std::string cost_text(const json::value& plan) {
  return fmt::format("{} of key, {}, price {:.3g}", human_bytes(number_of(plan, "key_bytes")),
                     hours_text(plan), plan.at("price").to_number<double>());
}

void print_plan(const json::value& plan) {
  std::vector<std::vector<std::string>> rows;
  for (const json::value& share : plan.at("shares").as_array()) {
    rows.push_back({text_of(share, "share"),
                    text_of(share, "site") + (share.at("cut_again").as_bool() ? ", cut again" : ""),
                    text_of(share, "route")});
  }
  print_table({"SHARE", "SITE", "ROUTE"}, rows);
}

// Plans of objects that were stored before there were failure domains have none.
void print_domains(const json::value& plan) {
  const json::value* domains = plan.as_object().if_contains("failure_domains");
  if (domains == nullptr || domains->as_array().empty()) return;
  fmt::print("\nfailure domains\n");
  std::vector<std::vector<std::string>> rows;
  for (const json::value& domain : domains->as_array()) {
    std::string shares;
    for (const json::value& share : domain.at("shares").as_array()) {
      shares += (shares.empty() ? "" : ", ") + std::string(share.as_string());
    }
    rows.push_back({text_of(domain, "domain"), shares,
                    fmt::format("{}, needed {}", number_of(domain, "left_without_it"),
                                number_of(domain, "needed"))});
  }
  print_table({"DOMAIN", "SHARES", "LEFT WITHOUT IT"}, rows);
}

void print_why(const json::value& plan) {
  fmt::print("\nlinks it uses\n");
  std::vector<std::vector<std::string>> rows;
  for (const json::value& link : plan.at("chosen").at("links").as_array()) {
    rows.push_back({text_of(link, "from") + " > " + text_of(link, "to"),
                    human_bytes(number_of(link, "bytes")),
                    human_bytes(number_of(link, "residual_bytes")),
                    fmt::format("{:.3g}", link.at("price").to_number<double>())});
  }
  print_table({"LINK", "CARRIES", "RESIDUAL KEY", "PRICE"}, rows);
  const json::value& other = plan.at("runner_up");
  if (other.is_null()) {
    fmt::print("\nrunner-up: none; no other set of sites is legal\n");
  } else {
    fmt::print("\nrunner-up: {}\n", cost_text(other));
    print_plan(other);
  }
  const std::string excluded = text_of(plan, "excluded");
  if (!excluded.empty()) fmt::print("\nexcluded: {}\n", excluded);
  for (const json::value& site : plan.at("inputs").at("missing").as_array()) {
    fmt::print("missing: {}\n", text_of(site, "why"));
  }
  print_domains(plan);
}

}  // namespace

Result<> plan(const Common& common, const PlanOptions& options) {
  if (options.object.empty() == options.size.empty()) {
    return fail(Code::kInvalidArgument, "name an object that is stored, or give --size");
  }
  std::string path = "/v1/objects/" + url_text(options.object) + "/plan";
  if (options.object.empty()) {
    TRY_ASSIGN(const std::uint64_t bytes, parse_size(options.size));
    path = fmt::format("/v1/plan?bytes={}", bytes);
    if (!options.policy.empty()) path += "&policy=" + url_text(options.policy);
  } else if (!options.policy.empty()) {
    return fail(Code::kInvalidArgument, "--policy goes with --size; an object has its policy");
  }
  ApiClient client(common);
  TRY_ASSIGN(const json::value plan, client.get(path));
  if (common.json) {
    print_json(plan);
    return {};
  }
  fmt::print("{} under {}\n{}\n", human_bytes(number_of(plan, "bytes")), text_of(plan, "policy"),
             cost_text(plan.at("chosen")));
  print_plan(plan.at("chosen"));
  const json::value* fragile = plan.as_object().if_contains("fragile");
  if (fragile != nullptr && fragile->as_bool()) {
    fmt::print("fragile: the loss of one site or failure domain may lose the object\n");
  }
  if (options.why) print_why(plan);
  return {};
}

}  // namespace warifu::apps
