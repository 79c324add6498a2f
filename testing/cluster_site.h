// One site of a simulated cluster: what `warifu site run` (apps/site_run.cc) opens below its share
// parts, on the file system, the network and the time of a simulation, and those parts themselves
// (assembly/share_parts.h, assembly/control_parts.h). Left out are the local HTTP API (callers use
// the desks), requests about cards and people, keys for applications, and intake of new key: links
// begin with enough.
//
// Ownership: files, network and bends outlive the site. Thread rule: open(), start() and stop() by
// one thread; the desks by any.
#pragma once

#include "assembly/control_parts.h"
#include "config/site_config.h"
#include "testing/sim_net.h"

namespace warifu::sim {

// Seams for seeded bugs: what takes the place of a part.
struct SiteBends {
  std::function<std::unique_ptr<store::ShareStore>(std::unique_ptr<store::ShareStore>)> store;
};

class ClusterSite {
 public:
  ClusterSite(config::SiteConfig config, os::FileSystem& files, SimNet& net,
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

  [[nodiscard]] control::SiteContext& context() { return parts_->context(); }
  [[nodiscard]] control::ShareService& shares() { return parts_->shares(); }
  [[nodiscard]] upkeep::Scrubber& scrubber() { return parts_->scrubber(); }
  [[nodiscard]] recovery::CopyKeeper& copies() { return parts_->copies(); }
  // Of the control site.
  [[nodiscard]] assembly::ControlParts& control() { return *control_; }
  [[nodiscard]] catalog::Catalog& catalog() { return control_->catalog(); }

 private:
  config::SiteConfig config_;
  os::System system_;
  SimNet& net_;
  SimNet::Process process_;
  SiteBends bends_;
  // In the order of their needs.
  std::unique_ptr<kme::KeyManager> keys_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<consent::Gate> gate_;
  std::unique_ptr<store::ShareStore> store_;
  std::unique_ptr<assembly::ShareParts> parts_;
  std::unique_ptr<assembly::ControlParts> control_;  // nullptr at other sites
  bool started_ = false;
};

}  // namespace warifu::sim
