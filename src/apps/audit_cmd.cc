// `warifu object audit`, `warifu site scrub`.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/object_commands.h"
#include "apps/output.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::string listed(const json::value& names) {
  std::string text;
  for (const auto& name : names.as_array()) {
    text += (text.empty() ? "" : ", ") + std::string(name.as_string());
  }
  return text;
}

// Starts an audit and waits for its verdict.
Result<json::value> audit_one(ApiClient& client, const std::string& object) {
  TRY_ASSIGN(const json::value ticket,
             client.post("/v1/objects/" + url_text(object) + "/audit", json::object()));
  const std::string audit = text_of(ticket, "audit");
  ProgressLine progress("audit of " + object);
  auto wait = std::chrono::milliseconds(20);
  for (;;) {
    TRY_ASSIGN(json::value report, client.get("/v1/audits/" + url_text(audit)));
    if (text_of(report, "verdict") != "running") return report;
    progress.show(number_of(report, "done_bytes"), number_of(report, "total_bytes"));
    std::this_thread::sleep_for(wait);
    wait = std::min(wait * 2, std::chrono::milliseconds(500));
  }
}

void print_report(const json::value& report) {
  fmt::print("object   {}\nverdict  {}\n", text_of(report, "object"), text_of(report, "verdict"));
  if (!text_of(report, "error").empty()) fmt::print("reason   {}\n", text_of(report, "error"));
  if (const std::string suspects = listed(report.at("suspects")); !suspects.empty()) {
    fmt::print("wrong    {}{}\n", report.at("suspects").as_array().size() > 1 ? "one of " : "",
               suspects);
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& share : report.at("shares").as_array()) {
    rows.push_back({text_of(share, "share"), text_of(share, "site"), text_of(share, "state"),
                    text_of(share, "why")});
  }
  print_table({"SHARE", "SITE", "STATE", "WHY"}, rows);
  for (const auto& sum : report.at("sums").as_array()) {
    fmt::print("sum of {}: {}\n", listed(sum.at("shares")),
               sum.at("zero").as_bool() ? "zero" : "not zero");
  }
}

// What the command's exit says of one verdict.
Result<> judged(const json::value& report) {
  const std::string verdict = text_of(report, "verdict");
  const std::string object = text_of(report, "object");
  if (verdict == "consistent") return {};
  if (verdict == "inconsistent") {
    const std::string suspects = listed(report.at("suspects"));
    const bool one = report.at("suspects").as_array().size() == 1;
    return fail(Code::kCorrupt, "the shares of object " + object + " do not belong together: " +
                                    (suspects.empty() ? "more than one is wrong"
                                     : one            ? suspects + " is wrong"
                                                      : "one of " + suspects + " is wrong"));
  }
  if (verdict == "damaged") {
    return fail(Code::kCorrupt, "shares of object " + object + " are damaged or missing");
  }
  return fail(Code::kUnavailable,
              "object " + object + " could not be audited whole (" + verdict + ")" +
                  (text_of(report, "error").empty() ? "" : ": " + text_of(report, "error")));
}

Result<> audit_many(const Common& common, ApiClient& client, const AuditOptions& options) {
  const std::string query = options.person.empty() ? "" : "?person=" + url_text(options.person);
  TRY_ASSIGN(const json::value answer, client.get("/v1/auditable" + query));
  json::array reports;
  std::size_t good = 0, bad = 0, open = 0;
  for (const auto& object : answer.at("objects").as_array()) {
    const std::string id(object.as_string());
    auto report = audit_one(client, id);
    if (!report) {
      report = json::value{{"object", id},
                           {"verdict", "failed"},
                           {"suspects", json::array()},
                           {"error", report.error().message}};
    }
    const auto said = judged(*report);
    ++(said ? good : said.error().code == Code::kCorrupt ? bad : open);
    if (!common.json) {
      fmt::print("{}  {}{}\n", id, text_of(*report, "verdict"),
                 said ? "" : ": " + said.error().message);
    }
    reports.push_back(std::move(*report));
  }
  if (common.json) {
    print_json({{"audits", std::move(reports)},
                {"consistent", good},
                {"wrong", bad},
                {"not_whole", open}});
  } else {
    fmt::print("{} consistent, {} wrong, {} not audited whole\n", good, bad, open);
  }
  if (bad > 0) return fail(Code::kCorrupt, fmt::format("{} objects have wrong shares", bad));
  if (open == 0) return {};
  return fail(Code::kUnavailable, fmt::format("{} objects could not be audited whole", open));
}

}  // namespace

Result<> object_audit(const Common& common, const AuditOptions& options) {
  ApiClient client(common);
  if (options.all || !options.person.empty()) return audit_many(common, client, options);
  if (options.object.empty()) {
    return fail(Code::kInvalidArgument, "name an object, or say --person or --all");
  }
  TRY_ASSIGN(const json::value report, audit_one(client, options.object));
  if (common.json) {
    print_json(report);
  } else {
    print_report(report);
  }
  return judged(report);
}

Result<> site_scrub(const Common& common, const ScrubOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(json::value status, client.get("/v1/scrub"));
  if (options.now) {
    const std::uint64_t before = number_of(status, "passes");
    TRY(client.post("/v1/scrub", json::object()));
    ProgressLine progress("reading shares over");
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      TRY_ASSIGN(status, client.get("/v1/scrub"));
      progress.show(number_of(status, "read_bytes"), number_of(status, "total_bytes"));
    } while (number_of(status, "passes") == before);
  }
  if (common.json) {
    print_json(status);
  } else {
    const bool under_way = !text_of(status, "started").empty();
    fmt::print(
        "passes    {}\nlast end  {}\nnow       {}\nrate      {}\n", number_of(status, "passes"),
        text_of(status, "finished").empty() ? "never" : text_of(status, "finished"),
        under_way ? fmt::format("{} of {}", human_bytes(number_of(status, "read_bytes")),
                                human_bytes(number_of(status, "total_bytes")))
                  : "at rest",
        number_of(status, "rate") == 0
            ? "0: only with --now"
            : fmt::format("{} a second, every {} days", human_bytes(number_of(status, "rate")),
                          number_of(status, "interval_days")));
    for (const auto& damage : status.at("damage").as_array()) {
      fmt::print("damaged: {} since {}: {}\n", text_of(damage, "share"), text_of(damage, "found"),
                 text_of(damage, "why"));
    }
  }
  const std::size_t damaged = status.at("damage").as_array().size();
  if (damaged == 0) return {};
  return fail(Code::kCorrupt, fmt::format("{} shares are damaged", damaged));
}

}  // namespace warifu::apps
