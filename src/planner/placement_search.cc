// Branch and bound over groups of interchangeable shares.
#include "planner/placement_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "config/site_selector.h"

namespace warifu::planner {
namespace {

constexpr std::size_t kMaxExclusions = 3;       // that are told, of failure domains and of all else
constexpr std::size_t kMaxWays = 24;            // to one site, that are tried
constexpr std::size_t kMaxHopelessSteps = 100;  // that are taken to find reasons
// Plans that differ by less, of their price, cost the same: sums are rounded.
constexpr double kSame = 1e-9;

std::size_t count(std::uint32_t bits) {
  return static_cast<std::size_t>(std::popcount(bits));
}

}  // namespace

PlacementSearch::PlacementSearch(const PolicyNode& policy, const Snapshot& snapshot,
                                 const sharing::RecordLayout& records, const StandingCut* standing)
    : policy_(policy),
      top_(standing == nullptr ? &policy : policy.find(standing->share)),
      standing_(standing),
      snapshot_(snapshot),
      graph_(snapshot),
      origin_(graph_.find(snapshot.origin)),
      maker_(standing == nullptr ? origin_ : graph_.find(standing->holder)),
      closed_(graph_.size()),
      domains_(graph_.size()) {
  WARIFU_CHECK(top_ != nullptr && !top_->is_leaf());
  cuts_[top_->number].node = top_;
  const sharing::RecordLayout cut =
      standing == nullptr ? records : records_at(policy, records, standing->share);
  add_groups(*top_, cut.below(top_->scheme));
  std::map<std::size_t, std::size_t> groups_of;
  std::size_t most = 0;
  for (const Group& group : groups_) most = std::max(most, ++groups_of[group.cut]);
  finder_.emplace(graph_, most + 1);  // one may be asked for in two parts
  views_.assign(graph_.size(), {std::vector<std::uint32_t>(cuts_.size()), false});
  chosen_.resize(share_paths(policy).size() + 1);
  for (Node site = 0; site < graph_.size(); ++site) {
    least_weight_ = std::min(least_weight_, graph_.site(site).weight);
  }
  add_domains();
  if (standing != nullptr) add_standing(*standing);
}

void PlacementSearch::add_domains() {
  std::map<std::string, std::size_t> known;
  for (const auto& [site, names] : snapshot_.domains) {
    const Node node = graph_.find(site);
    // Of sites that do not answer, what rests there counts.
    if (node == KeyGraph::kNone && standing_ == nullptr) continue;
    for (const std::string& name : names) {
      const auto [it, is_new] = known.try_emplace(name, known.size());
      if (is_new) domain_names_.push_back(name);
      if (node != KeyGraph::kNone) domains_[node].push_back(it->second);
    }
  }
  inside_.resize(domain_names_.size());
}

// `records` are those of its shares.
void PlacementSearch::add_groups(const PolicyNode& cut, const sharing::RecordLayout& records) {
  const std::size_t begin = groups_.size();
  const std::uint64_t bytes = records.lengths({0}, records.count());
  const bool each_alone = was_seen(cut);
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
    if (each_alone || same == groups_.end()) {
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
  if (other_than != nullptr) list_sites(*top_, *other_than, known);
  for (const Group& group : groups_) {
    if (other_than == nullptr) break;
    std::set<SiteName>& sites = avoided_.emplace_back();
    for (const std::size_t child : group.children) {
      sites.insert(known.at(number_of(group, child)));
    }
  }
  best_.reset();
  steps_ = hopeless_steps_ = 0;
  if (origin_ == KeyGraph::kNone) {
    exclude(snapshot_.origin.text() + " does not answer");
  } else if (maker_ == KeyGraph::kNone) {
    exclude(standing_->holder.text() + " does not answer");
  } else {
    place(0, 0, 0, 0);
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
  const Together found = together(group, member, first, all.sites.size() - more);
  const bool hopeless = found.least == kHopeless;
  if (hopeless) {
    if (!wants_reasons() || ++hopeless_steps_ > kMaxHopelessSteps) return;
  } else {
    if (!is_worth(price + found.least)) return;
    try_together(group, member, price, found);
    if (!is_worth(price + found.least)) return;
  }
  // A cut's own parts depend on the site chosen for it; for all other groups the bound stands.
  const double later = bound(now.cuts ? now.behind : group + 1);
  const std::vector<bool> banned = banned_for(now, child);
  const KeyGraph::Tree tree = graph_.grow(source_of(now), prices(now.bytes), banned);
  for (std::size_t i = first; i + more <= all.sites.size() && !exhausted(); ++i) {
    double rest = later;
    for (std::size_t j = i + 1; j < i + more; ++j) rest += all.sites[j].price;
    if (!hopeless && !is_worth(price + all.sites[i].price + rest)) return;
    if (now.cuts) rest += cheapest_parts(all.sites[i].site, group);
    if (!hopeless && !is_worth(price + all.sites[i].price + rest)) continue;
    try_site({group, member, i, price, rest, tree, banned, hopeless});
  }
}

void PlacementSearch::try_together(std::size_t group, std::size_t member, double price,
                                   const Together& found) {
  const Group& now = groups_[group];
  const std::size_t child = now.children[member];
  const Node site = found.way.back();
  // Rooms are counted share by share; who else knows key of the links was not asked.
  for (const Node knowing : graph_.knowing(found.way)) {
    if (!may_see(knowing, now, child, nullptr)) return;
  }
  for (std::size_t i = 1; standing_ != nullptr && i < found.way.size(); ++i) {
    if (!may_see(found.way[i], now, child, nullptr)) return;
  }
  if (!fits_domains(site, number_of(now, child))) return;
  const double way = graph_.price(found.way, prices(now.bytes)) * graph_.site(site).weight;
  take(group, member, found.at + 1, price, {site, found.way, way});
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
  if (attempt.tree.price[site] == kHopeless || attempt.banned[site]) {
    return explain_no_way(now, now.children[attempt.member], all, site);
  }
  const double weight = graph_.site(site).weight;
  const Choice first{site, KeyGraph::way(attempt.tree, site), attempt.tree.price[site] * weight};
  if (attempt.hopeless)
    return take(attempt.group, attempt.member, attempt.at + 1, attempt.price, first);
  const Together found = together(attempt.group, attempt.member, attempt.at, attempt.at);
  const auto worth = [&] { return is_worth(attempt.price + found.least); };
  if (!worth()) return;
  try_together(attempt.group, attempt.member, attempt.price, found);
  if (!worth() || !is_worth(attempt.price + first.price + attempt.rest)) return;
  if (first.way != found.way) {
    take(attempt.group, attempt.member, attempt.at + 1, attempt.price, first);
  }
  // Ways that nobody after this share can be hindered by need no other.
  if (is_last(attempt.group, attempt.member)) return;
  try_detours(attempt, found, first.way);
}

bool PlacementSearch::is_worth(double least) const {
  return least != kHopeless && (!best_ || least < best_->second * (1 - kSame));
}

// Ways around every set of sites that matters: whatever later shares need, the cheapest way that
// leaves it free is the first one, or a way around a site that passes or knows a way that does not.
void PlacementSearch::try_detours(const Attempt& attempt, const Together& found,
                                  const KeyGraph::Way& first) {
  const std::vector<double>& costs = prices(groups_[attempt.group].bytes);
  const Node site = first.back();
  const double weight = graph_.site(site).weight;
  std::vector<KeyGraph::Way> tried = {first};
  std::vector<std::vector<bool>> avoiding = {attempt.banned};
  for (std::size_t i = 0; i < tried.size(); ++i) {
    std::vector<Node> seers = graph_.knowing(tried[i]);
    for (std::size_t j = 1; j + 1 < tried[i].size(); ++j) seers.push_back(tried[i][j]);
    for (const Node seer : seers) {
      if (tried.size() == kMaxWays || !is_worth(attempt.price + found.least)) return;
      std::vector<bool> around = avoiding[i];
      around[seer] = true;
      const KeyGraph::Tree other = graph_.grow(attempt.tree.source, costs, around);
      if (other.price[site] == kHopeless) continue;
      const Choice detour{site, KeyGraph::way(other, site), other.price[site] * weight};
      if (!is_worth(attempt.price + detour.price + attempt.rest)) continue;
      if (std::ranges::find(tried, detour.way) != tried.end()) continue;
      tried.push_back(detour.way);
      avoiding.push_back(std::move(around));
      if (detour.way == found.way) continue;  // was the first to be tried
      take(attempt.group, attempt.member, attempt.at + 1, attempt.price, detour);
    }
  }
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

std::optional<std::size_t> PlacementSearch::full_domain(Node site, std::size_t number) {
  for (const std::size_t domain : domains_[site]) {
    NodeSet with = inside_[domain];
    const auto [known, is_new] = domain_may_hold_.try_emplace(with.set(number));
    if (is_new) known->second = !domain_fault(policy_, with);
    if (!known->second) return domain;
  }
  return std::nullopt;
}

bool PlacementSearch::fits_domains(Node site, std::size_t number) {
  if (const auto domain = full_domain(site, number)) {
    if (full_domains_.size() == kMaxExclusions || !told_.emplace(site, number).second) return false;
    NodeSet with = inside_[*domain];
    const auto fault = domain_fault(policy_, with.set(number));
    const std::string why = fmt::format(
        "share {} at {} would lie in failure domain '{}': {}", path_of(policy_, number).text(),
        graph_.site(site).name.text(), domain_names_[*domain], fault.value_or(""));
    if (std::ranges::find(full_domains_, why) == full_domains_.end()) full_domains_.push_back(why);
    return false;
  }
  return true;
}

std::size_t PlacementSearch::number_of(const Group& group, std::size_t child) const {
  return cut_of(group).node->children[child].number;
}

bool PlacementSearch::makes(Node site, const Cut& cut) const {
  return cut.node == top_ ? site == maker_ : site == chosen_[cut.node->number].site;
}

bool PlacementSearch::may_see(Node site, const Group& group, std::size_t child,
                              std::string* why) const {
  const std::string& name = graph_.site(site).name.text();
  if (site == origin_) {
    const bool is_part = group.cut != 0;
    if (is_part && why != nullptr) *why = name + " cut the object and would see parts again";
    return !is_part;
  }
  if (closed_[site]) {
    if (why != nullptr) *why = name + " has seen another share of the object";
    return false;
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
    const config::SiteEntry& site = graph_.site(node);
    const bool fits = config::selects(group.label, site, &graph_.site(origin_)) &&
                      (node != source || group.label == "origin");
    if (!fits) continue;
    const auto space = snapshot_.free_bytes.find(site.name);
    if (!config::may_place(group.label, site, &graph_.site(origin_))) {
      exclude(fmt::format("{} takes no new shares", site.name.text()));
    } else if (space != snapshot_.free_bytes.end() && space->second < bytes) {
      exclude(fmt::format("{} has no space for a share", site.name.text()));
    } else if (all.tree.price[node] == kHopeless) {
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
  return group.cut == top_->number ? maker_ : chosen_[group.cut].site;
}

bool PlacementSearch::is_last(std::size_t group, std::size_t member) const {
  const Group& now = groups_[group];
  return (now.cuts ? now.behind : group + 1) == groups_.size() && member + 1 == now.children.size();
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
  if (!is_worth(price)) return;
  std::vector<ShareTarget> targets = targets_of(*top_);
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
  if (text.empty() && crowded_ != KeyGraph::kNone) {
    text = fmt::format("the shares that {} would make cannot leave it by ways that keep apart",
                       graph_.site(crowded_).name.text());
  }
  return text;
}

}  // namespace warifu::planner
