// `warifu object refresh`.
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

std::string path_of(const std::string& object) {
  return "/v1/objects/" + url_text(object) + "/refresh";
}

json::object wish_of(const RefreshOptions& options) {
  return {{"dealers", options.dealers}, {"key_after", options.key_after}};
}

Result<> show_plan(const Common& common, ApiClient& client, const RefreshOptions& options) {
  TRY_ASSIGN(const json::value plan,
             client.post(path_of(options.object) + "/preview", wish_of(options)));
  if (common.json) {
    print_json(plan);
    return {};
  }
  fmt::print("dealer {} (of {}), {} of key, price {:.3g}\n", text_of(plan, "dealer"),
             number_of(plan, "dealers"), human_bytes(number_of(plan, "key_bytes")),
             plan.at("price").to_number<double>());
  std::vector<std::vector<std::string>> rows;
  for (const json::value& share : plan.at("shares").as_array()) {
    rows.push_back({text_of(share, "share"), text_of(share, "site"), text_of(share, "route")});
  }
  print_table({"SHARE", "SITE", "ROUTE OF ITS ZERO SHARE"}, rows);
  for (const json::value& site : plan.at("still_usable_at").as_array()) {
    fmt::print("what {} has seen before stays usable there\n", std::string(site.as_string()));
  }
  return {};
}

std::string epoch_text(const json::value& now) {
  const std::string link = text_of(now, "slowest_link");
  if (link.empty()) return "not known: no object can be refreshed now";
  const json::value& seconds = now.at("epoch_seconds");
  if (seconds.is_null()) return "never: no key comes in for " + link;
  return fmt::format("{} when all key that comes in goes into it; the slowest link is {}",
                     human_seconds(seconds.to_number<double>()), link);
}

Result<> show_status(const Common& common, ApiClient& client) {
  TRY_ASSIGN(const json::value now, client.get("/v1/refresh"));
  if (common.json) {
    print_json(now);
    return {};
  }
  const std::uint64_t interval = number_of(now, "interval_seconds");
  const std::string reserve = human_bytes(number_of(now, "reserve_bytes"));
  fmt::print("by itself  {}\n",
             interval == 0 ? "off: [refresh] is not configured"
                           : fmt::format("after {}, leaving {} on every link",
                                         human_seconds(static_cast<double>(interval)), reserve));
  fmt::print("objects    {}, of which {} are due\n", number_of(now, "objects"),
             number_of(now, "due"));
  if (!text_of(now, "oldest").empty()) fmt::print("oldest     {}\n", text_of(now, "oldest"));
  fmt::print("all anew   {} of key; {}\n", human_bytes(number_of(now, "key_bytes")),
             epoch_text(now));
  if (!text_of(now, "job").empty()) fmt::print("job        {}\n", text_of(now, "job"));
  if (!text_of(now, "waits_for").empty()) fmt::print("waits for  {}\n", text_of(now, "waits_for"));
  return {};
}

Result<> refresh_many(const Common& common, ApiClient& client, const RefreshOptions& options) {
  const std::string query = options.person.empty() ? "" : "?person=" + url_text(options.person);
  TRY_ASSIGN(const json::value answer, client.get("/v1/auditable" + query));
  json::array done;
  std::size_t problems = 0;
  for (const json::value& entry : answer.at("objects").as_array()) {
    const std::string object(entry.as_string());
    std::string job;
    const auto refreshed = [&]() -> Result<> {
      TRY_ASSIGN(const json::value ticket, client.post(path_of(object), wish_of(options)));
      job = text_of(ticket, "job");
      if (!options.no_wait) TRY(follow_job(client, job, "refresh of " + object));
      return {};
    }();
    const std::string problem = refreshed ? "" : refreshed.error().message;
    if (!refreshed) ++problems;
    if (!common.json) {
      fmt::print("{}: {}\n", object,
                 !problem.empty()  ? problem
                 : options.no_wait ? "started"
                                   : "done");
    }
    done.push_back(json::object{{"object", object}, {"job", job}, {"problem", problem}});
  }
  const std::size_t all = done.size();
  if (common.json) print_json({{"refreshed", std::move(done)}});
  if (!common.json && all == 0) fmt::print("nothing is stored\n");
  if (problems == 0) return {};
  return fail(Code::kRefused, fmt::format("{} of {} objects were not refreshed", problems, all));
}

}  // namespace

Result<> object_refresh(const Common& common, const RefreshOptions& options) {
  ApiClient client(common);
  if (options.status) return show_status(common, client);
  if (options.all || !options.person.empty()) {
    if (!options.plan) return refresh_many(common, client, options);
    return fail(Code::kInvalidArgument, "--plan is for one object");
  }
  if (options.object.empty()) {
    return fail(Code::kInvalidArgument, "name an object, or say --person or --all");
  }
  if (options.plan) return show_plan(common, client, options);
  return run_job(common, client, path_of(options.object), wish_of(options),
                 "refresh of " + options.object, options.no_wait);
}

}  // namespace warifu::apps
