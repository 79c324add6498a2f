// Placement: which site gets which share and over which links, from the residual key of every link.
//
// Every link direction has a price per object, the exponential key price
//     w_e = (bytes / rate_e) * mu^(1 - residual_e / capacity_e),  mu = 200
// (an Awerbuch-Azar-Plotkin potential): plentiful key is cheap, scarce key dear. The planner takes
// the legal assignment of sites and routes with the least sum; what is legal say exposure.h and
// failure_domains.h. Where no legal plan exists the planner says why and stops. Pure functions over
// a snapshot: the same snapshot gives the same plan.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "planner/failure_domains.h"
#include "sharing/chunk.h"

namespace warifu::planner {

// One direction of a link as its sending end reports it.
struct EdgeState {
  SiteName from, to;
  kme::LinkClass link_class = kme::LinkClass::kPreshared;
  std::uint64_t residual_bytes = 0;
  double inflow_bits_per_second = 0;
  std::set<keypool::Origin> origins;  // where its key comes from
  // Of a relayed link: over how many paths its key comes, and who has relayed some.
  unsigned relay_paths = 0;
  std::set<SiteName> relays = {};
  std::set<SiteName> knowing = {};  // who may know its key (key_relays)
  bool carries = true;              // false: its transport is switched off at its sending end
};

// The network at one moment. Sites that do not answer are missing.
struct Snapshot {
  SiteName origin;
  std::vector<config::SiteEntry> sites;          // that answer
  std::vector<EdgeState> edges;                  // of sites that answer: routes go over these
  std::map<SiteName, std::uint64_t> free_bytes;  // space for shares
  DomainMap domains = {};                        // of all sites, also of those that do not answer
};

// The entry of the site with share control; nullptr: it does not answer.
[[nodiscard]] const config::SiteEntry* find_origin(const Snapshot& snapshot);

// nullptr: its sending end has not reported, or there is no such link.
[[nodiscard]] const EdgeState* find_edge(const Snapshot& snapshot, const SiteName& from,
                                         const SiteName& to);

// "transport is switched off from tommo to tuh, ..."; empty when it is on everywhere. For every
// error that says there is no plan.
[[nodiscard]] std::string switched_off_text(const Snapshot& snapshot);

// The network as it is configured, with every site and link working and no key counted: for asking
// whether a policy can be met at all.
[[nodiscard]] Snapshot configured_network(const config::SiteConfig& config);

using Route = std::vector<SiteName>;  // both ends included; one site: stays where it is

struct ShareTarget {
  SiteName site;  // where the share rests (when it is cut again: the site that cuts it)
  Route route;
  std::vector<ShareTarget> nested;  // one for each part, or none; routes start at `site`
  sharing::Scheme cut;              // of the nested cut
  // Sites off the route that know key under which it travels (key_relays): they see it too.
  std::set<SiteName> knowing = {};
};

// Where the shares of a plan rest, those that are cut again too.
[[nodiscard]] std::vector<Resting> resting_of(const PolicyNode& policy,
                                              const std::vector<ShareTarget>& shares);

struct PlacementPlan {
  std::vector<ShareTarget> shares;  // A, B, ...
  double price = 0;
  bool is_cheapest = true;  // false: the search ended at its limit, a cheaper one may exist
  // Bytes that each link direction will carry, with the key it costs apart from tags.
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes_by_edge;
  std::vector<std::string> reasons;  // for people: why these sites
};

// The search ends after so many steps with the cheapest plan that it has, and gives up after more
// when it has none. 32 equal labels over 50 sites need a few dozen when routes do not get in each
// other's way; in the simulated national network hundreds of times as many steps found no plan
// where these did not, and a cheaper one in a thirtieth of the cases, all of them with two nested
// cuts.
inline constexpr std::size_t kMaxPlacementSteps = 300;
inline constexpr std::size_t kMaxStepsToFirstPlan = 1'000;

// The price of moving `bytes` over an edge.
[[nodiscard]] double edge_price(const EdgeState& edge, std::uint64_t bytes);

// Places an object whose own records are `records`. Errors: kRefused when no legal plan exists, or
// none was found in kMaxStepsToFirstPlan, with the rules that excluded the first ones.
[[nodiscard]] Result<PlacementPlan> plan_placement(const PolicyNode& policy,
                                                   const Snapshot& snapshot,
                                                   const sharing::RecordLayout& records);

// What the planner would do, and what it would do if it could not do that.
struct PlacementAdvice {
  PlacementPlan plan;
  std::optional<PlacementPlan> runner_up;  // the cheapest one with shares at other sites
  std::string excluded;                    // the first rules that excluded sites
  std::map<std::string, NodeSet> domains;  // nodes of the policy that the plan has in each
};
// Errors: as plan_placement().
[[nodiscard]] Result<PlacementAdvice> advise_placement(const PolicyNode& policy,
                                                       const Snapshot& snapshot,
                                                       const sharing::RecordLayout& records);

// A share that is whole where the policy cuts it again, in an object whose other shares stand.
struct StandingCut {
  sharing::SharePath share;  // its place
  SiteName holder;           // who has it, and cuts it
  // What sites have seen of the object. The holder's may be left out, and the origin's making.
  std::map<SiteName, std::set<sharing::SharePath>> seen;
  std::vector<Resting> resting;  // where the shares of the object rest, this one too
  std::set<SiteName> closed;     // sites that are to see nothing of it, for other reasons
};

// Places the parts of that share, and theirs, of an object whose own records are `records`. The
// plan's shares are the parts. Errors: as plan_placement().
[[nodiscard]] Result<PlacementPlan> plan_parts(const PolicyNode& policy, const Snapshot& snapshot,
                                               const sharing::RecordLayout& records,
                                               const StandingCut& standing);

// Hours until the last hop of the plan has the key it needs at the present inflow; 0 when it is
// there, none when it never comes.
[[nodiscard]] std::optional<double> hours_for_key(const PlacementPlan& plan,
                                                  const Snapshot& snapshot);

// What is left to pass of a route for who stands at its beginning: a request's way.
[[nodiscard]] std::vector<SiteName> way_along(const Route& route);
// The same against it, from its end to its beginning.
[[nodiscard]] std::vector<SiteName> way_against(const Route& route);

// "tommo > tuh > cloud2".
[[nodiscard]] std::string route_text(const Route& route);

}  // namespace warifu::planner
