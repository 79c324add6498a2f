// The networks that the simulated cluster can be: sites, links, policy.
//
// The first site, tommo, has share control and keeps share A. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace warifu::sim {

inline constexpr std::size_t kControlSite = 0;

struct ClusterShape {
  std::string name;
  struct Site {
    std::string name, label;
  };
  std::vector<Site> sites;
  std::vector<std::pair<std::size_t, std::size_t>> links;
  std::string policy;
  std::size_t shares = 3;             // of an object that is stored
  std::vector<std::string> movable;   // shares for which another site has a place
  std::vector<std::size_t> harmable;  // sites whose shares can be made anew from the others
  std::vector<std::size_t> copies;    // who keeps the catalog's, any two of which restore it

  [[nodiscard]] std::size_t size() const { return sites.size(); }
  [[nodiscard]] SiteName site(std::size_t at) const { return *SiteName::parse(sites[at].name); }
  [[nodiscard]] const std::string& text(std::size_t at) const { return sites[at].name; }
  // By its name, which must be one of them.
  [[nodiscard]] std::size_t find(const std::string& name) const;
};

// Everybody linked to everybody: three vaults for two shares.
[[nodiscard]] const ClusterShape& direct_shape();
// As `warifu net init` makes it, with links for repairs: share C is cut at the gateway into three
// more, for three clouds.
[[nodiscard]] const ClusterShape& nested_shape();
// Two clouds behind a gateway, over which their shares travel and which keeps none.
[[nodiscard]] const ClusterShape& relayed_shape();
[[nodiscard]] const std::vector<const ClusterShape*>& cluster_shapes();
// By its name, which must be one of theirs.
[[nodiscard]] const ClusterShape& shape_named(const std::string& name);
// Of the run of a seed: mostly the first one, which is the quickest.
[[nodiscard]] const ClusterShape& shape_of(std::uint64_t seed);

}  // namespace warifu::sim
