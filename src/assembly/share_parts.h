// The parts of every site that hold shares, move them and keep them whole, with the channel over
// which they are asked: what a site on real disks (apps/site_run.cc) and one of the simulated
// cluster (testing/cluster_site.h) have in common. Disks, clocks and lines are handed in.
//
// Ownership: what the constructor takes must outlive it; the parts live as long as it does. Thread
// rule: open(), serve() and stop() by the owner; the parts as they say.
#pragma once

#include "recovery/recovery_service.h"
#include "upkeep/given_record.h"
#include "upkeep/scrubber.h"
#include "upkeep/share_auditor.h"
#include "upkeep/share_giver.h"
#include "upkeep/share_refresher.h"
#include "upkeep/share_taker.h"
#include "upkeep/upkeep_desk.h"

namespace warifu::assembly {

class ShareParts {
 public:
  // What stands below: opened by the owner.
  struct Base {
    os::System system;
    const config::SiteConfig& config;
    kme::KeyManager& keys;
    store::ShareStore& store;
    consent::Gate& gate;
    audit::Log& log;
  };
  // Opens everything and adds its handlers; nobody is served yet. `dial` calls other sites, at
  // `listener` they call. Errors: those of the files of each part.
  [[nodiscard]] static Result<std::unique_ptr<ShareParts>> open(
      const Base& base, std::unique_ptr<os::Listener> listener, channel::Dial dial);
  ShareParts(const ShareParts&) = delete;
  ShareParts& operator=(const ShareParts&) = delete;

  // At the control site, before anything is served: who hears of damaged shares of this site.
  void set_upkeep(upkeep::UpkeepDesk& desk) { upkeep_ = &desk; }

  [[nodiscard]] channel::Caller& caller() { return *caller_; }
  [[nodiscard]] channel::Server& server() { return *server_; }
  [[nodiscard]] control::SiteContext& context() { return *context_; }
  [[nodiscard]] control::ShareService& shares() { return *shares_; }
  [[nodiscard]] upkeep::ShareGiver& giver() { return *giver_; }
  [[nodiscard]] upkeep::ShareTaker& taker() { return *taker_; }
  [[nodiscard]] upkeep::ShareRefresher& refresher() { return *refresher_; }
  [[nodiscard]] upkeep::ShareAuditor& auditor() { return *auditor_; }
  [[nodiscard]] upkeep::Scrubber& scrubber() { return *scrubber_; }
  [[nodiscard]] recovery::CopyKeeper& copies() { return *copies_; }

 private:
  ShareParts() = default;
  Result<> open_parts(const Base& base);
  Result<> open_scrubber();

  upkeep::UpkeepDesk* upkeep_ = nullptr;  // at the control site
  // In the order of their needs: later ones use earlier ones and go first.
  std::unique_ptr<channel::Caller> caller_;
  std::unique_ptr<control::SiteContext> context_;
  std::unique_ptr<control::SightingBook> sightings_;
  std::unique_ptr<control::ShareService> shares_;
  std::unique_ptr<upkeep::GivenRecord> given_;
  std::unique_ptr<upkeep::ShareGiver> giver_;
  std::unique_ptr<upkeep::ShareTaker> taker_;
  std::unique_ptr<upkeep::ShareRefresher> refresher_;
  std::unique_ptr<upkeep::ShareAuditor> auditor_;
  std::unique_ptr<recovery::CopyKeeper> copies_;
  std::unique_ptr<recovery::RecoveryService> recovery_;
  std::unique_ptr<upkeep::Scrubber> scrubber_;
  std::unique_ptr<channel::Server> server_;
};

}  // namespace warifu::assembly
