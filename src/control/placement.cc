// Exhaustive search over assignments (small networks); routes are those that requests travel.
#include "control/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace warifu::control {
namespace {

constexpr double kMu = 200;
// Fuller than this many objects' worth of key counts as full.
constexpr double kCapacityObjects = 4;
// Rate assumed for links without inflow (preshared): the weight of a common commercial link.
constexpr double kNominalBitsPerSecond = 10e6;

bool carries(const SiteEntry& site, const std::string& label) {
  return site.name.text() == label || std::ranges::find(site.labels, label) != site.labels.end();
}

const EdgeState* find_edge(const Snapshot& snapshot, const SiteName& from, const SiteName& to) {
  for (const EdgeState& edge : snapshot.edges) {
    if (edge.from == from && edge.to == to) return &edge;
  }
  return nullptr;
}

// Searches assignments child by child, keeping the cheapest complete one.
class Search {
 public:
  Search(const Snapshot& snapshot, std::uint64_t bytes) : snapshot_(snapshot), bytes_(bytes) {}

  // Chooses a site for each child of `policy`, routes starting at `source`. `taken` may hold
  // nothing.
  std::optional<std::pair<std::vector<ShareTarget>, double>> assign(const PolicyNode& policy,
                                                                    const SiteName& source,
                                                                    std::set<SiteName> taken) {
    best_.reset();
    std::vector<ShareTarget> chosen;
    extend(policy, source, chosen, std::move(taken), 0);
    return std::move(best_);
  }
  [[nodiscard]] const std::string& last_exclusion() const { return exclusion_; }

 private:
  void exclude(std::string why) {
    if (exclusion_.empty()) exclusion_ = std::move(why);
  }

  void extend(const PolicyNode& policy, const SiteName& source, std::vector<ShareTarget>& chosen,
              const std::set<SiteName>& taken, double price) {
    if (best_ && price >= best_->second) return;
    if (chosen.size() == policy.children.size()) {
      best_ = {chosen, price};
      return;
    }
    const PolicyNode& child = policy.children[chosen.size()];
    const std::string& label = child.is_leaf() ? child.label : child.via;
    bool any = false;
    for (const SiteEntry& site : snapshot_.sites) {
      const bool fits = label == "origin" ? site.name == snapshot_.origin
                                          : site.name != source && carries(site, label);
      if (!fits || taken.contains(site.name)) continue;
      any = true;
      try_site(policy, child, source, site, chosen, taken, price);
    }
    if (!any) exclude(fmt::format("no free site carries '{}'", label));
  }

  void try_site(const PolicyNode& policy, const PolicyNode& child, const SiteName& source,
                const SiteEntry& site, std::vector<ShareTarget>& chosen,
                const std::set<SiteName>& taken, double price) {
    const auto space = snapshot_.free_bytes.find(site.name);
    if (space != snapshot_.free_bytes.end() && space->second < bytes_) {
      return exclude(fmt::format("{} has no space for a share", site.name.text()));
    }
    std::vector<SiteName> banned(taken.begin(), taken.end());
    std::erase(banned, source);
    const auto route = priced_route(snapshot_, source, site.name, bytes_, banned);
    if (!route) {
      return exclude(fmt::format("no route from {} to {} that avoids the sites of other shares",
                                 source.text(), site.name.text()));
    }
    ShareTarget target{site.name, route->first, {}};
    double cost = route->second;
    std::set<SiteName> now_taken = taken;
    for (const SiteName& on_route : route->first) {
      if (on_route != source) now_taken.insert(on_route);
    }
    now_taken.insert(site.name);
    if (!child.is_leaf()) {
      Search inner(snapshot_, bytes_);
      std::set<SiteName> inner_taken = now_taken;
      inner_taken.insert(source);
      auto nested = inner.assign(child, site.name, inner_taken);
      if (!nested) return exclude(inner.last_exclusion());
      target.nested = std::move(nested->first);
      cost += nested->second;
      for (const ShareTarget& share : target.nested) now_taken.insert(share.site);
    }
    chosen.push_back(std::move(target));
    extend(policy, source, chosen, now_taken, price + cost);
    chosen.pop_back();
  }

  const Snapshot& snapshot_;
  std::uint64_t bytes_;
  std::optional<std::pair<std::vector<ShareTarget>, double>> best_;
  std::string exclusion_;
};

void add_edges(PlacementPlan& plan, const std::vector<ShareTarget>& targets, std::uint64_t bytes) {
  for (const ShareTarget& target : targets) {
    for (std::size_t i = 0; i + 1 < target.route.size(); ++i) {
      plan.bytes_by_edge[{target.route[i], target.route[i + 1]}] += bytes;
    }
    add_edges(plan, target.nested, bytes);
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

double edge_price(const EdgeState& edge, std::uint64_t bytes) {
  const double needed = static_cast<double>(bytes);
  const double capacity = std::max(needed * kCapacityObjects, 1.0);
  const double filled = std::min(1.0, static_cast<double>(edge.residual_bytes) / capacity);
  const double rate = std::max(edge.inflow_bits_per_second, kNominalBitsPerSecond);
  return needed * 8 / rate * std::pow(kMu, 1 - filled);
}

std::optional<std::pair<Route, double>> priced_route(const Snapshot& snapshot,
                                                     const SiteName& from, const SiteName& to,
                                                     std::uint64_t bytes,
                                                     const std::vector<SiteName>& banned) {
  const Route route = travel_route(snapshot.links, from, to);
  if (route.empty()) return std::nullopt;
  double price = 0;
  for (std::size_t i = 0; i + 1 < route.size(); ++i) {
    const EdgeState* edge = find_edge(snapshot, route[i], route[i + 1]);
    const bool is_banned = std::ranges::find(banned, route[i + 1]) != banned.end();
    if (edge == nullptr || is_banned) return std::nullopt;
    price += edge_price(*edge, bytes);
  }
  return std::pair{route, price};
}

Result<PlacementPlan> plan_placement(const PolicyNode& policy, const Snapshot& snapshot,
                                     std::uint64_t share_bytes) {
  Search search(snapshot, share_bytes);
  auto found = search.assign(policy, snapshot.origin, {});
  if (!found) {
    return fail(Code::kRefused, fmt::format("no legal placement for policy '{}': {}", policy.text(),
                                            search.last_exclusion()));
  }
  PlacementPlan plan;
  plan.shares = std::move(found->first);
  plan.price = found->second;
  add_edges(plan, plan.shares, share_bytes);
  explain(plan, snapshot, share_bytes);
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
