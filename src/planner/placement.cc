// Prices, the plan and its reasons; routes are those that requests travel.
#include "planner/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/reason.h"
#include "planner/placement_search.h"

namespace warifu::planner {
namespace {

constexpr double kMu = 200;
// Fuller than this many objects' worth of key counts as full.
constexpr double kCapacityObjects = 4;
// Rate assumed for links without inflow (preshared): the weight of a common commercial link.
constexpr double kNominalBitsPerSecond = 10e6;

void add_edges(PlacementPlan& plan, const std::vector<ShareTarget>& targets,
               const sharing::RecordLayout& records) {
  const std::uint64_t bytes = records.lengths({0}, records.count());
  for (const ShareTarget& target : targets) {
    for (std::size_t i = 0; i + 1 < target.route.size(); ++i) {
      plan.bytes_by_edge[{target.route[i], target.route[i + 1]}] += bytes;
    }
    if (!target.nested.empty()) add_edges(plan, target.nested, records.below(target.cut));
  }
}

void explain(PlacementPlan& plan, const Snapshot& snapshot, std::uint64_t bytes) {
  for (const auto& [ends, total] : plan.bytes_by_edge) {
    const EdgeState* edge = find_edge(snapshot, ends.first, ends.second);
    plan.reasons.push_back(
        fmt::format("{} > {} ({}): carries {}, residual key {}, price {:.3g}", ends.first.text(),
                    ends.second.text(), kme::link_class_name(edge->link_class), human_bytes(total),
                    human_bytes(edge->residual_bytes), edge_price(*edge, bytes)));
  }
}

}  // namespace

const EdgeState* find_edge(const Snapshot& snapshot, const SiteName& from, const SiteName& to) {
  const auto it = std::ranges::find_if(
      snapshot.edges, [&](const EdgeState& edge) { return edge.from == from && edge.to == to; });
  return it == snapshot.edges.end() ? nullptr : &*it;
}

std::string switched_off_text(const Snapshot& snapshot) {
  std::string text;
  for (const EdgeState& edge : snapshot.edges) {
    if (edge.carries) continue;
    text += (text.empty() ? "transport is switched off from " : ", from ") + edge.from.text() +
            " to " + edge.to.text();
  }
  return text;
}

Snapshot configured_network(const config::SiteConfig& config) {
  Snapshot snapshot{.origin = config.name, .sites = config.sites};
  snapshot.domains = domain_map(config.sites);
  for (const config::LinkEntry& link : config.links) {
    for (const auto& [from, to] : {std::pair{link.a, link.b}, {link.b, link.a}}) {
      snapshot.edges.push_back({.from = from, .to = to, .link_class = link.link_class});
      snapshot.edges.back().knowing = config::key_relays(config.links, {from, to});
    }
  }
  return snapshot;
}

const config::SiteEntry* find_origin(const Snapshot& snapshot) {
  const auto it = std::ranges::find(snapshot.sites, snapshot.origin, &config::SiteEntry::name);
  return it == snapshot.sites.end() ? nullptr : &*it;
}

std::vector<Resting> resting_of(const PolicyNode& policy, const std::vector<ShareTarget>& shares) {
  std::vector<Resting> resting;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const PolicyNode& child = policy.children.at(i);
    resting.push_back({child.number, shares[i].site});
    if (shares[i].nested.empty()) continue;
    const auto below = resting_of(child, shares[i].nested);
    resting.insert(resting.end(), below.begin(), below.end());
  }
  return resting;
}

double edge_price(const EdgeState& edge, std::uint64_t bytes) {
  const double needed = static_cast<double>(bytes);
  const double capacity = std::max(needed * kCapacityObjects, 1.0);
  const double filled = std::min(1.0, static_cast<double>(edge.residual_bytes) / capacity);
  const double rate = std::max(edge.inflow_bits_per_second, kNominalBitsPerSecond);
  return needed * 8 / rate * std::pow(kMu, 1 - filled);
}

namespace {

// Of shares that are cut of a record of `records`.
PlacementPlan make_plan(PlacementSearch::Found found, const sharing::Scheme& scheme,
                        const Snapshot& snapshot, const sharing::RecordLayout& records) {
  PlacementPlan plan{.shares = std::move(found.first), .price = found.second};
  const sharing::RecordLayout shares = records.below(scheme);
  add_edges(plan, plan.shares, shares);
  explain(plan, snapshot, shares.lengths({0}, shares.count()));
  std::string off = switched_off_text(snapshot);
  if (!off.empty()) plan.reasons.push_back(std::move(off));
  return plan;
}

// `what` has no legal placement, or none was found.
std::unexpected<Error> no_plan(const PlacementSearch& search, const Snapshot& snapshot,
                               const std::string& what) {
  const std::string limit =
      search.exhausted() ? fmt::format(" among the first {} tried; routes get in each other's way",
                                       kMaxStepsToFirstPlan)
                         : "";
  const std::string off = switched_off_text(snapshot);
  return fail(Code::kRefused,
              fmt::format("no legal placement for {}{}: {}{}{}", what, limit, search.exclusions(),
                          off.empty() ? "" : "; ", off),
              Reason::kNoPlacement);
}

void note_limit(const PlacementSearch& search, PlacementPlan& plan) {
  if (!search.exhausted()) return;
  plan.is_cheapest = false;
  plan.reasons.push_back(
      fmt::format("the cheapest of the first {} placements tried; a cheaper one may exist",
                  kMaxPlacementSteps));
}

Result<PlacementPlan> best_plan(PlacementSearch& search, const PolicyNode& policy,
                                const Snapshot& snapshot, const sharing::RecordLayout& records) {
  auto found = search.run();
  if (!found) return no_plan(search, snapshot, "policy '" + policy.text() + "'");
  // The search keeps the rules step by step; here they are asked for the whole plan.
  TRY(check_exposure(policy.scheme, found->first, snapshot.origin));
  TRY(check_domains(policy, snapshot.domains, resting_of(policy, found->first)));
  PlacementPlan plan = make_plan(std::move(*found), policy.scheme, snapshot, records);
  note_limit(search, plan);
  return plan;
}

}  // namespace

Result<PlacementPlan> plan_placement(const PolicyNode& policy, const Snapshot& snapshot,
                                     const sharing::RecordLayout& records) {
  PlacementSearch search(policy, snapshot, records);
  return best_plan(search, policy, snapshot, records);
}

Result<PlacementAdvice> advise_placement(const PolicyNode& policy, const Snapshot& snapshot,
                                         const sharing::RecordLayout& records) {
  PlacementSearch search(policy, snapshot, records);
  PlacementAdvice advice;
  TRY_ASSIGN(advice.plan, best_plan(search, policy, snapshot, records));
  advice.excluded = search.exclusions();
  advice.domains = nodes_by_domain(snapshot.domains, resting_of(policy, advice.plan.shares));
  if (auto other = search.run(&advice.plan.shares)) {
    advice.runner_up = make_plan(std::move(*other), policy.scheme, snapshot, records);
  }
  return advice;
}

namespace {

// The rules for a whole plan, asked once more.
Result<> check_parts(const PolicyNode& policy, const Snapshot& snapshot,
                     const StandingCut& standing, const std::vector<ShareTarget>& parts) {
  const PolicyNode& node = *policy.find(standing.share);
  const ShareTarget whole{
      .site = standing.holder, .route = {standing.holder}, .nested = parts, .cut = node.scheme};
  TRY(check_exposure(policy.find(standing.share.parent())->scheme, {whole}, snapshot.origin));
  for (const auto& [site, views] : views_of(parts, standing.share)) {
    if (site == standing.holder) continue;
    const auto before = standing.seen.find(site);
    Seen seen = before == standing.seen.end() ? Seen() : before->second;
    for (const sharing::SharePath& path : views) {
      if (site == snapshot.origin || !may_see(policy, seen, path)) {
        return fail(Code::kRefused, site.text() + " would see too much of the object",
                    Reason::kExposure);
      }
      seen.insert(path);
    }
  }
  std::vector<Resting> resting = resting_of(node, parts);
  const std::vector<Resting> fresh = resting;
  resting.insert(resting.end(), standing.resting.begin(), standing.resting.end());
  for (const Resting& part : fresh) {
    TRY(check_domains(policy, snapshot.domains, resting, part.site));
  }
  return {};
}

}  // namespace

Result<PlacementPlan> plan_parts(const PolicyNode& policy, const Snapshot& snapshot,
                                 const sharing::RecordLayout& records,
                                 const StandingCut& standing) {
  PlacementSearch search(policy, snapshot, records, &standing);
  auto found = search.run();
  if (!found) return no_plan(search, snapshot, "the parts of share " + standing.share.text());
  TRY(check_parts(policy, snapshot, standing, found->first));
  PlacementPlan plan = make_plan(std::move(*found), policy.find(standing.share)->scheme, snapshot,
                                 records_at(policy, records, standing.share));
  note_limit(search, plan);
  return plan;
}

std::optional<double> hours_for_key(const PlacementPlan& plan, const Snapshot& snapshot) {
  double hours = 0;
  for (const auto& [ends, bytes] : plan.bytes_by_edge) {
    const EdgeState* edge = find_edge(snapshot, ends.first, ends.second);
    if (edge->residual_bytes >= bytes) continue;
    if (edge->inflow_bits_per_second <= 0) return std::nullopt;
    const double missing = static_cast<double>(bytes - edge->residual_bytes) * 8;
    hours = std::max(hours, missing / edge->inflow_bits_per_second / 3600);
  }
  return hours;
}

std::vector<SiteName> way_along(const Route& route) {
  return route.empty() ? Route() : Route(route.begin() + 1, route.end());
}

std::vector<SiteName> way_against(const Route& route) {
  return way_along(Route(route.rbegin(), route.rend()));
}

std::string route_text(const Route& route) {
  std::string text;
  for (const SiteName& site : route) {
    if (!text.empty()) text += " > ";
    text += site.text();
  }
  return text;
}

}  // namespace warifu::planner
