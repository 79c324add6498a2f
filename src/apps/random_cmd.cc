// `warifu random import|status`: the random numbers of a site.
#include <fmt/format.h>

#include <filesystem>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/commands.h"
#include "apps/output.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

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
}

}  // namespace

Result<> random_import(const Common& common, const RandomImportOptions& options) {
  ApiClient client(common.site);
  std::error_code ignored;
  const std::string path = std::filesystem::absolute(options.file, ignored).string();
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/random/import",
                         {{"path", path}, {"origin", options.origin}, {"wipe", options.wipe}}));
  show(common, answer);
  return {};
}

Result<> random_status(const Common& common) {
  ApiClient client(common.site);
  TRY_ASSIGN(const json::value answer, client.get("/v1/random"));
  show(common, answer);
  return {};
}

}  // namespace warifu::apps
