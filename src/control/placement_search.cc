// Branch and bound over groups of interchangeable shares.
#include "control/placement_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace warifu::control {
namespace {

constexpr std::size_t kMaxExclusions = 3;  // that are told
constexpr double kImpossible = std::numeric_limits<double>::infinity();

bool carries(const SiteEntry& site, const std::string& label) {
  return site.name.text() == label || std::ranges::find(site.labels, label) != site.labels.end();
}

std::size_t count(std::uint32_t bits) {
  return static_cast<std::size_t>(std::popcount(bits));
}

}  // namespace

PlacementSearch::PlacementSearch(const PolicyNode& policy, const Snapshot& snapshot,
                                 const sharing::RecordLayout& records)
    : policy_(policy), snapshot_(snapshot), chosen_(policy.children.size()) {
  const sharing::RecordLayout shares = records.below(policy.scheme);
  top_bytes_ = shares.lengths({0}, shares.count());
  for (std::size_t i = 0; i < policy.children.size(); ++i) {
    const PolicyNode& child = policy.children[i];
    if (child.is_leaf()) continue;
    const sharing::RecordLayout parts = shares.below(child.scheme);
    part_bytes_[i] = parts.lengths({0}, parts.count());
    chosen_[i].cut = child.scheme;
    chosen_[i].nested.resize(child.children.size());
  }
  add_groups(policy, kTop);
}

void PlacementSearch::add_groups(const PolicyNode& cut, std::size_t owner) {
  const std::size_t begin = groups_.size();
  for (std::size_t i = 0; i < cut.children.size(); ++i) {
    const PolicyNode& child = cut.children[i];
    if (!child.is_leaf()) {
      groups_.push_back({child.via, {i}, owner, true});
      add_groups(child, i);
      continue;
    }
    const auto same = std::find_if(
        groups_.begin() + static_cast<std::ptrdiff_t>(begin), groups_.end(),
        [&](const Group& g) { return !g.cuts && g.owner == owner && g.label == child.label; });
    if (same == groups_.end()) {
      groups_.push_back({child.label, {i}, owner, false});
    } else {
      same->children.push_back(i);
    }
  }
}

std::optional<std::pair<std::vector<ShareTarget>, double>> PlacementSearch::run() {
  place(0, 0, 0, 0);
  return best_;
}

void PlacementSearch::place(std::size_t group, std::size_t member, std::size_t first,
                            double price) {
  if (exhausted()) return;
  ++steps_;
  if (group == groups_.size()) return keep_if_better(price);
  const Group& now = groups_[group];
  if (member == now.children.size()) return place(group + 1, 0, 0, price);
  const std::size_t child = now.children[member];
  const SiteName source = now.owner == kTop ? snapshot_.origin : chosen_[now.owner].site;
  const auto& choices = candidates(source, now);
  const std::size_t more = now.children.size() - member;
  if (choices.size() < first + more) {
    return exclude(fmt::format("too few free sites carry '{}'", now.label));
  }
  // A cut's own parts depend on the site chosen for it; for all other groups the bound stands.
  const double later = bound(now.cuts ? behind_cut(group) : group + 1);
  for (std::size_t i = first; i + more <= choices.size(); ++i) {
    double least = price + later;
    for (std::size_t j = i; j < i + more; ++j) least += choices[j].price;
    if (least == kImpossible || (best_ && least >= best_->second)) return;
    std::map<SiteName, View> undo;
    if (!apply(now, child, choices[i], undo)) continue;
    ShareTarget& target = target_of(now, child);
    target.site = choices[i].site->name;
    target.route = choices[i].route;
    place(group, member + 1, i + 1, price + choices[i].price);
    for (auto& [site, view] : undo) views_[site] = std::move(view);
    if (exhausted()) return;
  }
}

ShareTarget& PlacementSearch::target_of(const Group& group, std::size_t child) {
  return group.owner == kTop ? chosen_[child] : chosen_[group.owner].nested[child];
}

bool PlacementSearch::apply(const Group& group, std::size_t child, const Candidate& candidate,
                            std::map<SiteName, View>& undo) {
  const auto take_back = [&] {
    for (auto& [site, view] : undo) views_[site] = std::move(view);
    return false;
  };
  if (views_[candidate.site->name].holds) {
    exclude(fmt::format("{} holds another share already", candidate.site->name.text()));
    return false;
  }
  for (const SiteName& site : candidate.route) {
    View& view = views_[site];
    undo.emplace(site, view);
    if (site == candidate.site->name) view.holds = true;
    if (!touch(view, site, group, child)) return take_back();
  }
  return true;
}

bool PlacementSearch::touch(View& view, const SiteName& site, const Group& group,
                            std::size_t child) {
  const bool is_part = group.owner != kTop;
  if (is_part && site == chosen_[group.owner].site) return true;  // made the cut
  if (site == snapshot_.origin) {
    if (is_part) exclude(fmt::format("{} cut the object and would see parts again", site.text()));
    return !is_part;
  }
  view.shares |= 1U << (is_part ? group.owner : child);
  std::size_t seen = count(view.shares);
  const sharing::Scheme* scheme = &policy_.scheme;
  if (is_part && seen <= scheme->privacy()) {
    view.parts[group.owner] |= 1U << child;
    seen = count(view.parts[group.owner]);
    scheme = &policy_.children[group.owner].scheme;
  }
  if (seen <= scheme->privacy()) return true;
  exclude(
      fmt::format("{} would hold or relay {} shares of one '{}' cut, which keeps its secret "
                  "from {} only; no route avoids the sites of other shares",
                  site.text(), seen, scheme->text(), scheme->privacy()));
  return false;
}

const std::vector<PlacementSearch::Candidate>& PlacementSearch::candidates(const SiteName& source,
                                                                           const Group& group) {
  const std::uint64_t bytes = group.owner == kTop ? top_bytes_ : part_bytes_[group.owner];
  const auto [it, is_new] = candidates_.try_emplace({source, group.label, bytes});
  if (!is_new) return it->second;
  for (const SiteEntry& site : snapshot_.sites) {
    const bool fits = group.label == "origin" ? site.name == snapshot_.origin
                                              : site.name != source && carries(site, group.label);
    if (!fits) continue;
    const auto space = snapshot_.free_bytes.find(site.name);
    if (space != snapshot_.free_bytes.end() && space->second < bytes) {
      exclude(fmt::format("{} has no space for a share", site.name.text()));
      continue;
    }
    auto route = priced_route(snapshot_, source, site.name, bytes);
    if (!route) {
      exclude(fmt::format("no route from {} to {}", source.text(), site.name.text()));
      continue;
    }
    it->second.push_back({&site, std::move(route->first), route->second});
  }
  if (it->second.empty()) exclude(fmt::format("no site can be used for '{}'", group.label));
  std::ranges::stable_sort(it->second, {}, &Candidate::price);
  return it->second;
}

std::size_t PlacementSearch::behind_cut(std::size_t group) const {
  const std::size_t owner = groups_[group].children.front();
  std::size_t next = group + 1;
  while (next < groups_.size() && groups_[next].owner == owner) ++next;
  return next;
}

double PlacementSearch::bound(std::size_t group) {
  double least = 0;
  while (group < groups_.size()) {
    const Group& next = groups_[group];
    if (next.cuts) {
      const auto [it, is_new] = cut_bounds_.try_emplace(group, 0.0);
      if (is_new) it->second = cheapest_cut(group);
      least += it->second;
      group = behind_cut(group);
    } else {
      least += cheapest(next.owner == kTop ? snapshot_.origin : chosen_[next.owner].site, next);
      ++group;
    }
  }
  return least;
}

double PlacementSearch::cheapest(const SiteName& source, const Group& group) {
  const auto& choices = candidates(source, group);
  if (choices.size() < group.children.size()) return kImpossible;
  double sum = 0;
  for (std::size_t i = 0; i < group.children.size(); ++i) sum += choices[i].price;
  return sum;
}

double PlacementSearch::cheapest_cut(std::size_t group) {
  double least = kImpossible;
  for (const Candidate& at : candidates(snapshot_.origin, groups_[group])) {
    double price = at.price;
    for (std::size_t next = group + 1; next < behind_cut(group); ++next) {
      price += cheapest(at.site->name, groups_[next]);
    }
    least = std::min(least, price);
  }
  return least;
}

void PlacementSearch::keep_if_better(double price) {
  if (best_ && price >= best_->second) return;
  best_ = {chosen_, price};
  // Among interchangeable shares the sites stand in the order of the network, not of the prices.
  const auto place_of = [&](const ShareTarget& target) {
    return std::ranges::find(snapshot_.sites, target.site, &SiteEntry::name);
  };
  for (const Group& group : groups_) {
    auto& targets = group.owner == kTop ? best_->first : best_->first[group.owner].nested;
    std::vector<ShareTarget> members;
    for (const std::size_t child : group.children) members.push_back(targets[child]);
    std::ranges::stable_sort(members, {}, place_of);
    for (std::size_t i = 0; i < members.size(); ++i) targets[group.children[i]] = members[i];
  }
}

void PlacementSearch::exclude(const std::string& why) {
  if (exclusions_.size() == kMaxExclusions) return;
  if (std::ranges::find(exclusions_, why) == exclusions_.end()) exclusions_.push_back(why);
}

std::string PlacementSearch::exclusions() const {
  std::string text;
  for (const std::string& why : exclusions_) text += (text.empty() ? "" : "; ") + why;
  return text;
}

}  // namespace warifu::control
