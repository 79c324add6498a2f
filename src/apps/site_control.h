// Share control's parts at the control site: made, started and stopped in the order of their needs.
//
// Ownership: what the site gives in must outlive it. Thread rule: the owner's thread.
#pragma once

#include <thread>

#include "api/routes.h"
#include "control/store_job.h"
#include "recovery/recovery_service.h"
#include "upkeep/share_auditor.h"
#include "viewing/view_desk.h"

namespace warifu::apps {

class SiteControl {
 public:
  struct Site {
    control::SiteContext& context;
    control::ShareService& shares;
    control::CardService& cards;
    channel::Server& server;
    upkeep::ShareGiver& giver;
    upkeep::ShareTaker& taker;
    upkeep::ShareRefresher& refresher;
    upkeep::ShareAuditor& auditor;
    custody::CustodyService& custody;
    std::function<std::vector<ShareId>()> damaged;  // shares of this site
  };
  // Adds the handlers that only share control has. Errors: of the catalog and its copies.
  [[nodiscard]] static Result<std::unique_ptr<SiteControl>> open(Site site);
  SiteControl(const SiteControl&) = delete;
  SiteControl& operator=(const SiteControl&) = delete;

  [[nodiscard]] api::ControlServices* services() { return services_.get(); }
  [[nodiscard]] upkeep::UpkeepDesk& upkeep() { return *upkeep_; }

  // Errors: the jobs that were under way cannot be read.
  [[nodiscard]] Result<> start(const std::atomic<bool>& stopping);
  // In this order: what waits gives up; no new work of this site's own accord; views end and audits
  // stop, once the API is closed; the jobs, once no other site is served.
  void interrupt();
  void stop_desks();
  void stop_views_and_audits();
  void stop_jobs();

 private:
  explicit SiteControl(Site site) : site_(std::move(site)) {}
  Result<> open_parts();
  void open_upkeep();
  void open_people();

  Site site_;
  // Later ones use earlier ones and go first.
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<control::JobEngine> jobs_;
  std::unique_ptr<upkeep::AuditDesk> audits_;
  std::unique_ptr<upkeep::UpkeepDesk> upkeep_;
  std::unique_ptr<upkeep::RefreshScheduler> refreshes_;
  std::unique_ptr<recovery::CopyMaker> copy_maker_;  // nullptr: nobody keeps copies
  std::unique_ptr<recovery::RecoveryDesk> recovery_;
  std::jthread copy_thread_;
  std::unique_ptr<control::Enrolment> enrolment_;
  std::unique_ptr<custody::RecordKeeper> records_;
  std::unique_ptr<custody::CardActs> acts_;
  std::unique_ptr<custody::PeopleDesk> people_;
  std::unique_ptr<custody::EmergencyDesk> emergencies_;
  std::unique_ptr<custody::CardDesk> cards_;
  std::unique_ptr<control::StoreDesk> store_desk_;
  std::unique_ptr<control::UploadDesk> uploads_;
  control::RegionQuotes quotes_;
  std::unique_ptr<control::ConsentDesk> consent_desk_;
  std::unique_ptr<control::RestoreDesk> restore_desk_;
  std::unique_ptr<control::RegionDesk> region_desk_;
  std::unique_ptr<scoring::ScoreDesk> scores_;
  std::unique_ptr<viewing::ViewDesk> views_;
  std::unique_ptr<control::CardCeremonies> ceremonies_;
  std::unique_ptr<api::ControlServices> services_;
};

}  // namespace warifu::apps
