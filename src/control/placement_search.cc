// Branch and bound over groups of interchangeable shares.
#include "control/placement_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "control/disjoint_pair.h"
#include "control/share_letters.h"
#include "control/site_selector.h"

namespace warifu::control {
namespace {

constexpr std::size_t kMaxExclusions = 3;  // that are told, of failure domains and of all else
constexpr std::size_t kMaxWays = 24;       // to one site, that are tried
constexpr double kImpossible = KeyGraph::kUnreachable;

std::size_t count(std::uint32_t bits) {
  return static_cast<std::size_t>(std::popcount(bits));
}

}  // namespace

PlacementSearch::PlacementSearch(const PolicyNode& policy, const Snapshot& snapshot,
                                 const sharing::RecordLayout& records)
    : policy_(policy),
      snapshot_(snapshot),
      graph_(snapshot),
      origin_(graph_.find(snapshot.origin)),
      views_(graph_.size()),
      domains_(graph_.size()),
      chosen_(policy.children.size()),
      nested_(policy.children.size()) {
  const sharing::RecordLayout shares = records.below(policy.scheme);
  top_bytes_ = shares.lengths({0}, shares.count());
  for (std::size_t i = 0; i < policy.children.size(); ++i) {
    const PolicyNode& child = policy.children[i];
    if (child.is_leaf()) continue;
    const sharing::RecordLayout parts = shares.below(child.scheme);
    part_bytes_[i] = parts.lengths({0}, parts.count());
    nested_[i].resize(child.children.size());
  }
  add_groups(policy, kTop);
  std::map<std::string, std::size_t> known;
  for (const auto& [site, names] : snapshot.domains) {
    const Node node = graph_.find(site);
    if (node == KeyGraph::kNone) continue;
    for (const std::string& name : names) {
      const auto [it, is_new] = known.try_emplace(name, known.size());
      if (is_new) domain_names_.push_back(name);
      domains_[node].push_back(it->second);
    }
  }
  inside_.resize(domain_names_.size());
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

std::optional<PlacementSearch::Found> PlacementSearch::run(
    const std::vector<ShareTarget>* other_than) {
  avoided_.clear();
  for (const Group& group : groups_) {
    if (other_than == nullptr) break;
    const auto& targets = group.owner == kTop ? *other_than : (*other_than)[group.owner].nested;
    std::set<SiteName>& sites = avoided_.emplace_back();
    for (const std::size_t child : group.children) sites.insert(targets[child].site);
  }
  best_.reset();
  steps_ = 0;
  if (origin_ != KeyGraph::kNone) {
    place(0, 0, 0, 0);
  } else {
    exclude(snapshot_.origin.text() + " does not answer");
  }
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
  const Choices& all = choices(source_of(now), now);
  const std::size_t more = now.children.size() - member;
  if (all.sites.size() < first + more) {
    return exclude(fmt::format("too few free sites carry '{}'", now.label));
  }
  // A cut's own parts depend on the site chosen for it; for all other groups the bound stands.
  const double later = bound(now.cuts ? behind_cut(group) : group + 1);
  const std::vector<bool> banned = banned_for(now, child);
  const KeyGraph::Tree tree = graph_.grow(source_of(now), prices(bytes_of(now)), banned);
  for (std::size_t i = first; i + more <= all.sites.size() && !exhausted(); ++i) {
    double rest = later;
    for (std::size_t j = i + 1; j < i + more; ++j) rest += all.sites[j].price;
    const double least = price + all.sites[i].price + rest;
    if (least == kImpossible || (best_ && least >= best_->second)) return;
    try_site({group, member, i, price, rest, tree, banned});
  }
}

// The cheapest way that is free, and ways around its inner sites.
void PlacementSearch::try_site(const Attempt& attempt) {
  const Group& now = groups_[attempt.group];
  const Choices& all = choices(source_of(now), now);
  const Node site = all.sites[attempt.at].site;
  if (views_[site].holds) {
    if (!wants_reasons()) return;
    return exclude(fmt::format("{} holds another share already", graph_.site(site).name.text()));
  }
  if (!fits_domains(site, number_of(now, now.children[attempt.member]))) return;
  if (attempt.tree.price[site] == kImpossible || attempt.banned[site]) {
    return explain_no_way(now, now.children[attempt.member], all, site);
  }
  const double weight = graph_.site(site).weight;
  const Choice first{site, KeyGraph::way(attempt.tree, site), attempt.tree.price[site] * weight};
  const Together pair = together(attempt);
  const bool hopeless = pair.least == kImpossible;
  if (hopeless ? !wants_reasons() : !is_worth(attempt, pair, first.price)) return;
  take(attempt.group, attempt.member, attempt.at + 1, attempt.price, first);
  if (hopeless || is_last(attempt.group, attempt.member)) return;  // the latter: nobody comes later
  if (!pair.way.empty() && pair.way != first.way) {
    const double price = graph_.price(pair.way, prices(bytes_of(now))) * weight;
    if (is_worth(attempt, pair, price)) {
      take(attempt.group, attempt.member, attempt.at + 1, attempt.price, {site, pair.way, price});
    }
  }
  try_detours(attempt, pair, first.way);
}

bool PlacementSearch::is_worth(const Attempt& attempt, const Together& pair, double way) const {
  return !best_ || (attempt.price + way + attempt.rest < best_->second &&
                    attempt.price + pair.least < best_->second);
}

// Ways around every set of inner sites that matters: whatever later shares need, the cheapest way
// that leaves it free is the first one, or a way around a site of a way that does not.
void PlacementSearch::try_detours(const Attempt& attempt, const Together& pair,
                                  const KeyGraph::Way& first) {
  const Group& now = groups_[attempt.group];
  const std::vector<double>& costs = prices(bytes_of(now));
  const Node site = first.back();
  const double weight = graph_.site(site).weight;
  std::vector<KeyGraph::Way> tried = {first};
  std::vector<std::vector<bool>> avoiding = {attempt.banned};
  for (std::size_t i = 0; i < tried.size(); ++i) {
    const KeyGraph::Way way = tried[i];
    for (std::size_t j = 1; j + 1 < way.size() && tried.size() < kMaxWays; ++j) {
      if (!is_worth(attempt, pair, 0)) return;
      std::vector<bool> around = avoiding[i];
      around[way[j]] = true;
      const KeyGraph::Tree other = graph_.grow(attempt.tree.source, costs, around);
      if (other.price[site] == kImpossible) continue;
      const Choice detour{site, KeyGraph::way(other, site), other.price[site] * weight};
      if (!is_worth(attempt, pair, detour.price)) continue;
      if (std::ranges::find(tried, detour.way) != tried.end()) continue;
      tried.push_back(detour.way);
      avoiding.push_back(std::move(around));
      if (detour.way == pair.way) continue;  // was the first to be tried
      take(attempt.group, attempt.member, attempt.at + 1, attempt.price, detour);
    }
  }
}

PlacementSearch::Together PlacementSearch::together(const Attempt& attempt) {
  const Group& now = groups_[attempt.group];
  if (now.owner != kTop || policy_.scheme.privacy() != 1) return {};
  const Node site = choices(origin_, now).sites[attempt.at].site;
  if (site == origin_) return {};
  double beyond = 0;
  const auto next = next_sites(attempt, beyond);
  if (!next) return {};
  auto pair = disjoint_pair(graph_, attempt.tree, prices(top_bytes_), attempt.banned, site, *next);
  if (!pair) return {.least = kImpossible, .way = {}};
  double weight = graph_.site(site).weight;
  for (Node node = 0; node < graph_.size(); ++node) {
    if ((*next)[node]) weight = std::min(weight, graph_.site(node).weight);
  }
  // Rounding must never make the bound larger than what it bounds.
  constexpr double kBelow = 1 - 1e-12;
  return {.least = pair->price * weight * kBelow + beyond, .way = std::move(pair->first)};
}

std::optional<std::vector<bool>> PlacementSearch::next_sites(const Attempt& attempt,
                                                             double& beyond) {
  const Group& now = groups_[attempt.group];
  const bool same = attempt.member + 1 < now.children.size();
  const std::size_t group = same ? attempt.group : attempt.group + 1;
  if (group == groups_.size()) return std::nullopt;
  const Group& next = groups_[group];
  if (next.owner != kTop || next.label == "origin") return std::nullopt;
  const auto& sites = choices(origin_, next).sites;
  const std::size_t first = same ? attempt.at + 1 : 0;
  const std::size_t left = next.children.size() - (same ? attempt.member + 2 : 1);
  std::vector<bool> fits(graph_.size());
  for (std::size_t i = first; i < sites.size(); ++i) {
    if (i - first < left) beyond += sites[i].price;
    fits[sites[i].site] = !views_[sites[i].site].holds;
  }
  beyond += bound(next.cuts ? behind_cut(group) : group + 1);
  return fits;
}

void PlacementSearch::take(std::size_t group, std::size_t member, std::size_t next, double price,
                           const Choice& choice) {
  const Group& now = groups_[group];
  const std::size_t child = now.children[member];
  Undo undo = apply(now, child, choice);
  chosen_of(now, child) = choice;
  const std::size_t number = number_of(now, child);
  for (const std::size_t domain : domains_[choice.site]) inside_[domain].set(number);
  place(group, member + 1, next, price + choice.price);
  for (const std::size_t domain : domains_[choice.site]) inside_[domain].reset(number);
  for (auto& [site, view] : undo) views_[site] = std::move(view);
}

PlacementSearch::Undo PlacementSearch::apply(const Group& group, std::size_t child,
                                             const Choice& choice) {
  Undo undo;
  KeyGraph::Way seers = choice.way;
  for (const Node site : graph_.knowing(choice.way)) seers.push_back(site);
  for (const Node site : seers) {
    View& view = views_[site];
    undo.emplace_back(site, view);
    if (site == choice.site) view.holds = true;
    if (site == origin_) continue;
    if (group.owner != kTop && site == chosen_[group.owner].site) continue;  // made the cut
    view.shares |= 1U << (group.owner == kTop ? child : group.owner);
    if (group.owner != kTop) view.parts[group.owner] |= 1U << child;
  }
  return undo;
}

bool PlacementSearch::fits_domains(Node site, std::size_t number) {
  for (const std::size_t domain : domains_[site]) {
    NodeSet with = inside_[domain];
    const auto fault = domain_fault(policy_, with.set(number));
    if (!fault) continue;
    if (full_domains_.size() == kMaxExclusions) return false;
    const std::string why =
        fmt::format("share {} at {} would lie in failure domain '{}': {}", name_of(policy_, number),
                    graph_.site(site).name.text(), domain_names_[domain], *fault);
    if (std::ranges::find(full_domains_, why) == full_domains_.end()) full_domains_.push_back(why);
    return false;
  }
  return true;
}

std::size_t PlacementSearch::number_of(const Group& group, std::size_t child) const {
  const PolicyNode& cut = group.owner == kTop ? policy_ : policy_.children[group.owner];
  return cut.children[child].number;
}

bool PlacementSearch::may_see(Node site, const Group& group, std::size_t child,
                              std::string* why) const {
  const bool is_part = group.owner != kTop;
  if (is_part && site == chosen_[group.owner].site) return true;
  const std::string& name = graph_.site(site).name.text();
  if (site == origin_) {
    if (is_part && why != nullptr) *why = name + " cut the object and would see parts again";
    return !is_part;
  }
  const View& view = views_[site];
  std::size_t seen = count(view.shares | 1U << (is_part ? group.owner : child));
  const sharing::Scheme* scheme = &policy_.scheme;
  if (is_part && seen <= scheme->privacy()) {
    const auto parts = view.parts.find(group.owner);
    seen = count((parts == view.parts.end() ? 0U : parts->second) | 1U << child);
    scheme = &policy_.children[group.owner].scheme;
  }
  if (seen <= scheme->privacy()) return true;
  if (why != nullptr) {
    *why = fmt::format(
        "{} would hold or relay {} shares of one '{}' cut, which keeps its secret "
        "from {} only; no route avoids the sites of other shares",
        name, seen, scheme->text(), scheme->privacy());
  }
  return false;
}

std::vector<bool> PlacementSearch::banned_for(const Group& group, std::size_t child) const {
  std::vector<bool> banned(graph_.size());
  for (Node site = 0; site < graph_.size(); ++site) {
    banned[site] = !may_see(site, group, child, nullptr);
  }
  return banned;
}

void PlacementSearch::explain_no_way(const Group& group, std::size_t child, const Choices& choices,
                                     Node site) {
  if (!wants_reasons()) return;
  KeyGraph::Way seers = KeyGraph::way(choices.tree, site);
  for (const Node knowing : graph_.knowing(seers)) seers.push_back(knowing);
  for (const Node step : seers) {
    std::string why;
    if (!may_see(step, group, child, &why)) return exclude(why);
  }
}

const PlacementSearch::Choices& PlacementSearch::choices(Node source, const Group& group) {
  const std::uint64_t bytes = bytes_of(group);
  const auto [it, is_new] = choices_.try_emplace({source, group.label, bytes});
  Choices& all = it->second;
  if (!is_new) return all;
  all.tree = graph_.grow(source, prices(bytes), std::vector<bool>(graph_.size()));
  for (Node node = 0; node < graph_.size(); ++node) {
    const SiteEntry& site = graph_.site(node);
    const bool fits = selects(group.label, site, &graph_.site(origin_)) &&
                      (node != source || group.label == "origin");
    if (!fits) continue;
    const auto space = snapshot_.free_bytes.find(site.name);
    if (!may_place(group.label, site, &graph_.site(origin_))) {
      exclude(fmt::format("{} takes no new shares", site.name.text()));
    } else if (space != snapshot_.free_bytes.end() && space->second < bytes) {
      exclude(fmt::format("{} has no space for a share", site.name.text()));
    } else if (all.tree.price[node] == kImpossible) {
      exclude(
          fmt::format("no route from {} to {}", graph_.site(source).name.text(), site.name.text()));
    } else {
      all.sites.push_back({node, all.tree.price[node] * site.weight});
    }
  }
  if (all.sites.empty()) exclude(fmt::format("no site can be used for '{}'", group.label));
  std::ranges::stable_sort(all.sites, {}, &Candidate::price);
  return all;
}

const std::vector<double>& PlacementSearch::prices(std::uint64_t bytes) {
  const auto [it, is_new] = prices_.try_emplace(bytes);
  if (is_new) it->second = graph_.prices(bytes);
  return it->second;
}

std::uint64_t PlacementSearch::bytes_of(const Group& group) const {
  return group.owner == kTop ? top_bytes_ : part_bytes_.at(group.owner);
}

PlacementSearch::Node PlacementSearch::source_of(const Group& group) const {
  return group.owner == kTop ? origin_ : chosen_[group.owner].site;
}

bool PlacementSearch::is_last(std::size_t group, std::size_t member) const {
  return group + 1 == groups_.size() && member + 1 == groups_[group].children.size();
}

PlacementSearch::Choice& PlacementSearch::chosen_of(const Group& group, std::size_t child) {
  return group.owner == kTop ? chosen_[child] : nested_[group.owner][child];
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
    return kImpossible;
  }
  double sum = 0;
  for (std::size_t i = 0; i < group.children.size(); ++i) sum += sites[i].price;
  return sum;
}

double PlacementSearch::cheapest_cut(std::size_t group) {
  double least = kImpossible;
  for (const Candidate& at : choices(origin_, groups_[group]).sites) {
    double price = at.price;
    for (std::size_t next = group + 1; next < behind_cut(group); ++next) {
      price += cheapest(at.site, groups_[next]);
    }
    least = std::min(least, price);
  }
  return least;
}

void PlacementSearch::keep_if_better(double price) {
  if (best_ && price >= best_->second) return;
  const auto target_of = [&](const Choice& choice) {
    ShareTarget target{.site = graph_.site(choice.site).name, .route = graph_.route(choice.way)};
    for (const Node site : graph_.knowing(choice.way)) {
      target.knowing.insert(graph_.site(site).name);
    }
    return target;
  };
  std::vector<ShareTarget> targets;
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    targets.push_back(target_of(chosen_[i]));
    if (nested_[i].empty()) continue;
    targets[i].cut = policy_.children[i].scheme;
    for (const Choice& part : nested_[i]) targets[i].nested.push_back(target_of(part));
  }
  // Among interchangeable shares the sites stand in the order of the network, not of the prices.
  bool differs = avoided_.empty();
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    auto& list = group.owner == kTop ? targets : targets[group.owner].nested;
    std::vector<ShareTarget> members;
    for (const std::size_t child : group.children) members.push_back(list[child]);
    std::ranges::stable_sort(members, {},
                             [&](const ShareTarget& target) { return graph_.find(target.site); });
    for (std::size_t i = 0; i < members.size(); ++i) {
      differs = differs || !avoided_[g].contains(members[i].site);
      list[group.children[i]] = std::move(members[i]);
    }
  }
  if (differs) best_ = {std::move(targets), price};
}

bool PlacementSearch::wants_reasons() const {
  return exclusions_.size() < kMaxExclusions;
}

void PlacementSearch::exclude(const std::string& why) {
  if (!wants_reasons()) return;
  if (std::ranges::find(exclusions_, why) == exclusions_.end()) exclusions_.push_back(why);
}

std::string PlacementSearch::exclusions() const {
  std::string text;
  for (const auto* list : {&exclusions_, &full_domains_}) {
    for (const std::string& why : *list) text += (text.empty() ? "" : "; ") + why;
  }
  return text;
}

}  // namespace warifu::control
