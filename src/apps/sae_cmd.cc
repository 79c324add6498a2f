// `warifu sae`: applications that take keys at a site, and how many. Never a key.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/commands.h"
#include "apps/output.h"

namespace warifu::apps {

namespace json = boost::json;

Result<> sae_list(const Common& common) {
  ApiClient client(common.site);
  TRY_ASSIGN(const json::value answer, client.get("/v1/saes"));
  if (common.json) {
    print_json(answer.at("saes"));
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& sae : answer.at("saes").as_array()) {
    rows.push_back({text_of(sae, "id"), text_of(sae, "site"), text_of(sae, "reach"),
                    text_of(sae, "identity")});
  }
  print_table({"SAE", "SITE", "REACH", "CERTIFICATE"}, rows);
  return {};
}

Result<> sae_status(const Common& common) {
  ApiClient client(common.site);
  TRY_ASSIGN(const json::value answer, client.get("/v1/saes"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  fmt::print("site {} gives keys at {}\n", text_of(answer, "site"), text_of(answer, "listen"));
  std::vector<std::vector<std::string>> rows;
  for (const auto& made : answer.at("made").as_array()) {
    rows.push_back({text_of(made, "master"), text_of(made, "slave"),
                    std::to_string(number_of(made, "keys"))});
  }
  print_table({"MASTER HERE", "SLAVE", "KEYS SINCE START"}, rows);
  rows.clear();
  for (const auto& pair : answer.at("here").as_array()) {
    rows.push_back({text_of(pair, "master"), text_of(pair, "slave"),
                    std::to_string(number_of(pair, "waiting")),
                    std::to_string(number_of(pair, "delivered")),
                    std::to_string(number_of(pair, "expired")),
                    std::to_string(number_of(pair, "voided"))});
  }
  print_table({"MASTER", "SLAVE HERE", "WAITING", "DELIVERED", "EXPIRED", "VOIDED"}, rows);
  return {};
}

}  // namespace warifu::apps
