// Upkeep of stored objects, as share control offers it: are the shares where they should be;
// repair, move, delete; everything that a site held, or all that it should give away.
//
// Thread-safe. The engine and this site's ends must outlive it.
#pragma once

#include <mutex>

#include "upkeep/audit_desk.h"
#include "upkeep/delete_job.h"
#include "upkeep/refresh_job.h"
#include "upkeep/relocation_job.h"
#include "upkeep/reshare_job.h"
#include "upkeep/site_job.h"

namespace warifu::upkeep {

// A share in use, and what its site says.
enum class Holding : std::uint8_t { kHeld, kMissing, kUnreachable, kDamaged };
[[nodiscard]] std::string_view holding_name(Holding holding);
struct CheckedShare {
  planner::ShareLocation at;
  Holding holding = Holding::kHeld;
};

// What a refresh would do first, and what it would leave.
struct RefreshPreview {
  RefreshPlan plan;  // of the first dealer
  std::size_t dealers = 1;
  std::set<SiteName> keepers;  // who could still use what it has seen before
  // What the links of the plan have for new jobs now; who has not reported is missing.
  std::map<std::pair<SiteName, SiteName>, planner::EdgeState> room = {};
};

class UpkeepDesk {
 public:
  // `own_damage` tells which shares of this site itself are damaged; `audits` must outlive the
  // desk.
  UpkeepDesk(control::JobEngine& engine, RelocationParts parts, RefreshParts refresh_parts,
             const AuditDesk& audits, std::function<std::vector<ShareId>()> own_damage);

  // A holder says that shares of its are damaged: repairs begin, unless the configuration leaves
  // that to people. What is no share in use at that site, or is being repaired, is passed over.
  void hear_of_damage(const SiteName& from, const std::vector<ShareId>& shares);

  // Asks the holders. Errors: the catalog's.
  [[nodiscard]] Result<std::vector<CheckedShare>> check(const ObjectId& object);
  // What repairing (or moving) that share would do now. Errors: kInvalidArgument (no such share),
  // kRefused naming why there is no legal plan, kUnavailable when a site that is away may be why.
  [[nodiscard]] Result<RepairPlan> plan(const ObjectId& object, const std::string& letter,
                                        bool repair, const std::optional<SiteName>& target);
  // Starts a job after such a plan was found. Errors: as plan(); kBusy while another job works on
  // the object; kRefused for the repair of a share that its site holds, says is good, and that no
  // audit has named alone.
  [[nodiscard]] Result<JobId> relocate(const ObjectId& object, const std::string& letter,
                                       bool repair, const std::optional<SiteName>& target);
  // What a refresh would do now. Without a number of dealers the control site deals, which has the
  // power over what is stored anyway (ADR 0030); with one, whoever plans best. Errors:
  // kInvalidArgument (not stored, or a number of dealers that makes no sense), kRefused naming why
  // there is no legal plan, that the policy needs several dealers and none were asked for, or which
  // link has older key, kUnavailable.
  [[nodiscard]] Result<RefreshPreview> preview_refresh(const ObjectId& object,
                                                       const RefreshWish& wish);
  // Starts a job after such a preview was found. Errors: as preview_refresh(); kBusy while another
  // job works on the object.
  [[nodiscard]] Result<JobId> refresh(const ObjectId& object, const RefreshWish& wish,
                                      catalog::JobPriority priority = catalog::JobPriority::kUsual);
  // Where parts would go now: of the share of that name, or, without one, of every share of the
  // object that stands whole and is to be cut again. Of parts that are planned already nothing.
  // Errors: kInvalidArgument when there is no such share, kRefused naming why there is no legal
  // plan, kUnavailable when a site that is away may be why.
  [[nodiscard]] Result<PartsPlan> preview_reshare(const ObjectId& object,
                                                  const std::string& letter);
  // Starts a job after such a plan was found. Errors: as preview_reshare(); kBusy while another job
  // works on the object.
  [[nodiscard]] Result<JobId> reshare(const ObjectId& object, const std::string& letter,
                                      catalog::JobPriority priority = catalog::JobPriority::kUsual);
  // Errors: kNotFound, kBusy.
  [[nodiscard]] Result<JobId> remove(const ObjectId& object);
  // Starts the job that repairs everything that the site should hold and does not, or moves away
  // everything that it holds (upkeep/site_job.h). Errors: kNotFound (no such site), kBusy (such a
  // job works on it already), the catalog's.
  [[nodiscard]] Result<JobId> repair_site(const SiteName& site);
  [[nodiscard]] Result<JobId> drain_site(const SiteName& site);

 private:
  // Errors: kBusy while a job works on the object, but for one that waits to cut the share that is
  // to be repaired.
  Result<> check_idle(const ObjectId& object, const std::optional<ShareId>& repaired = {});
  // While no job of the object but that one is there, and none can begin.
  Result<> change_alone(const ObjectId& object, const JobId& job,
                        const std::function<Result<>()>& change);
  Result<JobId> begin(const ObjectId& object, catalog::JobKind kind, const std::string& step,
                      const std::string& plan,
                      catalog::JobPriority priority = catalog::JobPriority::kUsual,
                      const std::optional<ShareId>& repaired = {});
  Result<JobId> relocate_share(const ObjectId& object, const planner::ShareLocation& share,
                               bool repair, const std::optional<SiteName>& target,
                               const control::NetworkView& view);
  Result<planner::ShareLocation> find_share(const ObjectId& object, const std::string& letter);
  // Shares that a site says are damaged; none when it does not answer.
  std::set<ShareId> damaged_at(const SiteName& site);
  Result<JobId> begin_site(const SiteName& site, catalog::JobKind kind);

  control::JobEngine& engine_;
  RelocationParts parts_;
  RefreshParts refresh_parts_;
  const AuditDesk& audits_;
  std::function<std::vector<ShareId>()> own_damage_;
  std::mutex begin_mutex_;  // an object has one job: nobody looks while somebody begins
  DeletionSweep sweep_;
};

}  // namespace warifu::upkeep
