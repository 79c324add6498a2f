// Batches, and the plan in the catalog.
#include "upkeep/site_job.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/log.h"
#include "control/consent_desk.h"

namespace warifu::upkeep {
namespace {

namespace json = boost::json;

// One look at the network is enough for a while: every job looks again.
constexpr std::chrono::seconds kLook{10};

Result<SiteWork> read_work(const json::object& plan) {
  TRY_ASSIGN(SiteName site, SiteName::parse(plan.at("site").as_string()));
  SiteWork work{.site = std::move(site), .after = {}, .told = {}};
  TRY_ASSIGN(work.after, ObjectId::parse(plan.at("after").as_string()));
  work.answered = plan.at("answered").as_bool();
  work.begun = plan.at("begun").to_number<std::uint64_t>();
  work.problems = plan.at("problems").to_number<std::uint64_t>();
  for (const json::value& entry : plan.at("jobs").as_array()) {
    TRY_ASSIGN(const ObjectId object, ObjectId::parse(entry.at("object").as_string()));
    work.told.push_back({object, std::string(entry.at("share").as_string()),
                         std::string(entry.at("job").as_string()),
                         std::string(entry.at("problem").as_string())});
  }
  return work;
}

}  // namespace

std::string SiteWork::text() const {
  json::array jobs;
  for (const Told& one : told) {
    jobs.push_back({{"object", one.object.text()},
                    {"share", one.letter},
                    {"job", one.job},
                    {"problem", one.problem}});
  }
  return json::serialize(json::object{{"site", site.text()},
                                      {"after", after.text()},
                                      {"answered", answered},
                                      {"begun", begun},
                                      {"problems", problems},
                                      {"jobs", std::move(jobs)}});
}

Result<SiteWork> SiteWork::parse(const std::string& text) {
  json::error_code bad;
  const json::value value = json::parse(text, bad);
  try {
    if (!bad) return read_work(value.as_object());
  } catch (const std::exception&) {  // Boost.JSON's own word for a missing or other field
  }
  return fail(Code::kCorrupt, "the plan of work on a whole site in the catalog cannot be read");
}

Result<> SiteJob::run() {
  TRY(load_job());
  TRY_ASSIGN(work_, SiteWork::parse(job_.plan));
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const std::uint64_t there, catalog.count_objects_at(work_.site));
  job_.total_bytes = std::max(job_.total_bytes, there);
  TRY(save(catalog::JobState::kRunning, "plan"));
  for (;;) {
    TRY_ASSIGN(const auto objects, catalog.objects_at(work_.site, work_.after, kBatch));
    if (objects.empty()) break;
    TRY_ASSIGN(const auto places, look(objects));
    for (const Place& place : places) {
      if (must_stop()) return fail(Code::kCancelled, "the job is interrupted");
      TRY(deal_with(place));
    }
    work_.after = objects.back();
    TRY(save_plan(work_.text()));
    job_.progress_bytes += objects.size();
    job_.total_bytes = std::max(job_.total_bytes, job_.progress_bytes);
    TRY(save(catalog::JobState::kRunning, "plan"));
  }
  job_.result = work_.text();
  return finish();
}

Result<std::vector<SiteJob::Place>> SiteJob::look(const std::vector<ObjectId>& objects) {
  std::vector<Place> places;
  std::vector<ShareId> ids;
  for (const ObjectId& object : objects) {
    TRY_ASSIGN(const auto shares, control::locate_shares(engine_.catalog(), object));
    for (const planner::ShareLocation& share : shares) {
      if (share.site != work_.site) continue;
      places.push_back({object, share});
      ids.push_back(share.share);
    }
  }
  if (!is_repair() || ids.empty()) return places;
  auto held = control::held_at(engine_.site(), engine_.own(), work_.site, ids);
  if (!held) {
    // Of a site that never answered everything is made anew; what one has that did must not count
    // as lost because it fell silent in the middle.
    if (work_.answered) return std::unexpected(held.error());
    return places;
  }
  work_.answered = true;
  const std::set<ShareId> damaged = parts_.damaged_at(work_.site);
  std::erase_if(places, [&](const Place& place) {
    return held->contains(place.share.share) && !damaged.contains(place.share.share);
  });
  return places;
}

Result<std::optional<JobId>> SiteJob::job_of(const ObjectId& object) {
  TRY_ASSIGN(const auto jobs, engine_.catalog().unfinished_jobs_of(object));
  const auto kind = is_repair() ? catalog::JobKind::kRepair : catalog::JobKind::kMove;
  const auto job = std::ranges::find(jobs, kind, &catalog::Job::kind);
  return job == jobs.end() ? std::optional<JobId>() : job->job;
}

Result<> SiteJob::deal_with(const Place& place) {
  Result<JobId> job = parts_.relocate(place.object, place.share, is_repair(), network());
  if (!job && job.error().code == Code::kBusy) {
    TRY_ASSIGN(const auto begun, job_of(place.object));
    if (begun) job = *begun;
  }
  if (!job && engine_.stopping()) return fail(Code::kCancelled, "the job is interrupted");
  ++(job ? work_.begun : work_.problems);
  if (work_.told.size() < kMostTold) {
    work_.told.push_back({place.object, place.share.letter(), job ? job->text() : "",
                          job ? "" : job.error().message});
  }
  return {};
}

const control::NetworkView& SiteJob::network() {
  const auto now = engine_.site().system.clock.monotonic();
  if (!view_ || now - looked_ > kLook) {
    view_ = control::look_at_network(engine_.site(), engine_.own());
    looked_ = now;
  }
  return *view_;
}

void SiteJob::roll_back(const Error& why) {
  // What was begun is told, a cancelled job's too.
  (void)save_plan(work_.text());
  give_up(why);
}

}  // namespace warifu::upkeep
