// `warifu view open|list|end`.
#include "apps/view_cmd.h"

#include <fmt/format.h>

#include "apps/api_client.h"
#include "apps/output.h"
#include "base/units.h"
#include "os/files.h"
#include "risk/genes.h"
#include "secret/secret.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

void wipe_text(std::string& text) {
  secret::wipe({reinterpret_cast<Byte*>(text.data()), text.size()});
}

// As samtools reads it: the token and nothing else (HTS_AUTH_LOCATION).
Result<> write_token(const std::string& path, const std::string& token) {
  os::FileSystem& files = os::real_files();
  TRY_ASSIGN(auto file, files.open(path, os::OpenMode::kCreate));
  TRY(file->write_at(0, as_bytes(token)));
  file->sync();
  files.sync_dir(os::parent_of(path));
  return {};
}

std::string joined(const json::value& list) {
  std::string text;
  for (const json::value& one : list.as_array()) {
    text += (text.empty() ? "" : ", ") + std::string(one.as_string());
  }
  return text;
}

void print_opened(const json::value& view, const std::string& token,
                  const std::string& token_file) {
  const std::string base = text_of(view, "url");
  fmt::print("view {} of {}: {} records, {}, until {}\n", text_of(view, "view"),
             joined(view.at("regions")), number_of(view, "records"), text_of(view, "mode"),
             text_of(view, "expires"));
  fmt::print("URL    {}{}\n", base, text_of(view, "path"));
  if (token_file.empty()) {
    fmt::print("token  {}\n", token);
    fmt::print(stderr, "this token is shown once: whoever has it sees the records\n");
  } else {
    fmt::print("token  in {} (HTS_AUTH_LOCATION={})\n", token_file, token_file);
  }
  if (base.empty()) {
    fmt::print(stderr,
               "the site has neither [htsget] listen nor [web] listen: programs cannot "
               "reach it\n");
  }
}

}  // namespace

Result<> view_open(const Common& common, const ViewOptions& options) {
  if (!options.token_file.empty() && os::real_files().exists(options.token_file)) {
    return fail(Code::kAlreadyExists,
                "'" + options.token_file + "' already exists; it was not touched");
  }
  TRY_ASSIGN(const auto regions, risk::with_genes_resolved(options.regions));
  json::object wish = {
      {"grant", options.grant},
      {"grantee", options.as},
      {"grantee_id", options.as_id},
      {"use", texts_json(options.use)},
      {"regions", texts_json(regions)},
      {"mode", options.clip ? "clip" : "strict"},
      {"purpose", options.purpose == "health" ? "health_management" : options.purpose}};
  if (options.minutes > 0) wish["minutes"] = options.minutes;
  ApiClient client(common);
  TRY_ASSIGN(json::value view, client.post("/v1/views", wish));
  std::string token = text_of(view, "token");
  if (!options.token_file.empty()) {
    const auto written = write_token(options.token_file, token);
    if (!written) {
      (void)client.post("/v1/views/" + url_text(text_of(view, "view")) + "/end", json::object());
      wipe_text(token);
      return fail_in("the view was ended again: its token cannot be kept", written.error());
    }
    view.as_object().erase("token");
  }
  if (common.json) {
    print_json(view);
  } else {
    print_opened(view, token, options.token_file);
  }
  wipe_text(token);
  return {};
}

Result<> view_list(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/views"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : answer.at("views").as_array()) {
    rows.push_back({text_of(one, "view"), text_of(one, "grantee"), joined(one.at("regions")),
                    text_of(one, "mode"), text_of(one, "expires"),
                    std::to_string(number_of(one, "requests")),
                    human_bytes(number_of(one, "bytes"))});
  }
  print_table({"VIEW", "FOR", "REGIONS", "MODE", "UNTIL", "REQUESTS", "IN MEMORY"}, rows);
  fmt::print("memory: {} of {}\n", human_bytes(number_of(answer, "memory_used")),
             human_bytes(number_of(answer, "memory_bytes")));
  return {};
}

Result<> view_end(const Common& common, const std::string& view) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/views/" + url_text(view) + "/end", json::object()));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("view {} has ended after {} requests\n", text_of(answer, "view"),
               number_of(answer, "requests"));
  }
  return {};
}

}  // namespace warifu::apps
