// Search over sums, chains and ways.
#include "upkeep/audit_plan.h"

#include <algorithm>
#include <deque>

#include "upkeep/share_auditor.h"

namespace warifu::upkeep {
namespace {

using planner::ShareLocation;

constexpr std::size_t kMaxSets = 256;
constexpr std::size_t kMaxTries = 4000;

// Sets of `k` out of `items`, those of the first ones first.
template <typename Item>
std::vector<std::vector<Item>> sets_of(const std::vector<Item>& items, std::size_t k) {
  std::vector<std::vector<Item>> sets;
  if (items.size() < k) return sets;
  std::vector<bool> taken(items.size());
  std::fill(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(k), true);
  do {
    std::vector<Item> set;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (taken[i]) set.push_back(items[i]);
    }
    sets.push_back(std::move(set));
  } while (sets.size() < kMaxSets && std::prev_permutation(taken.begin(), taken.end()));
  return sets;
}

}  // namespace

ShareSets AuditPlanner::sets() const {
  return {field_.policy, field_.shares, kMaxSets};
}

// The way over the fewest links on which nobody sees the holder's answers who may not.
std::optional<planner::Route> AuditPlanner::route_of(const SiteName& holder,
                                                     const std::vector<PlannedSum>& sums) const {
  if (holder == field_.collector) return planner::Route{holder};
  const auto may_see = [&](const std::set<SiteName>& seeing) {
    return std::ranges::all_of(sums, [&](const PlannedSum& planned) {
      return !planned.sum.place_of(holder) ||
             check_seeing(field_.links, planned.sum, field_.collector, seeing);
    });
  };
  const auto passes = [&](const planner::Route& route) {
    std::set<SiteName> seeing(route.begin(), route.end());
    seeing.merge(config::key_relays(field_.links, route));
    seeing.erase(holder);
    return may_see(seeing);
  };
  if (const auto* direct = config::find_link(field_.links, holder, field_.collector);
      direct != nullptr && passes({holder, field_.collector})) {
    return planner::Route{holder, field_.collector};
  }
  std::map<SiteName, SiteName> before = {{holder, holder}};
  std::deque<SiteName> open = {holder};
  while (!open.empty() && !before.contains(field_.collector)) {
    const SiteName at = open.front();
    open.pop_front();
    for (const config::LinkEntry& link : field_.links) {
      if (link.is_relayed() || (link.a != at && link.b != at)) continue;
      const SiteName& next = link.a == at ? link.b : link.a;
      if (before.contains(next) || !may_see({next})) continue;
      before[next] = at;
      open.push_back(next);
    }
  }
  if (!before.contains(field_.collector)) return std::nullopt;
  planner::Route route = {field_.collector};
  while (route.back() != holder) route.push_back(before.at(route.back()));
  std::ranges::reverse(route);
  return route;
}

// Takes the chain if all of its holders have a way to the collector, with the sums that they have a
// part in already.
bool AuditPlanner::settle(const Shares& chain, const sharing::SharePath& cut) {
  PlannedSum planned{.sum = {}, .letters = {}, .cut = cut};
  for (const ShareLocation* share : chain) {
    planned.sum.chain.push_back({share->site, share->path});
    planned.letters.insert(share->letter());
  }
  std::vector<PlannedSum> sums = sums_;
  sums.push_back(planned);
  std::map<SiteName, planner::Route> routes = routes_;
  for (const ShareLocation* share : chain) {
    auto route = route_of(share->site, sums);
    if (!route) return false;
    routes[share->site] = std::move(*route);
  }
  sums_ = std::move(sums);
  routes_ = std::move(routes);
  return true;
}

bool AuditPlanner::chain_up(Shares& chain, Shares& rest, const sharing::SharePath& cut,
                            std::size_t& tries) {
  if (rest.empty()) return settle(chain, cut);
  for (std::size_t i = 0; i < rest.size() && tries < kMaxTries; ++i) {
    const ShareLocation* next = rest[i];
    ++tries;
    if (!chain.empty()) {
      // The collector stands in front, or not at all.
      if (next->site == field_.collector) continue;
      if (config::find_link(field_.links, chain.back()->site, next->site) == nullptr) continue;
    }
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    chain.push_back(next);
    const bool found = chain_up(chain, rest, cut, tries);
    chain.pop_back();
    rest.insert(rest.begin() + static_cast<std::ptrdiff_t>(i), next);
    if (found) return true;
  }
  return false;
}

bool AuditPlanner::add(const Shares& shares, const sharing::SharePath& cut) {
  if (sums_.size() == kMaxAuditSums || shares.size() > kMaxHelpers) return false;
  std::set<SiteName> sites;
  for (const ShareLocation* share : shares) sites.insert(share->site);
  if (sites.size() != shares.size()) return false;
  Shares chain, rest = shares;
  // The collector stands in front when it stands there at all.
  std::ranges::stable_partition(
      rest, [&](const ShareLocation* share) { return share->site == field_.collector; });
  if (sites.contains(field_.collector)) {
    chain.push_back(rest.front());
    rest.erase(rest.begin());
  }
  std::size_t tries = 0;
  return chain_up(chain, rest, cut, tries);
}

// Whatever stands in a sum already comes first, so that all sums hang together.
void AuditPlanner::cover(const sharing::SharePath& cut) {
  const planner::PolicyNode& node = *field_.policy.find(cut);
  const std::vector<sharing::SharePath> there = sets().there(cut);
  std::set<sharing::SharePath> covered;
  for (const sharing::SharePath& share : there) {
    if (covered.contains(share)) continue;
    std::vector<sharing::SharePath> others = there;
    std::erase(others, share);
    std::ranges::stable_partition(
        others, [&](const sharing::SharePath& other) { return covered.contains(other); });
    bool found = false;
    for (auto& chosen : sets_of(others, node.scheme.threshold)) {
      chosen.push_back(share);
      std::ranges::sort(chosen);
      for (const Shares& sum : sets().of_all(chosen)) {
        if ((found = add(sum, cut))) break;
      }
      if (!found) continue;
      covered.insert(chosen.begin(), chosen.end());
      break;
    }
  }
}

void AuditPlanner::cover() {
  cover(sharing::SharePath());
  for (const auto& [path, node] : planner::share_paths(field_.policy)) {
    if (!node->is_leaf()) cover(path);
  }
}

void AuditPlanner::tell_apart(const std::set<std::string>& suspects,
                              const std::vector<PlannedSum>& known, std::size_t most) {
  const auto splits = [&](const Shares& shares, const sharing::SharePath& cut) {
    std::set<std::string> letters, names;
    for (const ShareLocation* share : shares) {
      letters.insert(share->letter());
      // What it stands for in the sum, on every level below the cut.
      for (std::size_t steps = cut.size() + 1; steps <= share->path.size(); ++steps) {
        names.insert(share->path.above(steps).text());
      }
    }
    const auto in = std::ranges::count_if(
        suspects, [&](const std::string& name) { return names.contains(name); });
    const bool is_known = std::ranges::any_of(known, [&](const PlannedSum& planned) {
      return planned.letters == letters && planned.cut == cut;
    });
    return in > 0 && static_cast<std::size_t>(in) < suspects.size() && !is_known;
  };
  std::vector<std::pair<sharing::SharePath, const planner::PolicyNode*>> cuts;
  for (const auto& entry : planner::share_paths(field_.policy)) {
    if (!entry.second->is_leaf()) cuts.push_back(entry);
  }
  cuts.emplace_back(sharing::SharePath(), &field_.policy);
  for (const auto& [cut, node] : cuts) {
    for (const auto& chosen : sets_of(sets().there(cut), node->scheme.threshold + 1U)) {
      for (const Shares& sum : sets().of_all(chosen)) {
        if (sums_.size() < most && splits(sum, cut)) add(sum, cut);
      }
    }
  }
}

std::map<std::string, std::string> AuditPlanner::left_out() const {
  std::map<std::string, std::string> left;
  for (const ShareLocation& share : field_.shares) {
    const bool stands = std::ranges::any_of(
        sums_, [&](const PlannedSum& sum) { return sum.letters.contains(share.letter()); });
    if (stands) continue;
    const sharing::SharePath cut = share.path.parent();
    const bool enough = sets().there(cut).size() > field_.policy.find(cut)->scheme.threshold;
    left[share.letter()] = enough ? "its site has no links to share masks over without a site that "
                                    "would see too much"
                                  : "too few other shares can be asked to hold it against";
  }
  return left;
}

std::set<std::string> suspects_of(const std::vector<ShareLocation>& shares,
                                  const std::vector<SumOutcome>& outcomes) {
  std::set<std::string> names;
  const auto explains = [&](const auto& spoils) {
    return std::ranges::all_of(outcomes, [&](const SumOutcome& outcome) {
      return outcome.holds != spoils(outcome.planned);
    });
  };
  if (std::ranges::all_of(outcomes, &SumOutcome::holds)) return names;
  for (const ShareLocation& share : shares) {
    if (explains([&](const PlannedSum& sum) { return sum.letters.contains(share.letter()); })) {
      names.insert(share.letter());
    }
    // A share that was cut again spoils the sums in which its parts stand for it.
    for (std::size_t steps = 1; steps < share.path.size(); ++steps) {
      const sharing::SharePath whole = share.path.above(steps);
      if (explains([&](const PlannedSum& sum) {
            return sum.cut.size() < steps &&
                   std::ranges::any_of(
                       sum.sum.chain,
                       [&](const Helper& helper) { return helper.place.is_within(whole); });
          })) {
        names.insert(whole.text());
      }
    }
  }
  return names;
}

}  // namespace warifu::upkeep
