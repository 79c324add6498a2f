// Placement: which site gets which share and over which links, from the residual key of every link.
//
// Every link direction has a price per object, the exponential key price
//     w_e = (bytes / rate_e) * mu^(1 - residual_e / capacity_e),  mu = 200
// (an Awerbuch-Azar-Plotkin potential): plentiful key is cheap, scarce key dear. The planner takes
// the legal assignment with the least sum over routes.
//
// Exposure rule: no site but the origin may end up having held or relayed two shares of the
// top threshold, and no cloud two shares of the nested one. Routes are chosen under that ban; where
// no legal plan exists the planner says why and stops. Pure functions over a snapshot: the same
// snapshot gives the same plan.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "control/policy.h"
#include "control/site_config.h"

namespace warifu::control {

// One direction of a link as its sending end reports it.
struct EdgeState {
  SiteName from, to;
  kme::LinkClass link_class = kme::LinkClass::kPreshared;
  std::uint64_t residual_bytes = 0;
  double inflow_bits_per_second = 0;
  std::set<keypool::Origin> origins;  // where its key comes from
};

// The network at one moment. Sites that do not answer are missing.
struct Snapshot {
  SiteName origin;
  std::vector<SiteEntry> sites;                  // that answer
  std::vector<LinkEntry> links;  // of the whole network: they decide the routes
  std::vector<EdgeState> edges;                  // of sites that answer
  std::map<SiteName, std::uint64_t> free_bytes;  // space for shares
};

using Route = std::vector<SiteName>;  // both ends included; one site: stays where it is

struct ShareTarget {
  SiteName site;  // where the share rests (for a nested threshold: the site that cuts it)
  Route route;
  std::vector<ShareTarget> nested;  // three, or none; routes start at `site`
};

struct PlacementPlan {
  std::vector<ShareTarget> shares;  // A, B, C
  double price = 0;
  // Bytes that each link direction will carry, with the key it costs apart from tags.
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes_by_edge;
  std::vector<std::string> reasons;  // for people: why these sites
};

// The price of moving `bytes` over an edge.
[[nodiscard]] double edge_price(const EdgeState& edge, std::uint64_t bytes);

// Errors: kRefused when no legal plan exists, with the rule that excluded the last ones.
[[nodiscard]] Result<PlacementPlan> plan_placement(const PolicyNode& policy,
                                                   const Snapshot& snapshot,
                                                   std::uint64_t share_bytes);

// The route that a share would travel and its price; nullopt when a site on it is banned or does not
// answer.
[[nodiscard]] std::optional<std::pair<Route, double>> priced_route(
    const Snapshot& snapshot, const SiteName& from, const SiteName& to, std::uint64_t bytes,
    const std::vector<SiteName>& banned);

// "tommo > tuh > cloud2".
[[nodiscard]] std::string route_text(const Route& route);

}  // namespace warifu::control
