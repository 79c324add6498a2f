// `warifu sae`: applications that take keys at a site, and how many. Never a key.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/key_commands.h"
#include "apps/output.h"
#include "base/units.h"

namespace warifu::apps {

namespace json = boost::json;

namespace {

// "812.0 kB of 1.0 MB an hour".
std::string quota_text(const json::value& sae) {
  const std::uint64_t quota = number_of(sae, "quota_bytes_per_hour");
  if (quota == 0) return "";
  return human_bytes(number_of(sae, "quota_bytes_left")) + " of " + human_bytes(quota) + " an hour";
}

}  // namespace

Result<> sae_list(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/saes"));
  if (common.json) {
    print_json(answer.at("saes"));
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& sae : answer.at("saes").as_array()) {
    rows.push_back({text_of(sae, "id"), text_of(sae, "site"), text_of(sae, "reach"),
                    sae.at("paused").as_bool() ? "paused" : "", quota_text(sae),
                    text_of(sae, "identity")});
  }
  print_table({"SAE", "SITE", "REACH", "STATE", "QUOTA LEFT", "CERTIFICATE"}, rows);
  return {};
}

Result<> sae_status(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/saes"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  fmt::print("site {} gives keys at {}\n", text_of(answer, "site"), text_of(answer, "listen"));
  for (const auto& link : answer.at("paused_links").as_array()) {
    fmt::print("applications' use of the link to {} is paused\n", link.as_string().c_str());
  }
  for (const auto& sae : answer.at("saes").as_array()) {
    const std::string quota = quota_text(sae);
    if (!quota.empty()) fmt::print("{}: {} left\n", text_of(sae, "id"), quota);
    if (sae.at("paused").as_bool()) fmt::print("{} is paused\n", text_of(sae, "id"));
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& made : answer.at("made").as_array()) {
    rows.push_back(
        {text_of(made, "master"), text_of(made, "slave"), std::to_string(number_of(made, "keys"))});
  }
  print_table({"MASTER HERE", "SLAVE", "KEYS SINCE START"}, rows);
  rows.clear();
  for (const auto& pair : answer.at("here").as_array()) {
    rows.push_back(
        {text_of(pair, "master"), text_of(pair, "slave"),
         std::to_string(number_of(pair, "waiting")), std::to_string(number_of(pair, "delivered")),
         std::to_string(number_of(pair, "expired")), std::to_string(number_of(pair, "voided"))});
  }
  print_table({"MASTER", "SLAVE HERE", "WAITING", "DELIVERED", "EXPIRED", "VOIDED"}, rows);
  return {};
}

Result<> sae_pause(const Common& common, const SaePauseOptions& options, bool paused) {
  if (options.id.empty() == options.link.empty()) {
    return fail(Code::kInvalidArgument, "name an application or --link SITE");
  }
  ApiClient client(common);
  json::object body{{"paused", paused}};
  if (options.link.empty()) {
    body["sae"] = options.id;
  } else {
    body["link"] = options.link;
  }
  TRY_ASSIGN(const json::value answer, client.post("/v1/saes/pause", body));
  if (common.json) print_json(answer);
  return {};
}

}  // namespace warifu::apps
