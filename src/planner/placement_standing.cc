// What stands already when the parts of one share are placed.
#include <algorithm>

#include "planner/placement_search.h"

namespace warifu::planner {

void PlacementSearch::add_standing(const StandingCut& standing) {
  for (Node site = 0; site < graph_.size(); ++site) {
    const SiteName& name = graph_.site(site).name;
    const auto seen = standing.seen.find(name);
    closed_[site] =
        site != maker_ &&
        (site == origin_ || standing.closed.contains(name) ||
         (seen != standing.seen.end() && !may_touch(policy_, seen->second, standing.share)));
    if (seen == standing.seen.end() || site == maker_) continue;
    for (const auto& [number, cut] : cuts_) {
      const sharing::SharePath path = path_of(policy_, number);
      for (const sharing::SharePath& one : seen->second) {
        if (one.size() <= path.size() || !one.is_within(path)) continue;
        views_[site].touched[cut.number] |= 1U << one.step(path.size());
      }
    }
  }
  for (const View& view : views_) seen_before_.push_back(view.touched);
  for (const Resting& resting : standing.resting) {
    const Node site = graph_.find(resting.site);
    if (site != KeyGraph::kNone) views_[site].holds = true;
    const auto domains = snapshot_.domains.find(resting.site);
    if (domains == snapshot_.domains.end()) continue;
    for (std::size_t i = 0; i < domain_names_.size(); ++i) {
      if (domains->second.contains(domain_names_[i])) inside_[i].set(resting.node);
    }
  }
}

bool PlacementSearch::was_seen(const PolicyNode& cut) const {
  if (standing_ == nullptr) return false;
  const sharing::SharePath path = path_of(policy_, cut.number);
  return std::ranges::any_of(standing_->seen, [&](const auto& entry) {
    return std::ranges::any_of(entry.second, [&](const sharing::SharePath& one) {
      return one.size() > path.size() && one.is_within(path);
    });
  });
}

}  // namespace warifu::planner
