// Ways of zero shares and what they show.
#include "upkeep/refresh_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace warifu::upkeep {
namespace {

using planner::KeyGraph;
using planner::PolicyNode;
using planner::Seen;
using planner::ShareLocation;

// One dealer's ways, each the best that there is.
class Dealing {
 public:
  Dealing(const RefreshField& field, const KeyGraph& graph) : field_(field), graph_(graph) {
    holders_.resize(graph.size());
    inner_holders_.resize(graph.size());
    all_.resize(graph.size());
    for (const auto& [site, seen] : field.seen) mark(all_, site);
    for (const ShareLocation& share : field.shares) {
      mark(all_, share.site);
      mark(holders_, share.site);
      if (!share.path.is_top()) mark(inner_holders_, share.site);
    }
  }

  Result<RefreshPlan> plan(const SiteName& dealer) {
    RefreshPlan plan{.dealer = dealer, .ways = {}, .bytes_by_edge = {}};
    const KeyGraph::Node source = graph_.find(dealer);
    if (source == KeyGraph::kNone) return fail(Code::kRefused, dealer.text() + " does not answer");
    for (const ShareLocation& share : field_.shares) {
      if (share.site == dealer) {
        plan.ways.push_back({share, {dealer}});
        continue;
      }
      TRY(add_way(plan, source, share));
    }
    TRY(check_zero_views(field_.policy, dealer, plan.ways));
    return plan;
  }

 private:
  void mark(std::vector<bool>& sites, const SiteName& site) const {
    const KeyGraph::Node node = graph_.find(site);
    if (node != KeyGraph::kNone) sites[node] = true;
  }

  // Over strangers to the object, or strangers to its present shares; over holders of whole shares
  // only where each of them knows all of the top cut's zero shares anyway.
  Result<> add_way(RefreshPlan& plan, KeyGraph::Node source, const ShareLocation& share) const {
    const KeyGraph::Node target = graph_.find(share.site);
    if (target == KeyGraph::kNone) {
      return fail(Code::kRefused, share.site.text() + " does not answer");
    }
    const auto records = planner::records_at(field_.policy, field_.records, share.path);
    const std::uint64_t bytes = records.lengths({0}, records.count());
    const std::vector<double> prices = graph_.prices(bytes);
    std::vector<const std::vector<bool>*> levels = {&all_, &holders_};
    if (field_.policy.scheme.privacy() == 1) levels.push_back(&inner_holders_);
    for (const std::vector<bool>* banned : levels) {
      const KeyGraph::Tree tree = graph_.grow(source, prices, *banned);
      if (tree.price[target] == KeyGraph::kUnreachable) continue;
      const KeyGraph::Way way = KeyGraph::way(tree, target);
      ZeroWay made{share, graph_.route(way)};
      for (const KeyGraph::Node node : graph_.knowing(way)) {
        made.knowing.insert(graph_.site(node).name);
      }
      plan.price += tree.price[target];
      for (std::size_t hop = 0; hop + 1 < made.route.size(); ++hop) {
        plan.bytes_by_edge[{made.route[hop], made.route[hop + 1]}] += bytes;
      }
      plan.ways.push_back(std::move(made));
      return {};
    }
    return fail(Code::kRefused, fmt::format("the zero share of {} has no way from {} to {} but "
                                            "over sites that would know too much",
                                            share.letter(), plan.dealer.text(), share.site.text()));
  }

  const RefreshField& field_;
  const KeyGraph& graph_;
  std::vector<bool> all_, holders_, inner_holders_;
};

}  // namespace

std::uint64_t RefreshPlan::key_bytes() const {
  return std::accumulate(bytes_by_edge.begin(), bytes_by_edge.end(), std::uint64_t{0},
                         [](std::uint64_t all, const auto& edge) { return all + edge.second; });
}

ZeroViews zero_views(const PolicyNode& policy, const SiteName& dealer,
                     const std::vector<ZeroWay>& ways) {
  ZeroViews views;
  for (const ZeroWay& way : ways) {
    for (const SiteName& site : way.route) views[site].insert(way.at.path);
    for (const SiteName& site : way.knowing) views[site].insert(way.at.path);
  }
  for (const auto& [path, node] : planner::share_paths(policy)) views[dealer].insert(path);
  return views;
}

namespace {

std::size_t known_of(const PolicyNode& cut, const sharing::SharePath& path, const Seen& known) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < cut.children.size(); ++i) count += known.count(path.part(i));
  return count;
}

// From the leaves up: more shares of a cut than its privacy may tell what was cut.
void follow_up(const PolicyNode& cut, const sharing::SharePath& path, Seen& known) {
  for (std::size_t i = 0; i < cut.children.size(); ++i) {
    if (!cut.children[i].is_leaf()) follow_up(cut.children[i], path.part(i), known);
  }
  if (!path.is_object() && known_of(cut, path, known) > cut.scheme.privacy()) known.insert(path);
}

// And down again: what was cut, zero at the top, and privacy() shares determine the others.
void follow_down(const PolicyNode& cut, const sharing::SharePath& path, Seen& known) {
  const bool is_known = path.is_object() || known.contains(path);
  const bool all = is_known && known_of(cut, path, known) >= cut.scheme.privacy();
  for (std::size_t i = 0; i < cut.children.size(); ++i) {
    if (all) known.insert(path.part(i));
    if (!cut.children[i].is_leaf()) follow_down(cut.children[i], path.part(i), known);
  }
}

}  // namespace

Seen known_zeros(const PolicyNode& policy, Seen shown) {
  follow_up(policy, {}, shown);
  follow_down(policy, {}, shown);
  return shown;
}

Result<> check_zero_views(const PolicyNode& policy, const SiteName& dealer,
                          const std::vector<ZeroWay>& ways) {
  const ZeroViews views = zero_views(policy, dealer, ways);
  const std::size_t privacy = policy.scheme.privacy();
  for (const auto& [site, shown] : views) {
    if (site == dealer) continue;
    const Seen known = known_zeros(policy, shown);
    const auto own = std::ranges::find(ways, site, [](const ZeroWay& way) { return way.at.site; });
    const bool is_higher =
        own != ways.end() && std::ranges::any_of(known, [&](const sharing::SharePath& path) {
          return path.size() < own->at.path.size();
        });
    if (is_higher) {
      return fail(Code::kRefused, site.text() +
                                      " holds a part and would know how the share that "
                                      "was cut changes");
    }
    const auto tops = static_cast<std::size_t>(
        std::ranges::count_if(known, [](const sharing::SharePath& path) { return path.is_top(); }));
    if (privacy > 1 && tops >= privacy) {
      return fail(Code::kRefused, site.text() + " would know as much as the dealer");
    }
  }
  return {};
}

std::map<SiteName, Seen> still_seen(const PolicyNode& policy,
                                    const std::vector<ShareLocation>& shares,
                                    const std::map<SiteName, Seen>& seen, const ZeroViews& views) {
  std::map<SiteName, Seen> still;
  for (const auto& [site, before] : seen) {
    const auto shown = views.find(site);
    if (shown == views.end()) continue;
    const Seen known = known_zeros(policy, shown->second);
    for (const sharing::SharePath& path : before) {
      if (known.contains(path)) still[site].insert(path);
    }
  }
  for (const ShareLocation& share : shares) still[share.site].insert(share.path);
  return still;
}

std::set<SiteName> keepers(const std::vector<ShareLocation>& shares,
                           const std::map<SiteName, Seen>& seen) {
  std::map<SiteName, Seen> held;
  for (const ShareLocation& share : shares) held[share.site].insert(share.path);
  std::set<SiteName> more;
  for (const auto& [site, what] : seen) {
    if (what != held[site]) more.insert(site);
  }
  return more;
}

std::size_t dealers_needed(const PolicyNode& policy) {
  return policy.scheme.privacy() > 1 ? policy.scheme.threshold : 1;
}

Result<RefreshPlan> plan_refresh(const RefreshField& field, const std::optional<SiteName>& dealer,
                                 const std::set<SiteName>& used) {
  const KeyGraph graph(field.snapshot);
  Dealing dealing(field, graph);
  std::optional<RefreshPlan> best;
  std::pair<std::size_t, double> best_price;
  std::vector<std::string> reasons;
  for (const ShareLocation& share : field.shares) {
    if (!share.path.is_top() || (dealer ? share.site != *dealer : used.contains(share.site)))
      continue;
    auto plan = dealing.plan(share.site);
    if (!plan) {
      reasons.push_back(fmt::format("{}: {}", share.site.text(), plan.error().message));
      continue;
    }
    const auto still = still_seen(field.policy, field.shares, field.seen,
                                  zero_views(field.policy, share.site, plan->ways));
    const std::pair price{keepers(field.shares, still).size(), plan->price};
    if (best && best_price <= price) continue;
    best = std::move(*plan);
    best_price = price;
  }
  if (best) return std::move(*best);
  const std::string off = planner::switched_off_text(field.snapshot);
  return fail(Code::kRefused,
              fmt::format("nobody can deal the zero shares of a refresh: {}{}{}",
                          reasons.empty() ? "no other site holds a whole share"
                                          : fmt::format("{}", fmt::join(reasons, "; ")),
                          off.empty() ? "" : "; ", off));
}

}  // namespace warifu::upkeep
