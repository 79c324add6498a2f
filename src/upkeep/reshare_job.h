// The job that cuts shares again which stand whole though the object's policy says otherwise: the
// job that was to cut them is gone, with a catalog that burnt.
//
// Steps, each durable in the catalog before the next begins:
//   plan     sites and ways of the parts, as they are now; parts and what sites will see are
//            recorded in one step. Not while another job changes the object
//   reshare  the step of a store (control/recut.h)
//   account  what the parts travelled under, and the key spent, go into the catalog
// Every step may be repeated from its start after a crash. Until the location record of the first
// share has moved the share is the truth and the job can be cancelled: its parts are given up, and
// deleted where they were begun. From then on it goes on to its end. It names places, not shares: a
// share that is lost meanwhile is made anew under another id, beside the job (ADR 0065).
#pragma once

#include "control/recut.h"
#include "upkeep/parts_plan.h"

namespace warifu::upkeep {

struct ReshareParts {
  const ShareGiver& giver;  // this site's own end
  // Calls `change` while no other job of the object is there and none can begin. Errors: kBusy, and
  // those of `change`.
  std::function<Result<>(const ObjectId& object, const JobId& job,
                         const std::function<Result<>()>& change)>
      alone;
};

// What stands in the plan of such a job (JSON in the catalog).
struct ReshareWork {
  std::vector<sharing::SharePath> places;  // of the shares that are cut
  std::string parts;                       // JSON: where their parts go; empty: not planned yet

  [[nodiscard]] std::string text() const;
  // Errors: kCorrupt.
  [[nodiscard]] static Result<ReshareWork> parse(const std::string& text);
};

// [{"share","site","parts":[{"share","site","route"}],"key_bytes","price","reasons"}], nested parts
// behind those that they are cut from.
[[nodiscard]] std::string plan_text(const PartsPlan& plan);

class ReshareJob final : public control::Work {
 public:
  ReshareJob(control::JobEngine& engine, ReshareParts parts, const JobId& job)
      : Work(engine, job), parts_(std::move(parts)) {}

  Result<> run() override;
  void roll_back(const Error& why) override;
  // Once a location record has moved.
  bool is_committed() const override;

 private:
  Result<> load();
  Result<> plan();
  Result<> record(const PartsPlanner& planner, const PartsPlan& plan);
  Result<> cut();
  Result<> account();
  // The parts that this job is about, in the tree as it is now: what was given up left out.
  [[nodiscard]] std::vector<catalog::Share> parts() const;

  ReshareParts parts_;
  ReshareWork work_;
  control::ShareTree tree_;
};

}  // namespace warifu::upkeep
