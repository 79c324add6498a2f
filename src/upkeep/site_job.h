// The job that finds a new place for everything that a site holds (drain), or makes anew everything
// that it should hold and does not (repair): object by object it plans and starts the job that does
// it. There may be a hundred thousand of them.
//
// What is behind the last object that was dealt with stands in the plan, durable after every
// kBatch of them. An object whose job was started just before a crash is found busy with it, and
// counts as begun. Cancelling ends the planning; jobs that were begun go on, and are cancelled by
// themselves. A site that falls silent in the middle of a repair makes the job wait: what it has
// must not count as lost.
#pragma once

#include <functional>

#include "control/jobs.h"
#include "control/share_tree.h"
#include "planner/restore_plan.h"

namespace warifu::upkeep {

// What it needs of the desk that owns it.
struct SiteJobParts {
  // Starts the job for a share. Errors: kBusy while a job works on the object; why there is no
  // plan.
  std::function<Result<JobId>(const ObjectId& object, const planner::ShareLocation& share,
                              bool repair, const control::NetworkView& view)>
      relocate;
  // Shares that a site says are damaged; none when it does not answer.
  std::function<std::set<ShareId>(const SiteName& site)> damaged_at;
};

// What stands in the plan of such a job (JSON in the catalog).
struct SiteWork {
  SiteName site;
  ObjectId after;                         // behind it nothing was looked at yet
  bool answered = false;                  // the site, to the question what it holds
  std::uint64_t begun = 0, problems = 0;  // shares
  // The first kMostTold of them, as in docs/cli.md (`site drain`).
  struct Told {
    ObjectId object;
    std::string letter;
    std::string job;      // empty: none
    std::string problem;  // why
  };
  std::vector<Told> told;

  [[nodiscard]] std::string text() const;
  // Errors: kCorrupt.
  [[nodiscard]] static Result<SiteWork> parse(const std::string& text);
};

class SiteJob final : public control::Work {
 public:
  SiteJob(control::JobEngine& engine, SiteJobParts parts, const JobId& job)
      : Work(engine, job), parts_(std::move(parts)) {}
  Result<> run() override;
  bool is_committed() const override { return false; }
  // Nothing to take back: what was begun goes on.
  void roll_back(const Error& why) override;

  static constexpr std::size_t kBatch = 50, kMostTold = 1000;

 private:
  struct Place {
    ObjectId object;
    planner::ShareLocation share;
  };
  // Shares at the site of these objects that have to go, or are not there.
  Result<std::vector<Place>> look(const std::vector<ObjectId>& objects);
  Result<> deal_with(const Place& place);
  // The unfinished move or repair of an object.
  Result<std::optional<JobId>> job_of(const ObjectId& object);
  const control::NetworkView& network();
  [[nodiscard]] bool is_repair() const { return job_.kind == catalog::JobKind::kSiteRepair; }

  SiteJobParts parts_;
  SiteWork work_;
  std::optional<control::NetworkView> view_;
  std::chrono::nanoseconds looked_{0};
};

}  // namespace warifu::upkeep
