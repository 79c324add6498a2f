// Ways to shares.
#include "planner/restore_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "planner/key_graph.h"

namespace warifu::planner {
namespace {

// A way with a letter that failed before comes after all others without, whatever the price.
constexpr double kFailurePrice = 1e12;

bool answers(const Snapshot& snapshot, const SiteName& site) {
  return std::ranges::any_of(snapshot.sites,
                             [&](const config::SiteEntry& s) { return s.name == site; });
}

// Cheapest routes over sites that may see what travels on them.
class Ways {
 public:
  struct Found {
    Route route;
    std::set<SiteName> knowing;
    double price = 0;
  };
  explicit Ways(const RestoreField& field) : field_(field), graph_(field.snapshot) {}

  // For the share at that path.
  std::optional<Found> cheapest(const sharing::SharePath& path, const SiteName& from,
                                const SiteName& to) const {
    const sharing::RecordLayout records = records_at(field_.policy, field_.records, path);
    const std::uint64_t bytes = records.lengths({0}, std::min(records.count(), field_.chunks));
    const KeyGraph::Node source = graph_.find(from);
    const KeyGraph::Node target = graph_.find(to);
    if (source == KeyGraph::kNone || target == KeyGraph::kNone) return std::nullopt;
    // Who gathers may be reached by parts, and the destination sees everything in any case.
    std::vector<bool> banned(graph_.size());
    for (const auto& [site, seen] : field_.seen) {
      const KeyGraph::Node node = graph_.find(site);
      if (node != KeyGraph::kNone && site != field_.destination) {
        banned[node] = !may_see(field_.policy, seen, path);
      }
    }
    const auto [prices, is_new] = prices_.try_emplace(bytes);
    if (is_new) prices->second = graph_.prices(bytes);
    const auto [known, grow] = trees_.try_emplace({source, bytes, banned});
    if (grow) known->second = graph_.grow(source, prices->second, banned);
    const KeyGraph::Tree& tree = known->second;
    if (tree.price[target] == KeyGraph::kUnreachable) return std::nullopt;
    const KeyGraph::Way way = KeyGraph::way(tree, target);
    Found found{.route = graph_.route(way), .knowing = {}, .price = tree.price[target]};
    for (const KeyGraph::Node node : graph_.knowing(way)) {
      found.knowing.insert(graph_.site(node).name);
    }
    return found;
  }

 private:
  const RestoreField& field_;
  KeyGraph graph_;
  mutable std::map<std::uint64_t, std::vector<double>> prices_;  // by bytes
  mutable std::map<std::tuple<KeyGraph::Node, std::uint64_t, std::vector<bool>>, KeyGraph::Tree>
      trees_;
};

// Fills in the route to who takes it, and its price; nullopt when there is no way.
std::optional<RestoreSource> bring(const Ways& ways, RestoreSource source, const SiteName& to) {
  auto way = ways.cheapest(source.path, source.at.site, to);
  if (!way) return std::nullopt;
  source.route = std::move(way->route);
  source.knowing = std::move(way->knowing);
  source.price += way->price;
  return source;
}

// Exactly these, at the first of them.
std::optional<RestoreSource> gather_exactly(const RestoreField& field, const Ways& ways,
                                            const sharing::SharePath& path,
                                            const std::vector<ShareLocation>& parts,
                                            const SiteName& to) {
  RestoreSource source{.path = path, .at = parts.front(), .joined = {}, .route = {}};
  std::size_t taken = 1;
  for (sharing::SharePath here = source.at.path; here != path; here = here.parent()) {
    std::map<sharing::SharePath, std::vector<ShareLocation>> others;
    for (const ShareLocation& part : parts) {
      if (!part.path.is_within(here.parent()) || part.path.is_within(here)) continue;
      others[part.path.above(here.size())].push_back(part);
      ++taken;
    }
    if (others.size() + 1 != field.policy.find(here.parent())->scheme.threshold) {
      return std::nullopt;
    }
    std::vector<RestoreSource>& joined = source.joined.emplace_back();
    for (const auto& [other, shares] : others) {
      auto part = gather_exactly(field, ways, other, shares, source.at.site);
      if (!part) return std::nullopt;
      source.price += part->price;
      joined.push_back(std::move(*part));
    }
  }
  if (taken != parts.size()) return std::nullopt;
  return bring(ways, std::move(source), to);
}

// The cheapest sources out of what may be used. Of gatherings inside a gathering only the cheapest
// is looked at.
class Gatherings {
 public:
  Gatherings(const RestoreField& field, const Ways& ways, const std::vector<ShareLocation>& usable,
             const RestoreTrials& trials)
      : field_(field), ways_(ways), usable_(usable), trials_(trials) {}

  // The share at `path`, gathered at that holder; not brought anywhere yet.
  std::optional<RestoreSource> gather_at(const sharing::SharePath& path, const ShareLocation& at) {
    if (path == at.path) return RestoreSource{.path = path, .at = at, .joined = {}, .route = {}};
    const auto [known, is_new] = gathered_.try_emplace({path, at.path});
    if (is_new) known->second = find_gathering(path, at);
    return known->second;
  }
  // The same, wherever it is the cheapest, brought to that site.
  std::optional<RestoreSource> bring_to(const sharing::SharePath& path, const SiteName& to) {
    std::optional<RestoreSource> best;
    for (const ShareLocation& at : usable_) {
      if (!at.path.is_within(path)) continue;
      auto source = gather_at(path, at);
      if (source) source = bring(ways_, std::move(*source), to);
      if (source && (!best || weight(*source) < weight(*best))) best = std::move(source);
    }
    return best;
  }
  // Failures weigh more than any price.
  [[nodiscard]] double weight(const RestoreSource& source) const {
    int failures = 0;
    for (const std::string& letter : source.letters()) {
      const auto failed = trials_.failures.find(letter);
      if (failed != trials_.failures.end()) failures += failed->second;
    }
    return source.price + failures * kFailurePrice;
  }

 private:
  // The cheapest way that is not out.
  std::optional<RestoreSource> find_gathering(const sharing::SharePath& path,
                                              const ShareLocation& at) {
    const sharing::SharePath own = at.path.above(path.size() + 1);
    const auto below = gather_at(own, at);
    if (!below) return std::nullopt;
    const PolicyNode& cut = *field_.policy.find(path);
    std::vector<RestoreSource> others;
    for (std::size_t i = 0; i < cut.children.size(); ++i) {
      if (i == own.index()) continue;
      if (auto other = bring_to(path.part(i), at.site)) others.push_back(std::move(*other));
    }
    std::ranges::stable_sort(others, {}, [this](const RestoreSource& s) { return weight(s); });
    std::vector<double> prices;
    for (const RestoreSource& other : others) prices.push_back(weight(other));
    for (const auto& set : cheapest_sets(prices, cut.scheme.threshold - 1U, kMaxGatherings)) {
      RestoreSource source = *below;
      source.path = path;
      std::vector<RestoreSource>& joined = source.joined.emplace_back();
      for (const std::size_t i : set) {
        source.price += others[i].price;
        joined.push_back(others[i]);
      }
      std::ranges::sort(joined, {}, &RestoreSource::path);
      if (!trials_.out.contains(source.way())) return source;
    }
    return std::nullopt;
  }

  const RestoreField& field_;
  const Ways& ways_;
  const std::vector<ShareLocation>& usable_;
  const RestoreTrials& trials_;
  // By what is gathered and by what is held there.
  std::map<std::pair<sharing::SharePath, sharing::SharePath>, std::optional<RestoreSource>>
      gathered_;
};

}  // namespace

std::vector<ShareLocation> RestoreSource::shares() const {
  std::vector<ShareLocation> all = {at};
  for (const std::vector<RestoreSource>& cut : joined) {
    for (const RestoreSource& other : cut) {
      const auto more = other.shares();
      all.insert(all.end(), more.begin(), more.end());
    }
  }
  return all;
}

std::vector<std::string> RestoreSource::letters() const {
  std::vector<ShareLocation> all = shares();
  std::ranges::sort(all, {}, &ShareLocation::path);
  std::vector<std::string> letters;
  for (const ShareLocation& share : all) letters.push_back(share.letter());
  return letters;
}

std::string RestoreSource::way() const {
  std::string text = at.letter();
  for (const std::vector<RestoreSource>& cut : joined) {
    for (const RestoreSource& other : cut) {
      text += "<" + (other.is_gathered() ? "(" + other.way() + ")" : other.way());
    }
  }
  return text;
}

double RestorePlan::price() const {
  return std::accumulate(sources.begin(), sources.end(), 0.0,
                         [](double sum, const RestoreSource& s) { return sum + s.price; });
}

std::vector<std::string> RestorePlan::letters() const {
  std::vector<std::string> all;
  for (const RestoreSource& source : sources) {
    const auto letters = source.letters();
    all.insert(all.end(), letters.begin(), letters.end());
  }
  return all;
}

Result<std::set<std::string>> parse_letters(const std::string& text) {
  std::set<std::string> letters;
  std::string word;
  for (const char c : text + ",") {
    if (c != ',') {
      word.push_back(c);
      continue;
    }
    if (!sharing::SharePath::parse(word)) {
      return fail(Code::kInvalidArgument,
                  "'" + text + "' is not a list of shares such as A,B or A,C1,C2");
    }
    letters.insert(word);
    word.clear();
  }
  return letters;
}

std::vector<std::vector<std::size_t>> cheapest_sets(const std::vector<double>& prices,
                                                    std::size_t k, std::size_t limit) {
  std::vector<std::vector<std::size_t>> found;
  if (k > prices.size()) return found;
  using Entry = std::pair<double, std::vector<std::size_t>>;
  std::vector<std::size_t> first(k);
  std::iota(first.begin(), first.end(), std::size_t{0});
  const auto sum = [&](const std::vector<std::size_t>& set) {
    double total = 0;
    for (const std::size_t i : set) total += prices[i];
    return total;
  };
  // Every other set comes from a cheaper or equal one by moving one member up by one.
  std::set<Entry> open = {{sum(first), first}};
  while (!open.empty() && found.size() < limit) {
    const auto [price, set] = *open.begin();
    open.erase(open.begin());
    found.push_back(set);
    for (std::size_t i = 0; i < k; ++i) {
      const std::size_t up = set[i] + 1;
      if (up >= prices.size() || (i + 1 < k && up == set[i + 1])) continue;
      std::vector<std::size_t> next = set;
      next[i] = up;
      if (std::ranges::find(found, next) == found.end()) open.insert({sum(next), next});
    }
  }
  return found;
}

std::optional<RestoreSource> gather_source(const RestoreField& field,
                                           const sharing::SharePath& path,
                                           const std::vector<ShareLocation>& parts) {
  return gather_exactly(field, Ways(field), path, parts, field.destination);
}

std::vector<RestoreSource> find_sources(const RestoreField& field, const RestoreWishes& wishes,
                                        const RestoreTrials& trials) {
  std::vector<ShareLocation> usable;
  for (const ShareLocation& share : field.shares) {
    const bool wished =
        wishes.using_letters.empty() || wishes.using_letters.contains(share.letter());
    if (wished && answers(field.snapshot, share.site) && !trials.out.contains(share.letter())) {
      usable.push_back(share);
    }
  }
  const Ways ways(field);
  Gatherings gatherings(field, ways, usable, trials);
  std::vector<RestoreSource> sources;
  for (const ShareLocation& at : usable) {
    if (!at.path.is_top() && wishes.gather && *wishes.gather != at.site) continue;
    auto source = gatherings.gather_at(at.path.above(1), at);
    if (source) source = bring(ways, std::move(*source), field.destination);
    if (source) sources.push_back(std::move(*source));
  }
  std::ranges::stable_sort(sources, {},
                           [&](const RestoreSource& s) { return gatherings.weight(s); });
  return sources;
}

}  // namespace warifu::planner
