// `warifu catalog status|copy|allow|rebuild|forget|backup|check`.
#include <fmt/format.h>

#include <filesystem>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/job_follow.h"
#include "apps/output.h"
#include "apps/proposed.h"
#include "apps/site_commands.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::string text_or(const json::value& value, const std::string& otherwise) {
  return value.is_string() ? std::string(value.as_string()) : otherwise;
}

void print_copies(const json::value& copies) {
  std::string holders;
  for (const json::value& holder : copies.at("holders").as_array()) {
    holders += (holders.empty() ? "" : ", ") + std::string(holder.as_string());
  }
  fmt::print("copies: shares at {}; any {} of them restore the catalog\n", holders,
             number_of(copies, "threshold"));
  fmt::print("up to date at: {} ({} pages, epoch {}, {} bundles)\n",
             text_or(copies.at("made"), "never"), number_of(copies, "pages"),
             number_of(copies, "epoch"), number_of(copies, "bundles"));
  if (!text_of(copies, "problem").empty()) fmt::print("problem: {}\n", text_of(copies, "problem"));
}

void print_uncut(const json::value& uncut) {
  const std::uint64_t objects = number_of(uncut, "objects");
  if (objects == 0) return;
  fmt::print(
      "{} objects have a share that stands whole and is to be cut again: {} under way, {} "
      "begin by themselves, {} wait for you (warifu object reshare)\n",
      objects, number_of(uncut, "under_way"), number_of(uncut, "waiting"),
      number_of(uncut, "left"));
  if (!text_of(uncut, "problem").empty()) fmt::print("problem: {}\n", text_of(uncut, "problem"));
}

Result<> print_status(const Common& common, const json::value& answer) {
  if (common.json) {
    print_json(answer);
    return {};
  }
  if (const auto* copies = answer.as_object().if_contains("copies")) print_copies(*copies);
  if (const auto* uncut = answer.as_object().if_contains("uncut")) print_uncut(*uncut);
  const json::value& kept = answer.at("kept");
  if (number_of(kept, "bundles") == 0) {
    fmt::print("kept here: nothing\n");
  } else {
    fmt::print("kept here: {} bundles, {}, of catalog {}\n", number_of(kept, "bundles"),
               human_bytes(number_of(kept, "bytes")), text_of(kept, "catalog"));
  }
  const std::string until = text_or(kept.at("allowed_until"), "");
  if (!until.empty()) fmt::print("the control site may read this until {}\n", until);
  for (const json::value& problem : kept.at("problems").as_array()) {
    fmt::print("problem: {}\n", std::string_view(problem.as_string()));
  }
  return {};
}

void print_reasons(const json::value& result, const char* key, const char* what) {
  for (const json::value& entry : result.at(key).as_array()) {
    fmt::print("{} {}: {}\n", what, text_of(entry, "name"), text_of(entry, "why"));
  }
}

void print_rebuilt(const json::value& result) {
  fmt::print("{} objects stand as the sites hold them, {} of them and {} persons were in no copy\n",
             number_of(result, "objects"), number_of(result, "added"),
             number_of(result, "persons_added"));
  print_reasons(result, "silent", "not asked:");
  print_reasons(result, "without_leave", "cards not told by");
  print_reasons(result, "unsettled", "left alone: object");
  print_reasons(result, "gone", "gone: object");
  if (const std::uint64_t uncut = number_of(result, "uncut"); uncut > 0) {
    fmt::print(
        "{} objects have a share that stands whole and is to be cut again; see: warifu "
        "catalog status\n",
        uncut);
  }
  if (const std::uint64_t lost = number_of(result, "lost_shares"); lost > 0) {
    fmt::print("{} shares are lost or at sites that were not asked; see: warifu site repair\n",
               lost);
  }
  if (const std::uint64_t unknown = number_of(result, "unknown_records"); unknown > 0) {
    fmt::print(
        "of {} objects nobody knows whether the card has their record: have it looked at a kiosk, "
        "or with: warifu object card-record OBJECT\n",
        unknown);
  }
  if (const std::uint64_t less = number_of(result, "without_tag"); less > 0) {
    fmt::print(
        "{} objects came back without the tag over all of their pieces: restores check each piece "
        "by itself\n",
        less);
  }
}

}  // namespace

Result<> catalog_status(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/catalog"));
  return print_status(common, answer);
}

Result<> catalog_copy(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.post("/v1/catalog/copy", json::object()));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("up to date at {}\n", text_or(answer.at("made"), "never"));
  }
  return {};
}

Result<> catalog_allow(const Common& common, const CatalogOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/catalog/allow", {{"minutes", options.revoke ? 0 : options.minutes}}));
  return print_status(common, answer);
}

Result<> catalog_forget(const Common& common, const CatalogOptions& options) {
  if (!options.yes) {
    return fail(Code::kInvalidArgument,
                "without copies a lost control site's names and newest secrets are gone; say --yes "
                "if that is meant");
  }
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.post("/v1/catalog/forget", json::object()));
  if (tell_proposed(common, answer)) return {};
  return print_status(common, answer);
}

Result<> catalog_rebuild(const Common& common, const CatalogOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value started,
             client.post("/v1/catalog/rebuild", {{"from_shares", options.from_shares}}));
  if (!common.json) {
    const std::string made = text_or(started.at("copy_made"), "");
    if (!made.empty()) fmt::print("took over the copy of {}\n", made);
    for (const json::value& site : started.at("wrong").as_array()) {
      fmt::print("wrong share of the copy at {}: left out\n", std::string_view(site.as_string()));
    }
  }
  if (options.no_wait) {
    if (common.json) {
      print_json(started);
    } else {
      fmt::print("job {}\n", text_of(started, "job"));
    }
    return {};
  }
  TRY_ASSIGN(const json::value record,
             follow_job(client, text_of(started, "job"), "rebuilding the catalog"));
  if (common.json) {
    json::object all = started.as_object();
    all["result"] = record.at("result");
    print_json(all);
  } else {
    print_rebuilt(record.at("result"));
  }
  return {};
}

Result<> catalog_backup(const Common& common, const CatalogOptions& options) {
  ApiClient client(common);
  std::error_code ignored;
  const std::string path = std::filesystem::absolute(options.file, ignored).string();
  TRY_ASSIGN(const json::value answer, client.post("/v1/catalog/backup", {{"path", path}}));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("{}\n", path);
  }
  return {};
}

Result<> catalog_check(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/catalog/check"));
  if (common.json) {
    print_json(answer);
  } else {
    fmt::print("every page and every rule holds\n");
  }
  return {};
}

}  // namespace warifu::apps
