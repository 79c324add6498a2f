// Plans as JSON.
#include "control/plan_json.h"

#include <boost/json.hpp>

namespace warifu::control {
namespace {

namespace json = boost::json;

void add_targets(const std::vector<planner::ShareTarget>& targets, const sharing::SharePath& cut,
                 json::array& list) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const planner::ShareTarget& target = targets[i];
    const sharing::SharePath path = cut.part(i);
    list.push_back({{"share", path.text()},
                    {"site", target.site.text()},
                    {"route", planner::route_text(target.route)},
                    {"cut_again", !target.nested.empty()}});
    add_targets(target.nested, path, list);
  }
}

json::object plan_json(const planner::PlacementPlan& plan, const planner::Snapshot& snapshot) {
  json::array shares, edges;
  add_targets(plan.shares, {}, shares);
  std::uint64_t key_bytes = 0;
  for (const auto& [ends, bytes] : plan.bytes_by_edge) {
    const planner::EdgeState* edge = planner::find_edge(snapshot, ends.first, ends.second);
    key_bytes += bytes;
    edges.push_back({{"from", ends.first.text()},
                     {"to", ends.second.text()},
                     {"bytes", bytes},
                     {"residual_bytes", edge->residual_bytes},
                     {"price", planner::edge_price(*edge, bytes)}});
  }
  const auto hours = planner::hours_for_key(plan, snapshot);
  return {{"price", plan.price},
          {"key_bytes", key_bytes},
          {"hours_for_key", hours ? json::value(*hours) : json::value(nullptr)},
          {"shares", std::move(shares)},
          {"links", std::move(edges)}};
}

// What the plan has in every failure domain, and what stays without it.
json::array domains_json(const planner::PlacementAdvice& advice,
                         const planner::PolicyNode& policy) {
  json::array list;
  for (const auto& [domain, inside] : advice.domains) {
    json::array shares;
    for (const auto& [path, node] : planner::share_paths(policy)) {
      if (inside.test(node->number)) shares.emplace_back(path.text());
    }
    list.push_back({{"domain", domain},
                    {"shares", std::move(shares)},
                    {"left_without_it", planner::surviving_children(policy, inside)},
                    {"needed", policy.scheme.threshold}});
  }
  return list;
}

json::object inputs_json(const NetworkView& view) {
  json::array links, sites, missing;
  for (const planner::EdgeState& edge : view.snapshot.edges) {
    links.push_back({{"from", edge.from.text()},
                     {"to", edge.to.text()},
                     {"class", kme::link_class_name(edge.link_class)},
                     {"residual_bytes", edge.residual_bytes},
                     {"carries_shares", edge.carries},
                     {"inflow_bits_per_second", edge.inflow_bits_per_second}});
  }
  for (const config::SiteEntry& site : view.snapshot.sites) {
    const auto space = view.snapshot.free_bytes.find(site.name);
    sites.push_back(
        {{"site", site.name.text()},
         {"labels", json::array(site.labels.begin(), site.labels.end())},
         {"region", site.region},
         {"failure_domains", json::array(site.failure_domains.begin(), site.failure_domains.end())},
         {"accepts_shares", site.accepts_shares},
         {"weight", site.weight},
         {"free_bytes", space == view.snapshot.free_bytes.end() ? 0 : space->second}});
  }
  for (const auto& [site, why] : view.missing) {
    missing.push_back({{"site", site.text()}, {"why", why.message}});
  }
  return {{"origin", view.snapshot.origin.text()},
          {"links", std::move(links)},
          {"sites", std::move(sites)},
          {"missing", std::move(missing)}};
}

}  // namespace

json::object advice_json(const planner::PlacementAdvice& advice, const planner::PolicyNode& policy,
                         const NetworkView& view) {
  json::object object = {{"chosen", plan_json(advice.plan, view.snapshot)}};
  object["runner_up"] = advice.runner_up ? json::value(plan_json(*advice.runner_up, view.snapshot))
                                         : json::value(nullptr);
  object["excluded"] = advice.excluded;
  object["reasons"] = json::array(advice.plan.reasons.begin(), advice.plan.reasons.end());
  object["failure_domains"] = domains_json(advice, policy);
  object["fragile"] = policy.fragile;
  object["inputs"] = inputs_json(view);
  return object;
}

}  // namespace warifu::control
