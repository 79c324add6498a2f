// What shares that are still to be placed cost at least.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "planner/placement_search.h"

namespace warifu::planner {
PlacementSearch::Together PlacementSearch::together(std::size_t group, std::size_t member,
                                                    std::size_t first, std::size_t last) {
  const Group& now = groups_[group];
  const Node source = source_of(now);
  const double beside = bound_beside(group, now.cut);
  if (beside == kHopeless) return {};
  const auto more_of = [&](std::size_t g, std::size_t from, std::size_t to) {
    std::vector<double> more(graph_.size(), Wanted::kUnfit);
    const auto& sites = choices(source, groups_[g]).sites;
    const std::size_t next = g == group ? member : 0;
    const std::size_t number = number_of(groups_[g], groups_[g].children[next]);
    for (std::size_t i = from; i < std::min(to, sites.size()); ++i) {
      const Node site = sites[i].site;
      if (views_[site].holds || !fits_domains(site, number)) continue;
      // What was seen before leaves a site one share of the cut, and not another.
      const bool was_seen = standing_ != nullptr && views_[site].touched[cut_of(now).number] != 0;
      if (was_seen && !may_see(site, groups_[g], groups_[g].children[next], nullptr)) continue;
      more[site] = beside_way(sites[i], g);
    }
    return more;
  };
  const std::size_t left = now.children.size() - member - 1;
  std::vector<Wanted> wanted = {{more_of(group, first, last + 1), 1}};
  if (left > 0) wanted.push_back({more_of(group, first + 1, SIZE_MAX), left});
  for (std::size_t g = now.cuts ? now.behind : group + 1; g < groups_.size();) {
    if (groups_[g].cut != now.cut) break;
    wanted.push_back({more_of(g, 0, SIZE_MAX), groups_[g].children.size()});
    g = groups_[g].cuts ? groups_[g].behind : g + 1;
  }
  auto ways = finder_->find(source, prices(now.bytes), rooms(now), wanted);
  if (!ways) return {};
  Together found{.least = ways->price * least_weight_ + beside};
  // Of interchangeable shares the one whose site comes first in the choices is placed first.
  std::vector<KeyGraph::Way> own = {std::move(ways->ways[0].front())};
  if (left > 0) std::ranges::move(ways->ways[1], std::back_inserter(own));
  const auto& sites = choices(source, now).sites;
  for (found.at = first; found.way.empty(); ++found.at) {
    const auto way = std::ranges::find_if(
        own, [&](const auto& each) { return each.back() == sites[found.at].site; });
    if (way != own.end()) found.way = std::move(*way);
  }
  --found.at;
  return found;
}

std::vector<std::size_t> PlacementSearch::rooms(const Group& group) const {
  const Cut& own = cut_of(group);
  const auto seen = [&](Node site, const Cut& cut, std::uint32_t more) {
    const int bits = std::popcount(views_[site].touched[cut.number] | more);
    return static_cast<std::size_t>(bits);
  };
  std::vector<std::size_t> rooms(graph_.size());
  for (Node site = 0; site < graph_.size(); ++site) {
    if (site == origin_ || closed_[site]) continue;
    const std::size_t privacy = own.node->scheme.privacy();
    std::size_t room = privacy - std::min(privacy, seen(site, own, 0));
    // What it has seen before it may see again; which that is the search looks at.
    if (standing_ != nullptr) room += std::size_t(std::popcount(seen_before_[site][own.number]));
    for (const auto& [cut, touched] : own.line) {
      if (makes(site, *cut)) {
        room = own.node->children.size();
        break;
      }
      if (seen(site, *cut, 1U << touched) > cut->node->scheme.privacy()) {
        room = 0;
        break;
      }
    }
    rooms[site] = room;
  }
  return rooms;
}

double PlacementSearch::bound(std::size_t group) {
  double least = 0;
  while (group < groups_.size()) {
    const Group& next = groups_[group];
    if (next.cuts) {
      least += cheapest_cut(source_of(next), group);
      group = next.behind;
    } else {
      least += cheapest(source_of(next), next);
      ++group;
    }
  }
  return least;
}

double PlacementSearch::cheapest(Node source, const Group& group) {
  const auto& sites = choices(source, group).sites;
  if (sites.size() < group.children.size()) {
    if (wants_reasons()) exclude(fmt::format("too few free sites carry '{}'", group.label));
    return kHopeless;
  }
  double sum = 0;
  for (std::size_t i = 0; i < group.children.size(); ++i) sum += sites[i].price;
  return sum;
}

double PlacementSearch::cheapest_cut(Node source, std::size_t group) {
  const auto [known, is_new] = cut_bounds_.try_emplace({source, group}, kHopeless);
  if (!is_new) return known->second;
  double least = kHopeless;
  for (const Candidate& at : choices(source, groups_[group]).sites) {
    if (at.price >= least) break;
    least = std::min(least, at.price + cheapest_parts(at.site, group));
  }
  return cut_bounds_[{source, group}] = least;
}

double PlacementSearch::cheapest_parts(Node site, std::size_t group) {
  const auto [known, is_new] = part_bounds_.try_emplace({site, group}, kHopeless);
  if (!is_new) return known->second;
  const std::size_t behind = groups_[group].behind;
  std::vector<Wanted> wanted;
  for (std::size_t next = group + 1; next < behind;) {
    const Group& inner = groups_[next];
    Wanted& one = wanted.emplace_back(std::vector<double>(graph_.size(), Wanted::kUnfit),
                                      inner.children.size());
    for (const Candidate& at : choices(site, inner).sites) {
      one.more[at.site] = beside_way(at, next);
    }
    next = inner.cuts ? inner.behind : next + 1;
  }
  const Group& first = groups_[group + 1];
  std::vector<std::size_t> room(graph_.size(), cut_of(first).node->scheme.privacy());
  room[origin_] = 0;
  const auto ways = finder_->find(site, prices(first.bytes), room, wanted);
  if (!ways && crowded_ == KeyGraph::kNone) crowded_ = site;
  return part_bounds_[{site, group}] = ways ? ways->price * least_weight_ : kHopeless;
}

double PlacementSearch::beside_way(const Candidate& at, std::size_t group) {
  const double weight = graph_.site(at.site).weight;
  const double parts = groups_[group].cuts ? cheapest_parts(at.site, group) : 0;
  // at.price is the cheapest way by the site's own weight.
  return (parts + at.price * (1 - least_weight_ / weight)) / least_weight_;
}

double PlacementSearch::bound_beside(std::size_t group, std::size_t cut) {
  while (group < groups_.size() && groups_[group].cut == cut) {
    group = groups_[group].cuts ? groups_[group].behind : group + 1;
  }
  return bound(group);
}

}  // namespace warifu::planner
