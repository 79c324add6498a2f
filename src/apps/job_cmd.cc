// `warifu job list|show|watch|priority|pause|resume|cancel`.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include <boost/json.hpp>

#include "apps/job_follow.h"
#include "apps/object_commands.h"
#include "apps/output.h"
#include "apps/proposed.h"
#include "base/units.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

std::string progress_text(const json::value& job) {
  const std::uint64_t total = number_of(job, "total_bytes");
  const std::uint64_t done = number_of(job, "progress_bytes");
  return total == 0 ? "-" : fmt::format("{}%", done * 100 / total);
}

// The code that the failed job kept.
Code code_of(const json::value& job) {
  const auto* fields = job.if_object();
  const auto* result = fields == nullptr ? nullptr : fields->if_contains("result");
  const std::string name = result == nullptr ? "" : text_of(*result, "code");
  return code_from_name(name, Code::kRefused);
}

// "5 before it: " of a job that waits for its turn.
std::string turn_of(const json::value& job) {
  const auto* before = job.as_object().if_contains("jobs_before");
  if (before == nullptr || before->is_null()) return "";
  return fmt::format("{} before it. ", before->to_number<std::uint64_t>());
}

std::string note_of(const json::value& job) {
  std::string note;
  if (text_of(job, "state") == "waiting_key") note = "waiting for key";
  if (text_of(job, "state") == "paused") note = "paused by an operator";
  if (!text_of(job, "error").empty()) note = "waiting: " + text_of(job, "error");
  if (!note.empty() && !text_of(job, "expected_end").empty()) {
    note += ", end expected " + text_of(job, "expected_end");
  }
  return note;
}

}  // namespace

Result<json::value> follow_job(ApiClient& client, const std::string& job, const std::string& what) {
  ProgressLine progress(what);
  auto wait = std::chrono::milliseconds(50);
  for (;;) {
    TRY_ASSIGN(json::value record, client.get("/v1/jobs/" + url_text(job)));
    const std::string state = text_of(record, "state");
    if (state == "done") return record;
    if (state == "failed" || state == "cancelled") {
      const std::string why = text_of(record, "error");
      return fail(state == "failed" ? code_of(record) : Code::kCancelled,
                  "job " + job + " " + state + (why.empty() ? "" : ": " + why));
    }
    progress.show(number_of(record, "progress_bytes"), number_of(record, "total_bytes"),
                  note_of(record));
    std::this_thread::sleep_for(wait);
    wait = std::min(wait * 2, std::chrono::milliseconds(500));
  }
}

Result<> run_job(const Common& common, ApiClient& client, const std::string& path,
                 const json::object& body, const std::string& what, bool no_wait) {
  TRY_ASSIGN(const json::value ticket, client.post(path, body));
  if (tell_proposed(common, ticket)) return {};
  const std::string job = text_of(ticket, "job");
  if (no_wait) {
    if (common.json) {
      print_json(ticket);
    } else {
      fmt::print("job {}\n", job);
    }
    return {};
  }
  TRY_ASSIGN(const json::value record, follow_job(client, job, what));
  if (common.json) {
    print_json(record);
  } else {
    fmt::print("{}: done\n", what);
  }
  return {};
}

Result<> job_list(const Common& common, const JobOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer,
             client.get(fmt::format("/v1/jobs?skip={}&count={}", options.skip, options.limit) +
                        (options.state.empty() ? "" : "&state=" + url_text(options.state))));
  if (common.json) {
    print_json(answer);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& job : answer.at("jobs").as_array()) {
    rows.push_back({text_of(job, "job"), text_of(job, "kind"), text_of(job, "state"),
                    text_of(job, "priority"), text_of(job, "step"), progress_text(job),
                    text_of(job, "expected_end"), turn_of(job) + text_of(job, "error")});
  }
  print_table({"JOB", "KIND", "STATE", "PRIORITY", "STEP", "DONE", "END EXPECTED", "NOTE"}, rows);
  return {};
}

Result<> job_show(const Common& common, const JobOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value job, client.get("/v1/jobs/" + url_text(options.job)));
  if (common.json) {
    print_json(job);
    return {};
  }
  fmt::print(
      "job       {}\nkind      {}\nstate     {}\npriority  {}\nstep      {}\nobject    {}\n"
      "progress  {} of {}\n",
      text_of(job, "job"), text_of(job, "kind"), text_of(job, "state"), text_of(job, "priority"),
      text_of(job, "step"), text_of(job, "object"), human_bytes(number_of(job, "progress_bytes")),
      human_bytes(number_of(job, "total_bytes")));
  if (!text_of(job, "expected_end").empty()) {
    fmt::print("expected  {}\n", text_of(job, "expected_end"));
  }
  if (const std::string note = turn_of(job) + text_of(job, "error"); !note.empty()) {
    fmt::print("note      {}\n", note);
  }
  if (const auto* plan = job.at("plan").if_object(); plan != nullptr && plan->contains("reasons")) {
    fmt::print("plan\n");
    for (const auto& line : plan->at("reasons").as_array()) {
      fmt::print("  {}\n", std::string_view(line.as_string()));
    }
  }
  return {};
}

Result<> job_order(const Common& common, const JobOptions& options, const char* order) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value job,
             client.post("/v1/jobs/" + url_text(options.job) + "/" + order, json::object()));
  if (common.json) {
    print_json(job);
  } else {
    const std::string state = text_of(job, "state");
    const bool heard = std::string_view(order) == "resume" || state == "paused" ||
                       state == "cancelled" || state == "done";
    const std::string step = text_of(job, "step");
    const bool takes_back = step == "cancel" || step == "undo";
    fmt::print("job {} is {}{}\n", options.job, state,
               heard ? ""
               : takes_back
                   ? ", and takes back what it did, which waits for a site: warifu job show"
                   : ", and hears this at its next step: warifu job show");
  }
  return {};
}

Result<> job_priority(const Common& common, const JobOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value job, client.post("/v1/jobs/" + url_text(options.job) + "/priority/" +
                                                    url_text(options.priority),
                                                json::object()));
  if (common.json) {
    print_json(job);
  } else {
    fmt::print("job {} is {}\n", options.job, text_of(job, "priority"));
  }
  return {};
}

Result<> job_watch(const Common& common, const JobOptions& options) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value job, follow_job(client, options.job, "job"));
  if (common.json) {
    print_json(job);
  } else {
    fmt::print("job {} is done\n", options.job);
  }
  return {};
}

}  // namespace warifu::apps
