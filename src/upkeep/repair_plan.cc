// Search over helpers, chains and ways.
#include "upkeep/repair_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "config/site_selector.h"
#include "planner/key_graph.h"
#include "upkeep/share_sets.h"

namespace warifu::upkeep {
namespace {

using planner::KeyGraph;
using planner::ShareLocation;
using Helpers = ShareList;
using Bans = std::vector<std::vector<bool>>;  // for each part: sites that must not see it pass

// Longer chains are taken in one order only: as they come.
constexpr std::size_t kPermuted = 5;
// So many ways of the messages of one chain are looked at.
constexpr std::size_t kMaxDetours = 64;

std::uint64_t bytes_of(const RepairField& field, const ShareLocation& share) {
  const auto records = planner::records_at(field.policy, field.records, share.path);
  return records.lengths({0}, records.count());
}

// Sets of holders whose parts sum up to the lost share: threshold-many others of its cut.
std::vector<Helpers> helper_sets(const RepairField& field, const ShareLocation& lost) {
  const sharing::SharePath cut = lost.path.parent();
  const planner::PolicyNode& node = *field.policy.find(cut);
  std::vector<sharing::SharePath> others;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (cut.part(i) != lost.path) others.push_back(cut.part(i));
  }
  const ShareSets sets(field.policy, field.shares, kMaxRepairTrials);
  return sets.of_any(others, node.scheme.threshold);
}

class Search {
 public:
  Search(const RepairField& field, const ShareLocation& made)
      : field_(field),
        made_(made),
        bytes_(bytes_of(field, made)),
        graph_(field.snapshot),
        prices_(graph_.prices(bytes_)) {}

  void try_helpers(Helpers helpers) {
    if (helpers.size() > 64) return;
    std::ranges::sort(helpers, {}, [](const ShareLocation* share) { return share->site; });
    do {
      if (++trials_ > kMaxRepairTrials) return;
      try_chain(helpers);
    } while (helpers.size() <= kPermuted &&
             std::ranges::next_permutation(helpers, {}, [](const ShareLocation* share) {
               return share->site;
             }).found);
  }

  Result<RepairPlan> best() {
    if (best_) return std::move(*best_);
    const std::string why = reasons_.empty() ? "too few of the other shares are there"
                                             : fmt::format("{}", fmt::join(reasons_, "; "));
    const std::string off = planner::switched_off_text(field_.snapshot);
    return fail(Code::kRefused,
                fmt::format("no legal way to have share {} at {}: {}{}{}", made_.letter(),
                            made_.site.text(), why, off.empty() ? "" : "; ", off));
  }

 private:
  void note(std::string why) {
    if (reasons_.size() < 4 && std::ranges::find(reasons_, why) == reasons_.end()) {
      reasons_.push_back(std::move(why));
    }
  }

  // Masks between neighbours; nothing when two of them have no link.
  bool add_masks(const Helpers& helpers, RepairPlan& plan) {
    for (std::size_t i = 0; i + 1 < helpers.size(); ++i) {
      const SiteName& from = helpers[i]->site;
      const SiteName& to = helpers[i + 1]->site;
      const planner::EdgeState* edge = planner::find_edge(field_.snapshot, from, to);
      if (edge == nullptr || !edge->carries) {
        note(from.text() + " and " + to.text() + " have no link to draw a mask from");
        return false;
      }
      plan.sum.parts[i].mask_knowing = edge->knowing;
      plan.price += planner::edge_price(*edge, bytes_);
      plan.bytes_by_edge[{from, to}] += bytes_;
    }
    return true;
  }

  // Who knows a mask of a part must not see it, even where the other mask would do: its giver would
  // refuse (share_giver.h).
  void ban_partners(const SumOfParts& sum, std::size_t part, std::vector<bool>& banned) const {
    const auto ban = [&](const SiteName& site) {
      const KeyGraph::Node node = graph_.find(site);
      if (node != KeyGraph::kNone) banned[node] = true;
    };
    if (part > 0) {
      ban(sum.parts[part - 1].at.site);
      std::ranges::for_each(sum.parts[part - 1].mask_knowing, ban);
    }
    if (part + 1 < sum.parts.size()) ban(sum.parts[part + 1].at.site);
    std::ranges::for_each(sum.parts[part].mask_knowing, ban);
  }

  bool add_ways(RepairPlan& plan, const Bans& bans) {
    const KeyGraph::Node target = graph_.find(made_.site);
    for (std::size_t i = 0; i < plan.sum.parts.size(); ++i) {
      PartWay& part = plan.sum.parts[i];
      const KeyGraph::Node source = graph_.find(part.at.site);
      if (source == KeyGraph::kNone || target == KeyGraph::kNone) {
        note((source == KeyGraph::kNone ? part.at.site : made_.site).text() + " does not answer");
        return false;
      }
      const KeyGraph::Tree tree = graph_.grow(source, prices_, bans[i]);
      if (tree.price[target] == KeyGraph::kUnreachable) {
        note("share " + part.at.letter() + " has no way to " + made_.site.text() +
             " but over sites that would see too much");
        return false;
      }
      const KeyGraph::Way way = KeyGraph::way(tree, target);
      part.route = graph_.route(way);
      part.knowing.clear();
      for (const KeyGraph::Node node : graph_.knowing(way)) {
        part.knowing.insert(graph_.site(node).name);
      }
      plan.price += tree.price[target];
      for (std::size_t hop = 0; hop + 1 < part.route.size(); ++hop) {
        plan.bytes_by_edge[{part.route[hop], part.route[hop + 1]}] += bytes_;
      }
    }
    return true;
  }

  // Best first. Where a site sees too much, one of the messages that it sees has to take another
  // way: each of them in turn, for a site may often see some but not all.
  void try_chain(const Helpers& helpers) {
    RepairPlan masks;
    masks.sum.made = made_;
    for (const ShareLocation* helper : helpers)
      masks.sum.parts.push_back({.at = *helper, .route = {}});
    if (!add_masks(helpers, masks)) return;
    std::multimap<double, std::pair<RepairPlan, Bans>> open;
    std::set<Bans> known;
    const auto add = [&](Bans bans) {
      if (!known.insert(bans).second) return;
      RepairPlan plan = masks;
      if (add_ways(plan, bans))
        open.emplace(plan.price, std::pair{std::move(plan), std::move(bans)});
    };
    Bans partners(helpers.size(), std::vector<bool>(graph_.size()));
    for (std::size_t i = 0; i < partners.size(); ++i) ban_partners(masks.sum, i, partners[i]);
    add(std::move(partners));
    for (std::size_t tried = 0; !open.empty() && tried < kMaxDetours; ++tried) {
      auto [plan, bans] = std::move(open.extract(open.begin()).mapped());
      if (best_ && best_->price <= plan.price) return;
      const auto over = who_sees_too_much(field_.policy, field_.seen, views_of(plan.sum));
      if (!over) {
        best_ = std::move(plan);
        return;
      }
      note(over->text() + " would see too much of the object");
      const KeyGraph::Node node = graph_.find(*over);
      if (node == KeyGraph::kNone) return;
      for (std::size_t i = 0; i < bans.size(); ++i) {
        const PartWay& part = plan.sum.parts[i];
        const bool end = *over == part.at.site || *over == made_.site;
        const bool sees = part.knowing.contains(*over) ||
                          std::ranges::find(part.route, *over) != part.route.end();
        if (end || !sees) continue;
        Bans more = bans;
        more[i][node] = true;
        add(std::move(more));
      }
    }
  }

  const RepairField& field_;
  const ShareLocation& made_;
  std::uint64_t bytes_;
  KeyGraph graph_;
  std::vector<double> prices_;
  std::size_t trials_ = 0;
  std::optional<RepairPlan> best_;
  std::vector<std::string> reasons_;
};

const planner::PolicyNode& node_of(const RepairField& field, const ShareLocation& share) {
  const planner::PolicyNode* node = field.policy.find(share.path);
  WARIFU_CHECK(node != nullptr);
  return *node;
}

}  // namespace

Result<> check_domains_at(const RepairField& field, const ShareLocation& share,
                          const SiteName& site) {
  if (site == share.site) return {};
  std::vector<planner::Resting> resting = {{node_of(field, share).number, site}};
  for (const ShareLocation& other : field.shares) {
    resting.push_back({node_of(field, other).number, other.site});
  }
  return planner::check_domains(field.policy, field.snapshot.domains, resting, site);
}

std::uint64_t RepairPlan::key_bytes() const {
  return std::accumulate(bytes_by_edge.begin(), bytes_by_edge.end(), std::uint64_t{0},
                         [](std::uint64_t all, const auto& edge) { return all + edge.second; });
}

std::optional<SiteName> who_sees_too_much(const planner::PolicyNode& policy,
                                          const std::map<SiteName, planner::Seen>& seen,
                                          const std::vector<planner::SourceView>& views) {
  std::map<SiteName, planner::Seen> all = seen;
  for (const planner::SourceView& view : views) {
    planner::Seen& before = all[view.site];
    if (!planner::may_see(policy, before, view.path)) return view.site;
    before.insert(view.path);
  }
  return std::nullopt;
}

std::vector<SiteName> resting_places(const RepairField& field, const ShareLocation& share,
                                     std::vector<std::string>* closed) {
  std::vector<SiteName> places;
  const config::SiteEntry* origin = planner::find_origin(field.snapshot);
  for (const config::SiteEntry& site : field.snapshot.sites) {
    const bool holds = std::ranges::any_of(
        field.shares, [&](const ShareLocation& other) { return other.site == site.name; });
    const auto room = field.snapshot.free_bytes.find(site.name);
    const bool fits =
        room != field.snapshot.free_bytes.end() && room->second > bytes_of(field, share);
    if (holds || !fits || !config::may_place(node_of(field, share).holder(), site, origin) ||
        who_sees_too_much(field.policy, field.seen, {{site.name, share.path}})) {
      continue;
    }
    if (const auto domains = check_domains_at(field, share, site.name); !domains) {
      if (closed != nullptr) closed->push_back(site.name.text() + ": " + domains.error().message);
      continue;
    }
    places.insert(site.name == share.site ? places.begin() : places.end(), site.name);
  }
  return places;
}

Result<RepairPlan> plan_repair(const RepairField& field, const ShareLocation& lost,
                               const SiteName& target) {
  ShareLocation made = lost;
  made.site = target;
  Search search(field, made);
  for (Helpers& helpers : helper_sets(field, lost)) search.try_helpers(std::move(helpers));
  return search.best();
}

Result<RepairPlan> plan_move(const RepairField& field, const ShareLocation& share,
                             const SiteName& target) {
  ShareLocation made = share;
  made.site = target;
  Search search(field, made);
  search.try_helpers({&share});
  return search.best();
}

}  // namespace warifu::upkeep
