// `warifu web status|code|sessions|end`: the pages of a site.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/api_front.h"
#include "apps/output.h"
#include "apps/site_commands.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::string or_none(const std::string& text) {
  return text.empty() ? "none" : text;
}

}  // namespace

Result<> web_status(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/web"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  const auto count = [&](const char* name) { return answer.at(name).to_number<std::int64_t>(); };
  const std::string listen = text_of(answer, "listen"), tls = text_of(answer, "tls_listen");
  fmt::print("site {}\n", text_of(answer, "site"));
  fmt::print("  pages in this program  {}\n",
             count("pages") == 0 ? "none (built with WARIFU_WEB=OFF)" : "yes");
  fmt::print("  on this machine        {}\n",
             or_none(listen.empty() ? "" : "http://" + listen + "/"));
  fmt::print("  for operators' own     {}\n", or_none(tls.empty() ? "" : "https://" + tls + "/"));
  fmt::print("  sessions               {}\n", count("sessions"));
  fmt::print("  following              {}\n", count("followers"));
  if (answer.at("single_operator").as_bool()) fmt::print("{}\n", single_operator_text());
  return {};
}

Result<> web_code(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.post("/v1/web/code", json::object()));
  if (common.json) {
    print_json(answer);
    return {};
  }
  fmt::print("{}\n", text_of(answer, "code"));
  fmt::print(stderr, "type it at {} within {} seconds; it works once\n", text_of(answer, "url"),
             answer.at("seconds").to_number<std::int64_t>());
  return {};
}

Result<> web_sessions(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/web/sessions"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : answer.at("sessions").as_array()) {
    const std::string name = text_of(one, "operator");
    rows.push_back({text_of(one, "session"), name.empty() ? "-" : name, text_of(one, "began"),
                    text_of(one, "used")});
  }
  print_table({"SESSION", "OPERATOR", "BEGAN", "LAST USED"}, rows);
  return {};
}

Result<> web_end(const Common& common, const std::string& session) {
  ApiClient client(common);
  std::vector<std::string> ids = {session};
  if (session.empty()) {
    ids.clear();
    TRY_ASSIGN(const json::value all, client.get("/v1/web/sessions"));
    for (const json::value& one : all.at("sessions").as_array()) {
      ids.push_back(text_of(one, "session"));
    }
  }
  json::array ended;
  for (const std::string& id : ids) {
    TRY(client.post("/v1/web/sessions/" + url_text(id) + "/end", json::object()));
    ended.emplace_back(id);
  }
  if (common.json) {
    print_json(json::object{{"ended", std::move(ended)}});
  } else {
    fmt::print("ended: {}\n", ids.size());
  }
  return {};
}

}  // namespace warifu::apps
