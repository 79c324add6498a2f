// Search over sums, chains and ways.
#include "upkeep/audit_plan.h"

#include <algorithm>
#include <deque>

#include "control/share_letters.h"
#include "upkeep/share_auditor.h"

namespace warifu::upkeep {
namespace {

using control::ShareLocation;

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

TreePlace place_of(const ShareLocation& share) {
  TreePlace place{.top = static_cast<std::uint8_t>(share.top), .part = {}};
  if (share.nested) place.part = static_cast<std::uint8_t>(share.part);
  return place;
}

}  // namespace

AuditPlanner::Shares AuditPlanner::parts_of(std::size_t top) const {
  Shares parts;
  for (const ShareLocation& share : field_.shares) {
    if (share.nested && static_cast<std::size_t>(share.top) == top) parts.push_back(&share);
  }
  return parts;
}

std::vector<AuditPlanner::Shares> AuditPlanner::ways_to_have(std::size_t top) const {
  for (const ShareLocation& share : field_.shares) {
    if (!share.nested && static_cast<std::size_t>(share.top) == top) return {{&share}};
  }
  const control::PolicyNode& cut = field_.policy.children[top];
  return cut.is_leaf() ? std::vector<Shares>{} : sets_of(parts_of(top), cut.scheme.threshold);
}

std::vector<std::size_t> AuditPlanner::tops_there() const {
  std::vector<std::size_t> tops;
  for (std::size_t top = 0; top < field_.policy.children.size(); ++top) {
    if (!ways_to_have(top).empty()) tops.push_back(top);
  }
  return tops;
}

// All ways to have just these top shares.
std::vector<AuditPlanner::Shares> AuditPlanner::top_sums(const std::set<std::size_t>& tops) const {
  std::vector<Shares> sums = {{}};
  for (const std::size_t top : tops) {
    std::vector<Shares> longer;
    for (const Shares& sum : sums) {
      for (const Shares& way : ways_to_have(top)) {
        if (longer.size() == kMaxSets) break;
        longer.push_back(sum);
        longer.back().insert(longer.back().end(), way.begin(), way.end());
      }
    }
    sums = std::move(longer);
  }
  return sums;
}

// The way over the fewest links on which nobody sees the holder's answers who may not.
std::optional<control::Route> AuditPlanner::route_of(const SiteName& holder,
                                                     const std::vector<PlannedSum>& sums) const {
  if (holder == field_.collector) return control::Route{holder};
  const auto may_see = [&](const std::set<SiteName>& seeing) {
    return std::ranges::all_of(sums, [&](const PlannedSum& planned) {
      return !planned.sum.place_of(holder) ||
             check_seeing(field_.links, planned.sum, field_.collector, seeing);
    });
  };
  const auto passes = [&](const control::Route& route) {
    std::set<SiteName> seeing(route.begin(), route.end());
    seeing.merge(control::key_relays(field_.links, route));
    seeing.erase(holder);
    return may_see(seeing);
  };
  if (const auto* direct = control::find_link(field_.links, holder, field_.collector);
      direct != nullptr && passes({holder, field_.collector})) {
    return control::Route{holder, field_.collector};
  }
  std::map<SiteName, SiteName> before = {{holder, holder}};
  std::deque<SiteName> open = {holder};
  while (!open.empty() && !before.contains(field_.collector)) {
    const SiteName at = open.front();
    open.pop_front();
    for (const control::LinkEntry& link : field_.links) {
      if (link.is_relayed() || (link.a != at && link.b != at)) continue;
      const SiteName& next = link.a == at ? link.b : link.a;
      if (before.contains(next) || !may_see({next})) continue;
      before[next] = at;
      open.push_back(next);
    }
  }
  if (!before.contains(field_.collector)) return std::nullopt;
  control::Route route = {field_.collector};
  while (route.back() != holder) route.push_back(before.at(route.back()));
  std::ranges::reverse(route);
  return route;
}

// Takes the chain if all of its holders have a way to the collector, with the sums that they have a
// part in already.
bool AuditPlanner::settle(const Shares& chain, std::optional<std::size_t> within) {
  PlannedSum planned{.sum = {}, .letters = {}, .within = within, .tops = {}};
  for (const ShareLocation* share : chain) {
    planned.sum.chain.push_back({share->site, place_of(*share)});
    planned.letters.insert(share->letter);
    planned.tops.insert(static_cast<std::size_t>(share->top));
  }
  std::vector<PlannedSum> sums = sums_;
  sums.push_back(planned);
  std::map<SiteName, control::Route> routes = routes_;
  for (const ShareLocation* share : chain) {
    auto route = route_of(share->site, sums);
    if (!route) return false;
    routes[share->site] = std::move(*route);
  }
  sums_ = std::move(sums);
  routes_ = std::move(routes);
  return true;
}

bool AuditPlanner::chain_up(Shares& chain, Shares& rest, std::optional<std::size_t> within,
                            std::size_t& tries) {
  if (rest.empty()) return settle(chain, within);
  for (std::size_t i = 0; i < rest.size() && tries < kMaxTries; ++i) {
    const ShareLocation* next = rest[i];
    ++tries;
    if (!chain.empty()) {
      // The collector stands in front, or not at all.
      if (next->site == field_.collector) continue;
      if (control::find_link(field_.links, chain.back()->site, next->site) == nullptr) continue;
    }
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    chain.push_back(next);
    const bool found = chain_up(chain, rest, within, tries);
    chain.pop_back();
    rest.insert(rest.begin() + static_cast<std::ptrdiff_t>(i), next);
    if (found) return true;
  }
  return false;
}

bool AuditPlanner::add(const Shares& shares, std::optional<std::size_t> within) {
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
  return chain_up(chain, rest, within, tries);
}

// Whatever stands in a sum already comes first, so that all sums hang together.
void AuditPlanner::cover_tops() {
  std::vector<std::size_t> tops = tops_there();
  std::set<std::size_t> covered;
  for (const std::size_t top : tops_there()) {
    if (covered.contains(top)) continue;
    std::vector<std::size_t> others = tops;
    std::erase(others, top);
    std::ranges::stable_partition(others, [&](std::size_t t) { return covered.contains(t); });
    bool found = false;
    for (const auto& chosen : sets_of(others, field_.policy.scheme.threshold)) {
      std::set<std::size_t> set(chosen.begin(), chosen.end());
      set.insert(top);
      for (const Shares& sum : top_sums(set)) {
        if ((found = add(sum, std::nullopt))) break;
      }
      if (!found) continue;
      covered.merge(set);
      break;
    }
  }
}

void AuditPlanner::cover_parts(std::size_t top) {
  const Shares parts = parts_of(top);
  std::set<const ShareLocation*> covered;
  for (const ShareLocation* part : parts) {
    if (covered.contains(part)) continue;
    Shares others = parts;
    std::erase(others, part);
    std::ranges::stable_partition(others,
                                  [&](const ShareLocation* p) { return covered.contains(p); });
    for (Shares& set : sets_of(others, field_.policy.children[top].scheme.threshold)) {
      set.push_back(part);
      if (!add(set, top)) continue;
      covered.insert(set.begin(), set.end());
      break;
    }
  }
}

void AuditPlanner::cover() {
  cover_tops();
  for (std::size_t top = 0; top < field_.policy.children.size(); ++top) cover_parts(top);
}

void AuditPlanner::tell_apart(const std::set<std::string>& suspects,
                              const std::vector<PlannedSum>& known, std::size_t most) {
  const auto splits = [&](const Shares& shares, std::optional<std::size_t> within) {
    std::set<std::string> letters, names;
    for (const ShareLocation* share : shares) {
      letters.insert(share->letter);
      names.insert(share->letter);
      if (share->nested && !within) names.insert(control::top_letter(share->top));
    }
    const auto in = std::ranges::count_if(
        suspects, [&](const std::string& name) { return names.contains(name); });
    const bool is_known = std::ranges::any_of(known, [&](const PlannedSum& planned) {
      return planned.letters == letters && planned.within == within;
    });
    return in > 0 && static_cast<std::size_t>(in) < suspects.size() && !is_known;
  };
  for (std::size_t top = 0; top < field_.policy.children.size(); ++top) {
    const control::PolicyNode& cut = field_.policy.children[top];
    if (cut.is_leaf()) continue;
    for (const Shares& set : sets_of(parts_of(top), cut.scheme.threshold + 1U)) {
      if (sums_.size() < most && splits(set, top)) add(set, top);
    }
  }
  for (const auto& chosen : sets_of(tops_there(), field_.policy.scheme.threshold + 1U)) {
    for (const Shares& sum : top_sums({chosen.begin(), chosen.end()})) {
      if (sums_.size() < most && splits(sum, std::nullopt)) add(sum, std::nullopt);
    }
  }
}

std::map<std::string, std::string> AuditPlanner::left_out() const {
  std::map<std::string, std::string> left;
  for (const ShareLocation& share : field_.shares) {
    const bool stands = std::ranges::any_of(
        sums_, [&](const PlannedSum& sum) { return sum.letters.contains(share.letter); });
    if (stands) continue;
    const bool enough = tops_there().size() > field_.policy.scheme.threshold;
    left[share.letter] = enough ? "its site has no links to share masks over without a site that "
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
    if (explains([&](const PlannedSum& sum) { return sum.letters.contains(share.letter); })) {
      names.insert(share.letter);
    }
    if (share.nested && explains([&](const PlannedSum& sum) {
          return !sum.within && sum.tops.contains(static_cast<std::size_t>(share.top));
        })) {
      names.insert(control::top_letter(share.top));
    }
  }
  return names;
}

}  // namespace warifu::upkeep
