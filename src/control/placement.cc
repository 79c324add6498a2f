// Prices, the plan and its reasons; routes are those that requests travel.
#include "control/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "control/placement_search.h"

namespace warifu::control {
namespace {

constexpr double kMu = 200;
// Fuller than this many objects' worth of key counts as full.
constexpr double kCapacityObjects = 4;
// Rate assumed for links without inflow (preshared): the weight of a common commercial link.
constexpr double kNominalBitsPerSecond = 10e6;

const EdgeState* find_edge(const Snapshot& snapshot, const SiteName& from, const SiteName& to) {
  for (const EdgeState& edge : snapshot.edges) {
    if (edge.from == from && edge.to == to) return &edge;
  }
  return nullptr;
}

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

Snapshot configured_network(const SiteConfig& config) {
  Snapshot snapshot{.origin = config.name, .sites = config.sites, .links = config.links};
  for (const LinkEntry& link : config.links) {
    snapshot.edges.push_back({link.a, link.b, link.link_class, 0, 0, {}});
    snapshot.edges.push_back({link.b, link.a, link.link_class, 0, 0, {}});
  }
  return snapshot;
}

double edge_price(const EdgeState& edge, std::uint64_t bytes) {
  const double needed = static_cast<double>(bytes);
  const double capacity = std::max(needed * kCapacityObjects, 1.0);
  const double filled = std::min(1.0, static_cast<double>(edge.residual_bytes) / capacity);
  const double rate = std::max(edge.inflow_bits_per_second, kNominalBitsPerSecond);
  return needed * 8 / rate * std::pow(kMu, 1 - filled);
}

std::optional<std::pair<Route, double>> priced_route(const Snapshot& snapshot, const SiteName& from,
                                                     const SiteName& to, std::uint64_t bytes) {
  const Route route = travel_route(snapshot.links, from, to);
  if (route.empty()) return std::nullopt;
  double price = 0;
  for (std::size_t i = 0; i + 1 < route.size(); ++i) {
    const EdgeState* edge = find_edge(snapshot, route[i], route[i + 1]);
    if (edge == nullptr) return std::nullopt;
    price += edge_price(*edge, bytes);
  }
  return std::pair{route, price};
}

Result<PlacementPlan> plan_placement(const PolicyNode& policy, const Snapshot& snapshot,
                                     const sharing::RecordLayout& records) {
  PlacementSearch search(policy, snapshot, records);
  auto found = search.run();
  if (!found) {
    return fail(
        Code::kRefused,
        fmt::format("no legal placement for policy '{}'{}: {}", policy.text(),
                    search.exhausted() ? fmt::format(" among the first {} tried; routes get "
                                                     "in each other's way",
                                                     kMaxPlacementSteps)
                                       : "",
                    search.exclusions()));
  }
  // The search keeps the rule step by step; here it is asked for the whole plan.
  TRY(check_exposure(policy.scheme, found->first, snapshot.origin));
  PlacementPlan plan;
  plan.shares = std::move(found->first);
  plan.price = found->second;
  const sharing::RecordLayout shares = records.below(policy.scheme);
  add_edges(plan, plan.shares, shares);
  explain(plan, snapshot, shares.lengths({0}, shares.count()));
  if (search.exhausted()) {
    plan.reasons.push_back(
        fmt::format("the cheapest of the first {} placements tried; a cheaper "
                    "one may exist",
                    kMaxPlacementSteps));
  }
  return plan;
}

std::string route_text(const Route& route) {
  std::string text;
  for (const SiteName& site : route) {
    if (!text.empty()) text += " > ";
    text += site.text();
  }
  return text;
}

}  // namespace warifu::control
