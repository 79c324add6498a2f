// One site of a simulated cluster: the parts of `warifu site run` (apps/site_run.cc) that hold
// shares, move them and control them, all real, on the file system, the network and the time of a
// simulation. Left out are the local HTTP API (callers use the desks), keys for applications, and
// intake of new key: links begin with enough.
//
// Ownership: files, network and bends outlive the site. Thread rule: open(), start() and stop() by
// one thread; the desks by any.
#pragma once

#include "catalog/catalog.h"
#include "control/consent_desk.h"
#include "control/enrolment.h"
#include "control/restore_desk.h"
#include "control/site_config.h"
#include "control/store_desk.h"
#include "testing/sim_net.h"
#include "upkeep/audit_desk.h"
#include "upkeep/given_record.h"
#include "upkeep/scrubber.h"
#include "upkeep/share_auditor.h"
#include "upkeep/share_giver.h"
#include "upkeep/share_refresher.h"
#include "upkeep/share_taker.h"
#include "upkeep/upkeep_desk.h"

namespace warifu::sim {

// Seams for seeded bugs: what takes the place of a part.
struct SiteBends {
  std::function<std::unique_ptr<store::ShareStore>(std::unique_ptr<store::ShareStore>)> store;
};

class ClusterSite {
 public:
  ClusterSite(control::SiteConfig config, os::FileSystem& files, SimNet& net,
              const SimNet::Process& process, const SiteBends& bends)
      : config_(std::move(config)),
        system_{files, os::real_clock(), os::kernel_random()},
        net_(net),
        process_(process),
        bends_(bends) {}
  ~ClusterSite();
  ClusterSite(const ClusterSite&) = delete;
  ClusterSite& operator=(const ClusterSite&) = delete;

  // Opens everything; nobody hears of the site yet. Errors: those of the parts.
  [[nodiscard]] Result<> open();
  // Serves, and carries on what was interrupted.
  [[nodiscard]] Result<> start();
  void stop();

  [[nodiscard]] control::SiteContext& context() { return *context_; }
  [[nodiscard]] control::ShareService& shares() { return *shares_; }
  [[nodiscard]] upkeep::Scrubber& scrubber() { return *scrubber_; }
  // Of the control site.
  [[nodiscard]] catalog::Catalog& catalog() { return *catalog_; }
  [[nodiscard]] control::JobEngine& jobs() { return *jobs_; }
  [[nodiscard]] control::Enrolment& enrolment() { return *enrolment_; }
  [[nodiscard]] control::StoreDesk& store_desk() { return *store_desk_; }
  [[nodiscard]] control::ConsentDesk& consent_desk() { return *consent_desk_; }
  [[nodiscard]] control::RestoreDesk& restore_desk() { return *restore_desk_; }
  [[nodiscard]] upkeep::UpkeepDesk& upkeep_desk() { return *upkeep_desk_; }
  [[nodiscard]] upkeep::AuditDesk& audits() { return *audits_; }

 private:
  Result<> open_upkeep();
  Result<> open_control();

  control::SiteConfig config_;
  os::System system_;
  SimNet& net_;
  SimNet::Process process_;
  SiteBends bends_;
  // In the order of their needs, as in apps/site_run.cc.
  std::unique_ptr<kme::KeyManager> keys_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<consent::Gate> gate_;
  std::unique_ptr<store::ShareStore> store_;
  std::unique_ptr<channel::Caller> caller_;
  std::unique_ptr<control::SiteContext> context_;
  std::unique_ptr<control::ShareService> shares_;
  std::unique_ptr<upkeep::GivenRecord> given_;
  std::unique_ptr<upkeep::ShareGiver> giver_;
  std::unique_ptr<upkeep::ShareTaker> taker_;
  std::unique_ptr<upkeep::ShareRefresher> refresher_;
  std::unique_ptr<upkeep::ShareAuditor> auditor_;
  std::unique_ptr<upkeep::Scrubber> scrubber_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<control::JobEngine> jobs_;
  std::unique_ptr<upkeep::AuditDesk> audits_;
  std::unique_ptr<upkeep::UpkeepDesk> upkeep_desk_;
  std::unique_ptr<control::Enrolment> enrolment_;
  std::unique_ptr<control::StoreDesk> store_desk_;
  control::RegionQuotes quotes_;
  std::unique_ptr<control::ConsentDesk> consent_desk_;
  std::unique_ptr<control::RestoreDesk> restore_desk_;
  std::unique_ptr<channel::Server> server_;
  bool started_ = false;
};

}  // namespace warifu::sim
