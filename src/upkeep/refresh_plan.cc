// Ways of zero shares and what they show.
#include "upkeep/refresh_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "upkeep/zero_cut.h"

namespace warifu::upkeep {
namespace {

using control::KeyGraph;
using control::PolicyNode;
using control::Seen;
using control::ShareLocation;

void show(Seen& seen, const ShareLocation& share) {
  const auto top = static_cast<std::size_t>(share.top);
  if (share.nested) {
    seen.parts[top].insert(share.part);
  } else {
    seen.shares.insert(top);
  }
}

bool has(const Seen& seen, std::size_t top, std::size_t part) {
  const auto found = seen.parts.find(top);
  return found != seen.parts.end() && found->second.contains(part);
}

std::size_t parts_in(const Seen& seen, std::size_t top) {
  const auto found = seen.parts.find(top);
  return found == seen.parts.end() ? 0 : found->second.size();
}

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
      if (share.nested) mark(inner_holders_, share.site);
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
    const auto records = records_at(field_.policy, field_.records, place_at(share));
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
                                            share.letter, plan.dealer.text(), share.site.text()));
  }

  const RefreshField& field_;
  const KeyGraph& graph_;
  std::vector<bool> all_, holders_, inner_holders_;
};

}  // namespace

TreePlace place_at(const ShareLocation& share) {
  TreePlace place{.top = static_cast<std::uint8_t>(share.top), .part = {}};
  if (share.nested) place.part = static_cast<std::uint8_t>(share.part);
  return place;
}

std::uint64_t RefreshPlan::key_bytes() const {
  return std::accumulate(bytes_by_edge.begin(), bytes_by_edge.end(), std::uint64_t{0},
                         [](std::uint64_t all, const auto& edge) { return all + edge.second; });
}

ZeroViews zero_views(const PolicyNode& policy, const SiteName& dealer,
                     const std::vector<ZeroWay>& ways) {
  ZeroViews views;
  for (const ZeroWay& way : ways) {
    for (const SiteName& site : way.route) show(views[site], way.at);
    for (const SiteName& site : way.knowing) show(views[site], way.at);
  }
  for (std::size_t top = 0; top < policy.children.size(); ++top) {
    views[dealer].shares.insert(top);
    for (std::size_t part = 0; part < policy.children[top].children.size(); ++part) {
      views[dealer].parts[top].insert(part);
    }
  }
  return views;
}

Seen known_zeros(const PolicyNode& policy, Seen shown) {
  const auto add_parts = [&](std::size_t top) {
    const PolicyNode& cut = policy.children[top];
    if (cut.is_leaf() || !shown.shares.contains(top)) return;
    if (parts_in(shown, top) < cut.scheme.privacy()) return;
    for (std::size_t part = 0; part < cut.children.size(); ++part) shown.parts[top].insert(part);
  };
  for (std::size_t top = 0; top < policy.children.size(); ++top) {
    const PolicyNode& cut = policy.children[top];
    if (!cut.is_leaf() && parts_in(shown, top) > cut.scheme.privacy()) shown.shares.insert(top);
  }
  if (shown.shares.size() >= policy.scheme.privacy()) {
    for (std::size_t top = 0; top < policy.children.size(); ++top) shown.shares.insert(top);
  }
  for (std::size_t top = 0; top < policy.children.size(); ++top) add_parts(top);
  return shown;
}

Result<> check_zero_views(const PolicyNode& policy, const SiteName& dealer,
                          const std::vector<ZeroWay>& ways) {
  const ZeroViews views = zero_views(policy, dealer, ways);
  const std::size_t privacy = policy.scheme.privacy();
  for (const auto& [site, shown] : views) {
    if (site == dealer) continue;
    const Seen known = known_zeros(policy, shown);
    const bool is_inner = std::ranges::any_of(
        ways, [&](const ZeroWay& way) { return way.at.nested && way.at.site == site; });
    if (is_inner && !known.shares.empty()) {
      return fail(Code::kRefused, site.text() +
                                      " holds a part and would know how the share that "
                                      "was cut changes");
    }
    if (privacy > 1 && known.shares.size() >= privacy) {
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
    for (const std::size_t top : before.shares) {
      if (known.shares.contains(top)) still[site].shares.insert(top);
    }
    for (const auto& [top, parts] : before.parts) {
      for (const std::size_t part : parts) {
        if (has(known, top, part)) still[site].parts[top].insert(part);
      }
    }
  }
  for (const ShareLocation& share : shares) show(still[share.site], share);
  return still;
}

std::set<SiteName> keepers(const std::vector<ShareLocation>& shares,
                           const std::map<SiteName, Seen>& seen) {
  std::map<SiteName, Seen> held;
  for (const ShareLocation& share : shares) show(held[share.site], share);
  std::set<SiteName> more;
  for (const auto& [site, what] : seen) {
    const Seen& own = held[site];
    if (what.shares != own.shares || what.parts != own.parts) more.insert(site);
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
    if (share.nested || (dealer ? share.site != *dealer : used.contains(share.site))) continue;
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
  const std::string off = control::switched_off_text(field.snapshot);
  return fail(Code::kRefused,
              fmt::format("nobody can deal the zero shares of a refresh: {}{}{}",
                          reasons.empty() ? "no other site holds a whole share"
                                          : fmt::format("{}", fmt::join(reasons, "; ")),
                          off.empty() ? "" : "; ", off));
}

}  // namespace warifu::upkeep
