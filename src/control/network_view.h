// What share control sees of the network: every site's status, and leases of key on every hop.
#pragma once

#include <set>

#include "catalog/catalog.h"
#include "control/share_service.h"

namespace warifu::control {

struct NetworkView {
  planner::Snapshot snapshot;
  // Sites that do not answer, and why.
  std::vector<std::pair<SiteName, Error>> missing;

  [[nodiscard]] bool reaches(const SiteName& site) const;
};

// Asks all sites at once. Never fails: who does not answer is missing.
[[nodiscard]] NetworkView look_at_network(SiteContext& site, ShareService& own);

// Promises key for every link direction of a plan to a job, at the sending ends; tags included.
// Jobs of a higher priority draw before others. Errors: kUnavailable naming the site.
[[nodiscard]] Result<> lease_key(
    SiteContext& site, const JobId& job, catalog::JobPriority priority,
    const std::map<std::pair<SiteName, SiteName>, std::uint64_t>& bytes);
// Gives the rest of a job's leases back, at all sites; those that do not answer are passed over.
void release_key(SiteContext& site, const JobId& job);

// Which of these shares a site says it has, whole. Errors: those of the way there, and that site's.
[[nodiscard]] Result<std::set<ShareId>> held_at(SiteContext& site, ShareService& own,
                                                const SiteName& at,
                                                std::span<const ShareId> shares);
[[nodiscard]] Result<bool> is_held_at(SiteContext& site, ShareService& own, const SiteName& at,
                                      const ShareId& share);

// Makes the share's last site delete it. Errors: those of the way there, and that site's.
[[nodiscard]] Result<> delete_share(SiteContext& site, ShareService& own,
                                    const catalog::Share& share);

}  // namespace warifu::control
