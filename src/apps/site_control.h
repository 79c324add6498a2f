// Share control's parts at the control site: made, started and stopped in the order of their needs.
//
// Ownership: what the site gives in must outlive it. Thread rule: the owner's thread.
#pragma once

#include "api/routes.h"
#include "assembly/control_parts.h"
#include "viewing/view_desk.h"

namespace warifu::apps {

class SiteControl {
 public:
  struct Site {
    assembly::ShareParts& parts;
    control::CardService& cards;
    custody::CustodyService& custody;
  };
  // Adds the handlers that only share control has. Errors: of the catalog and its copies.
  [[nodiscard]] static Result<std::unique_ptr<SiteControl>> open(Site site);
  SiteControl(const SiteControl&) = delete;
  SiteControl& operator=(const SiteControl&) = delete;

  [[nodiscard]] api::ControlServices* services() { return services_.get(); }

  // Errors: the jobs that were under way cannot be read.
  [[nodiscard]] Result<> start();
  // In this order: what waits gives up; no new work of this site's own accord; views end and audits
  // stop, once the API is closed; the jobs, once no other site is served.
  void interrupt();
  void stop_desks();
  void stop_views_and_audits();
  void stop_jobs();

 private:
  explicit SiteControl(Site site) : site_(std::move(site)) {}
  Result<> open_parts();
  void open_people();

  Site site_;
  // Later ones use earlier ones and go first.
  std::unique_ptr<assembly::ControlParts> parts_;
  std::unique_ptr<custody::RecordKeeper> records_;
  std::unique_ptr<custody::CardActs> acts_;
  std::unique_ptr<custody::PeopleDesk> people_;
  std::unique_ptr<custody::EmergencyDesk> emergencies_;
  std::unique_ptr<custody::CardDesk> cards_;
  std::unique_ptr<control::UploadDesk> uploads_;
  std::unique_ptr<control::RegionDesk> region_desk_;
  std::unique_ptr<scoring::ScoreDesk> scores_;
  std::unique_ptr<viewing::ViewDesk> views_;
  std::unique_ptr<control::CardCeremonies> ceremonies_;
  std::unique_ptr<api::ControlServices> services_;
};

}  // namespace warifu::apps
