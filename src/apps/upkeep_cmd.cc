// `warifu object check|repair|move|reshare|delete`, `warifu site repair|drain`.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/job_follow.h"
#include "apps/object_commands.h"
#include "apps/output.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

void print_relocation(const json::value& plan) {
  fmt::print("share {} at {}, {} of key, price {:.3g}\n", text_of(plan, "share"),
             text_of(plan, "site"), human_bytes(number_of(plan, "key_bytes")),
             plan.at("price").to_number<double>());
  std::vector<std::vector<std::string>> rows;
  for (const json::value& part : plan.at("parts").as_array()) {
    rows.push_back({text_of(part, "share"), text_of(part, "site"), text_of(part, "route")});
  }
  print_table({"FROM SHARE", "SITE", "ROUTE"}, rows);
}

// The jobs that the job for a whole site has begun, each followed to its end.
Result<> follow_all(const Common& common, ApiClient& client, const std::string& of,
                    const char* verb, const std::string& job, const json::value& work) {
  json::array done;
  std::uint64_t problems = number_of(work, "problems");
  for (const json::value& entry : work.at("jobs").as_array()) {
    json::object result = entry.as_object();
    const std::string share = text_of(entry, "share") + " of " + text_of(entry, "object");
    std::string problem = text_of(entry, "problem");
    if (problem.empty()) {
      const auto followed =
          follow_job(client, text_of(entry, "job"), std::string(verb) + " " + share);
      if (!followed) problem = followed.error().message;
      if (!followed) ++problems;
    }
    if (!common.json) fmt::print("share {}: {}\n", share, problem.empty() ? "done" : problem);
    result["problem"] = problem;
    done.push_back(std::move(result));
  }
  const std::uint64_t all = number_of(work, "begun") + number_of(work, "problems");
  if (!common.json && all == 0) fmt::print("nothing to do for {}\n", of);
  if (!common.json && all > done.size()) {
    fmt::print("{} more shares: see warifu job list\n", all - done.size());
  }
  if (common.json) {
    print_json({{"site", of}, {"job", job}, {"shares", all}, {"jobs", std::move(done)}});
  }
  if (problems == 0) return {};
  return fail(Code::kRefused,
              fmt::format("{} of {} shares could not be dealt with", problems, all));
}

Result<> start_all(const Common& common, const SiteUpkeepOptions& options, const char* verb) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.post("/v1/sites/" + url_text(options.of) + "/" + verb, json::object()));
  const std::string job = text_of(answer, "job");
  if (options.no_wait) {
    if (common.json) {
      print_json(answer);
    } else {
      fmt::print("job {}\n", job);
    }
    return {};
  }
  TRY_ASSIGN(const json::value planned,
             follow_job(client, job, std::string(verb) + " of " + options.of));
  return follow_all(common, client, options.of, verb, job, planned.at("result"));
}

Result<> relocate(const Common& common, const RelocateOptions& options, const char* what) {
  ApiClient client(common);
  const std::string path = "/v1/objects/" + url_text(options.object) + "/relocation";
  if (options.plan) {
    TRY_ASSIGN(const json::value plan,
               client.get(path + "?what=" + what + "&share=" + url_text(options.share) +
                          "&to=" + url_text(options.to)));
    if (common.json) {
      print_json(plan);
    } else {
      print_relocation(plan);
    }
    return {};
  }
  return run_job(common, client, path,
                 {{"share", options.share}, {"what", what}, {"to", options.to}},
                 std::string(what) + " of share " + options.share, options.no_wait);
}

}  // namespace

Result<> object_check(const Common& common, const ObjectOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.get("/v1/objects/" + url_text(options.object) + "/check"));
  if (common.json) {
    print_json(answer);
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const json::value& share : answer.at("shares").as_array()) {
      rows.push_back({text_of(share, "share"), text_of(share, "site"), text_of(share, "state")});
    }
    print_table({"SHARE", "SITE", "STATE"}, rows);
  }
  if (answer.at("whole").as_bool()) return {};
  return fail(Code::kUnavailable, "not every share is where it should be");
}

Result<> object_repair(const Common& common, const RelocateOptions& options) {
  return relocate(common, options, "repair");
}

Result<> object_move(const Common& common, const RelocateOptions& options) {
  return relocate(common, options, "move");
}

Result<> object_reshare(const Common& common, const RelocateOptions& options) {
  ApiClient client(common);
  const std::string path = "/v1/objects/" + url_text(options.object) + "/reshare";
  if (!options.plan) {
    const std::string what = options.share.empty() ? "shares" : "share " + options.share;
    return run_job(common, client, path, {{"share", options.share}}, "cutting " + what + " again",
                   options.no_wait);
  }
  TRY_ASSIGN(const json::value plan, client.get(path + "?share=" + url_text(options.share)));
  if (common.json) {
    print_json(plan);
    return {};
  }
  for (const json::value& cut : plan.at("shares").as_array()) {
    fmt::print("share {}, whole at {}: {} of key, price {:.3g}\n", text_of(cut, "share"),
               text_of(cut, "site"), human_bytes(number_of(cut, "key_bytes")),
               cut.at("price").to_number<double>());
    std::vector<std::vector<std::string>> rows;
    for (const json::value& part : cut.at("parts").as_array()) {
      rows.push_back({text_of(part, "share"), text_of(part, "site"), text_of(part, "route")});
    }
    print_table({"PART", "SITE", "ROUTE"}, rows);
  }
  return {};
}

Result<> object_delete(const Common& common, const DeleteOptions& options) {
  if (!options.yes) {
    return fail(Code::kInvalidArgument,
                "a deleted object is gone for good; say --yes if that is meant");
  }
  ApiClient client(common);
  return run_job(common, client, "/v1/objects/" + url_text(options.object) + "/delete",
                 json::object(), "deletion of " + options.object, options.no_wait);
}

Result<> site_repair(const Common& common, const SiteUpkeepOptions& options) {
  return start_all(common, options, "repair");
}

Result<> site_drain(const Common& common, const SiteUpkeepOptions& options) {
  return start_all(common, options, "drain");
}

}  // namespace warifu::apps
