// Branch and bound over groups of interchangeable shares.
#include "control/placement_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "control/disjoint_pair.h"
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
      domains_(graph_.size()) {
  cuts_[0].node = &policy;
  add_groups(policy, records.below(policy.scheme));
  views_.assign(graph_.size(), {std::vector<std::uint32_t>(cuts_.size()), false});
  chosen_.resize(share_paths(policy).size() + 1);
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

// `records` are those of its shares.
void PlacementSearch::add_groups(const PolicyNode& cut, const sharing::RecordLayout& records) {
  const std::size_t begin = groups_.size();
  const std::uint64_t bytes = records.lengths({0}, records.count());
  for (std::size_t i = 0; i < cut.children.size(); ++i) {
    const PolicyNode& child = cut.children[i];
    if (!child.is_leaf()) {
      const std::size_t own = groups_.size();
      groups_.push_back({child.via, {i}, cut.number, true, 0, bytes});
      Cut made{&child, cuts_.size(), cuts_.at(cut.number).line};
      made.line.emplace_back(&cuts_.at(cut.number), i);
      cuts_[child.number] = std::move(made);
      add_groups(child, records.below(child.scheme));
      groups_[own].behind = groups_.size();
      continue;
    }
    const auto same = std::find_if(
        groups_.begin() + static_cast<std::ptrdiff_t>(begin), groups_.end(),
        [&](const Group& g) { return !g.cuts && g.cut == cut.number && g.label == child.label; });
    if (same == groups_.end()) {
      groups_.push_back({child.label, {i}, cut.number, false, 0, bytes});
    } else {
      same->children.push_back(i);
    }
  }
}

namespace {

// By PolicyNode::number.
void list_sites(const PolicyNode& cut, const std::vector<ShareTarget>& targets,
                std::map<std::size_t, SiteName>& sites) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    sites[cut.children[i].number] = targets[i].site;
    list_sites(cut.children[i], targets[i].nested, sites);
  }
}

}  // namespace

std::optional<PlacementSearch::Found> PlacementSearch::run(
    const std::vector<ShareTarget>* other_than) {
  avoided_.clear();
  std::map<std::size_t, SiteName> known;
  if (other_than != nullptr) list_sites(policy_, *other_than, known);
  for (const Group& group : groups_) {
    if (other_than == nullptr) break;
    std::set<SiteName>& sites = avoided_.emplace_back();
    for (const std::size_t child : group.children) {
      sites.insert(known.at(number_of(group, child)));
    }
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
  const double later = bound(now.cuts ? now.behind : group + 1);
  const std::vector<bool> banned = banned_for(now, child);
  const KeyGraph::Tree tree = graph_.grow(source_of(now), prices(now.bytes), banned);
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
    const double price = graph_.price(pair.way, prices(now.bytes)) * weight;
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
  const std::vector<double>& costs = prices(now.bytes);
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
  if (now.cut != 0 || policy_.scheme.privacy() != 1) return {};
  const Node site = choices(origin_, now).sites[attempt.at].site;
  if (site == origin_) return {};
  double beyond = 0;
  const auto next = next_sites(attempt, beyond);
  if (!next) return {};
  auto pair = disjoint_pair(graph_, attempt.tree, prices(now.bytes), attempt.banned, site, *next);
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
  if (next.cut != 0 || next.label == "origin") return std::nullopt;
  const auto& sites = choices(origin_, next).sites;
  const std::size_t first = same ? attempt.at + 1 : 0;
  const std::size_t left = next.children.size() - (same ? attempt.member + 2 : 1);
  std::vector<bool> fits(graph_.size());
  for (std::size_t i = first; i < sites.size(); ++i) {
    if (i - first < left) beyond += sites[i].price;
    fits[sites[i].site] = !views_[sites[i].site].holds;
  }
  beyond += bound(next.cuts ? next.behind : group + 1);
  return fits;
}

void PlacementSearch::take(std::size_t group, std::size_t member, std::size_t next, double price,
                           const Choice& choice) {
  const Group& now = groups_[group];
  const std::size_t child = now.children[member];
  Undo undo = apply(now, child, choice);
  const std::size_t number = number_of(now, child);
  chosen_[number] = choice;
  for (const std::size_t domain : domains_[choice.site]) inside_[domain].set(number);
  place(group, member + 1, next, price + choice.price);
  for (const std::size_t domain : domains_[choice.site]) inside_[domain].reset(number);
  for (auto& [site, view] : undo) views_[site] = std::move(view);
}

PlacementSearch::Undo PlacementSearch::apply(const Group& group, std::size_t child,
                                             const Choice& choice) {
  Undo undo;
  const Cut& cut = cut_of(group);
  KeyGraph::Way seers = choice.way;
  for (const Node site : graph_.knowing(choice.way)) seers.push_back(site);
  for (const Node site : seers) {
    View& view = views_[site];
    undo.emplace_back(site, view);
    if (site == choice.site) view.holds = true;
    if (site == origin_) continue;
    // Whoever makes a cut knows all below it.
    bool knows = false;
    for (const auto& [above, touched] : cut.line) {
      knows = knows || makes(site, *above);
      if (!knows) view.touched[above->number] |= 1U << touched;
    }
    if (!knows && !makes(site, cut)) view.touched[cut.number] |= 1U << child;
  }
  return undo;
}

bool PlacementSearch::fits_domains(Node site, std::size_t number) {
  for (const std::size_t domain : domains_[site]) {
    NodeSet with = inside_[domain];
    const auto fault = domain_fault(policy_, with.set(number));
    if (!fault) continue;
    if (full_domains_.size() == kMaxExclusions) return false;
    const std::string why = fmt::format(
        "share {} at {} would lie in failure domain '{}': {}", path_of(policy_, number).text(),
        graph_.site(site).name.text(), domain_names_[domain], *fault);
    if (std::ranges::find(full_domains_, why) == full_domains_.end()) full_domains_.push_back(why);
    return false;
  }
  return true;
}

std::size_t PlacementSearch::number_of(const Group& group, std::size_t child) const {
  return cut_of(group).node->children[child].number;
}

bool PlacementSearch::makes(Node site, const Cut& cut) const {
  return cut.node == &policy_ ? site == origin_ : site == chosen_[cut.node->number].site;
}

bool PlacementSearch::may_see(Node site, const Group& group, std::size_t child,
                              std::string* why) const {
  const std::string& name = graph_.site(site).name.text();
  if (site == origin_) {
    const bool is_part = group.cut != 0;
    if (is_part && why != nullptr) *why = name + " cut the object and would see parts again";
    return !is_part;
  }
  const auto fits = [&](const Cut& cut, std::size_t touched) {
    const std::size_t seen = count(views_[site].touched[cut.number] | 1U << touched);
    const sharing::Scheme& scheme = cut.node->scheme;
    if (seen <= scheme.privacy()) return true;
    if (why != nullptr) {
      *why = fmt::format(
          "{} would hold or relay {} shares of one '{}' cut, which keeps its secret "
          "from {} only; no route avoids the sites of other shares",
          name, seen, scheme.text(), scheme.privacy());
    }
    return false;
  };
  const Cut& own = cut_of(group);
  for (const auto& [cut, touched] : own.line) {
    if (makes(site, *cut)) return true;
    if (!fits(*cut, touched)) return false;
  }
  return makes(site, own) || fits(own, child);
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
  const std::uint64_t bytes = group.bytes;
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

PlacementSearch::Node PlacementSearch::source_of(const Group& group) const {
  return group.cut == 0 ? origin_ : chosen_[group.cut].site;
}

bool PlacementSearch::is_last(std::size_t group, std::size_t member) const {
  return group + 1 == groups_.size() && member + 1 == groups_[group].children.size();
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
    return kImpossible;
  }
  double sum = 0;
  for (std::size_t i = 0; i < group.children.size(); ++i) sum += sites[i].price;
  return sum;
}

double PlacementSearch::cheapest_cut(Node source, std::size_t group) {
  if (const auto known = cut_bounds_.find({source, group}); known != cut_bounds_.end()) {
    return known->second;
  }
  double least = kImpossible;
  for (const Candidate& at : choices(source, groups_[group]).sites) {
    double price = at.price;
    for (std::size_t next = group + 1; next < groups_[group].behind && price < least;) {
      const Group& inner = groups_[next];
      price += inner.cuts ? cheapest_cut(at.site, next) : cheapest(at.site, inner);
      next = inner.cuts ? inner.behind : next + 1;
    }
    least = std::min(least, price);
  }
  cut_bounds_[{source, group}] = least;
  return least;
}

std::vector<ShareTarget> PlacementSearch::targets_of(const PolicyNode& cut) const {
  std::vector<ShareTarget> targets;
  for (const PolicyNode& child : cut.children) {
    const Choice& choice = chosen_[child.number];
    ShareTarget target{.site = graph_.site(choice.site).name, .route = graph_.route(choice.way)};
    for (const Node site : graph_.knowing(choice.way)) {
      target.knowing.insert(graph_.site(site).name);
    }
    target.nested = targets_of(child);
    if (!child.is_leaf()) target.cut = child.scheme;
    targets.push_back(std::move(target));
  }
  return targets;
}

bool PlacementSearch::put_in_order(std::vector<ShareTarget>& targets) const {
  bool differs = avoided_.empty();
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    auto* list = &targets;
    for (const auto& [cut, child] : cut_of(group).line) list = &(*list)[child].nested;
    std::vector<ShareTarget> members;
    for (const std::size_t child : group.children) members.push_back((*list)[child]);
    std::ranges::stable_sort(members, {},
                             [&](const ShareTarget& target) { return graph_.find(target.site); });
    for (std::size_t i = 0; i < members.size(); ++i) {
      differs = differs || !avoided_[g].contains(members[i].site);
      (*list)[group.children[i]] = std::move(members[i]);
    }
  }
  return differs;
}

void PlacementSearch::keep_if_better(double price) {
  if (best_ && price >= best_->second) return;
  std::vector<ShareTarget> targets = targets_of(policy_);
  if (put_in_order(targets)) best_ = {std::move(targets), price};
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
