// `warifu request ask|list|show|cancel|refuse`.
#include "apps/request_cmd.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/consent_terminal.h"
#include "apps/output.h"
#include "apps/region_words.h"
#include "base/units.h"
#include "catalog/records.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

void show_request(const Common& common, const json::value& request) {
  if (common.json) return print_json(request);
  fmt::print("request {} is {}\n", text_of(request, "request"), text_of(request, "state"));
  std::string scope;
  for (const json::value& one : request.at("regions").as_array()) {
    scope += (scope.empty() ? "" : ", ") + std::string(one.as_string());
  }
  const std::pair<const char*, std::string> lines[] = {
      {"object", text_of(request, "object") + " (" + text_of(request, "object_label") + ")"},
      {"person", text_of(request, "person")},
      {"for", text_of(request, "grantee")},
      {"purpose", text_of(request, "purpose")},
      {"scope", scope.empty() ? "the whole object" : scope},
      {"at", text_of(request, "destination")},
      {"asked by", text_of(request, "asked_by")},
      {"note", text_of(request, "note")},
      {"waits until", text_of(request, "expires")},
      {"decided", text_of(request, "decided")},
      {"why", text_of(request, "why")},
      {"consent", text_of(request, "grant")}};
  for (const auto& [name, value] : lines) {
    if (!value.empty()) fmt::print("  {:<12} {}\n", name, value);
  }
}

Result<> act_on(const Common& common, const std::string& request, const char* what,
                const json::object& body) {
  TRY_ASSIGN(const auto id, catalog::RequestId::parse(request));
  ApiClient client(common);
  const std::string path = "/v1/requests/" + id.text();
  if (what == nullptr) {
    TRY_ASSIGN(const json::value answer, client.get(path));
    show_request(common, answer);
    return {};
  }
  TRY_ASSIGN(const json::value answer, client.post(path + "/" + what, body));
  show_request(common, answer);
  return {};
}

}  // namespace

Result<> request_ask(const Common& common, const RequestOptions& options) {
  TRY_ASSIGN(const std::string purpose, purpose_of(options.purpose));
  TRY_ASSIGN(const std::uint64_t valid, parse_duration(options.valid));
  TRY_ASSIGN(const std::uint64_t open, parse_duration(options.open));
  TRY_ASSIGN(const auto regions, regions_in_words(options.regions));
  json::object wish = {{"object", options.object},
                       {"person", options.person},
                       {"purpose", purpose},
                       {"grantee", options.grantee},
                       {"grantee_id", options.grantee_id},
                       {"data_use", texts_json(options.data_use)},
                       {"regions", texts_json(regions)},
                       {"decoys", options.decoys},
                       {"uses", options.uses},
                       {"valid_seconds", valid},
                       {"open_seconds", open},
                       {"note", options.note}};
  if (!options.destination.empty()) wish["destination"] = options.destination;
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.post("/v1/requests", wish));
  TRY(warn_of_destination(client, options.destination));
  show_request(common, answer);
  return {};
}

Result<> request_list(const Common& common, const std::string& person, const std::string& object) {
  std::string query;
  for (const auto& [name, value] : {std::pair{"person", person}, {"object", object}}) {
    if (value.empty()) continue;
    query += (query.empty() ? "?" : "&") + std::string(name) + "=" + url_text(value);
  }
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/requests" + query));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : answer.at("requests").as_array()) {
    rows.push_back({text_of(one, "request"), text_of(one, "person"), text_of(one, "grantee"),
                    text_of(one, "purpose"), text_of(one, "expires"), text_of(one, "state")});
  }
  print_table({"REQUEST", "PERSON", "FOR", "PURPOSE", "WAITS UNTIL", "STATE"}, rows);
  return {};
}

Result<> request_show(const Common& common, const std::string& request) {
  return act_on(common, request, nullptr, {});
}

Result<> request_cancel(const Common& common, const std::string& request) {
  return act_on(common, request, "cancel", {});
}

Result<> request_refuse(const Common& common, const std::string& request, const std::string& why) {
  return act_on(common, request, "refuse", {{"why", why}});
}

}  // namespace warifu::apps
