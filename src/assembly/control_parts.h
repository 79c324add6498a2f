// Share control's parts that keep objects: the catalog and its copies, jobs, upkeep, and the desks
// that store and restore. At the control site of a network (apps/site_control.h has the others) and
// of the simulated cluster (testing/cluster_site.h).
//
// Ownership: what the constructor takes must outlive it. Thread rule: open(), start() and those
// that stop by the owner; the parts as they say.
#pragma once

#include <thread>

#include "assembly/share_parts.h"
#include "control/consent_desk.h"
#include "control/enrolment.h"
#include "control/restore_desk.h"
#include "control/store_desk.h"
#include "recovery/recovery_desk.h"
#include "upkeep/audit_desk.h"
#include "upkeep/refresh_scheduler.h"
#include "upkeep/reshare_scheduler.h"

namespace warifu::assembly {

class ControlParts {
 public:
  // Adds the handlers that only share control has. Errors: of the catalog and its copies.
  [[nodiscard]] static Result<std::unique_ptr<ControlParts>> open(ShareParts& site);
  ~ControlParts() { interrupt(); }  // the thread of copies is joined next
  ControlParts(const ControlParts&) = delete;
  ControlParts& operator=(const ControlParts&) = delete;

  // Carries on what was interrupted. Errors: the jobs that were under way cannot be read.
  [[nodiscard]] Result<> start();
  // In this order: what waits gives up; no new work of its own accord; audits stop, once nobody can
  // order any; the jobs, once no other site is served.
  void interrupt();
  void stop_desks() {
    refreshes_->stop();
    reshares_->stop();
  }
  void stop_audits() { audits_->stop(); }
  void stop_jobs();

  [[nodiscard]] catalog::Catalog& catalog() { return *catalog_; }
  [[nodiscard]] control::JobEngine& jobs() { return *jobs_; }
  [[nodiscard]] upkeep::AuditDesk& audits() { return *audits_; }
  [[nodiscard]] upkeep::UpkeepDesk& upkeep() { return *upkeep_; }
  [[nodiscard]] upkeep::RefreshScheduler& refreshes() { return *refreshes_; }
  [[nodiscard]] upkeep::ReshareScheduler& reshares() { return *reshares_; }
  [[nodiscard]] recovery::RecoveryDesk& recovery() { return *recovery_; }
  [[nodiscard]] control::Enrolment& enrolment() { return *enrolment_; }
  [[nodiscard]] control::StoreDesk& store_desk() { return *store_desk_; }
  [[nodiscard]] control::RegionQuotes& quotes() { return quotes_; }
  [[nodiscard]] control::ConsentDesk& consent_desk() { return *consent_desk_; }
  [[nodiscard]] control::RestoreDesk& restore_desk() { return *restore_desk_; }

 private:
  ControlParts() = default;
  Result<> open_parts(ShareParts& site);
  void open_upkeep(ShareParts& site);

  // Later ones use earlier ones and go first.
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<control::JobEngine> jobs_;
  std::unique_ptr<upkeep::AuditDesk> audits_;
  std::unique_ptr<upkeep::UpkeepDesk> upkeep_;
  std::unique_ptr<upkeep::RefreshScheduler> refreshes_;
  std::unique_ptr<upkeep::ReshareScheduler> reshares_;
  std::unique_ptr<recovery::CopyMaker> copy_maker_;  // nullptr: nobody keeps copies
  std::unique_ptr<recovery::RecoveryDesk> recovery_;
  std::atomic<bool> stopping_ = false;
  std::jthread copy_thread_;
  std::unique_ptr<control::Enrolment> enrolment_;
  std::unique_ptr<control::StoreDesk> store_desk_;
  control::RegionQuotes quotes_;
  std::unique_ptr<control::ConsentDesk> consent_desk_;
  std::unique_ptr<control::RestoreDesk> restore_desk_;
};

}  // namespace warifu::assembly
