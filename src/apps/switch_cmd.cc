// `warifu keys use` and `warifu random use`: what an operator switches while a site runs.
#include "apps/switch_cmd.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/key_commands.h"
#include "apps/output.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

// "link tuh, transport", "application SAE-1", "random numbers for sharing".
std::string what_of(const json::value& entry) {
  const std::string what = text_of(entry, "what");
  const std::string name = text_of(entry, "name");
  if (what == "link") return "link to " + name + ", " + text_of(entry, "for");
  return (what == "sae" ? "application " : "random numbers for ") + name;
}

void show(const Common& common, const json::value& answer) {
  if (common.json) {
    print_json(answer);
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : answer.at("switches").as_array()) {
    rows.push_back({what_of(entry), text_of(entry, "value"), text_of(entry, "since"),
                    entry.at("in_force").as_bool() ? "" : "not in force"});
  }
  if (rows.empty()) {
    fmt::print("nothing is switched: the configuration decides\n");
  } else {
    print_table({"SWITCH", "VALUE", "SINCE", ""}, rows);
  }
}

Result<> change(const Common& common, const json::object& body) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.post("/v1/switches", body));
  show(common, answer);
  return {};
}

Result<> list_switches(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/switches"));
  show(common, answer);
  return {};
}

}  // namespace

Result<> keys_use(const Common& common, const SwitchOptions& options) {
  const bool none = options.link.empty() && options.use.empty() && options.value.empty();
  if (none) return list_switches(common);
  if (options.link.empty() || options.use.empty() || options.value.empty()) {
    return fail(Code::kInvalidArgument,
                "say --link SITE, --for sharing, transport or applications, and the value");
  }
  return change(common, {{"link", options.link}, {"for", options.use}, {"value", options.value}});
}

Result<> random_use(const Common& common, const SwitchOptions& options) {
  if (options.use.empty() && options.value.empty()) return list_switches(common);
  if (options.use.empty() || options.value.empty()) {
    return fail(Code::kInvalidArgument,
                "say --for sharing, applications or relaying, and the value");
  }
  return change(common, {{"random", options.use}, {"value", options.value}});
}

void print_link_switches(const json::value& answer) {
  for (const auto& link : answer.at("links").as_array()) {
    for (const auto& [use, entry] : link.at("switches").as_object()) {
      fmt::print("link to {}: {} is switched to {} since {}\n", text_of(link, "peer"),
                 std::string_view(use), text_of(entry, "value"), text_of(entry, "since"));
    }
  }
}

}  // namespace warifu::apps
