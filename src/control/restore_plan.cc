// Ways to top shares.
#include "control/restore_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "control/key_graph.h"
#include "control/share_letters.h"

namespace warifu::control {
namespace {

// A way with a letter that failed before comes after all others without, whatever the price.
constexpr double kFailurePrice = 1e12;

bool answers(const Snapshot& snapshot, const SiteName& site) {
  return std::ranges::any_of(snapshot.sites, [&](const SiteEntry& s) { return s.name == site; });
}

std::uint64_t top_bytes(const RestoreField& field) {
  const sharing::RecordLayout records = field.records.below(field.policy.scheme);
  return records.lengths({0}, records.count());
}

const PolicyNode& cut_of(const RestoreField& field, sharing::ShareIndex top) {
  return field.policy.children.at(static_cast<std::size_t>(top));
}

std::uint64_t part_bytes(const RestoreField& field, sharing::ShareIndex top) {
  const sharing::RecordLayout records =
      field.records.below(field.policy.scheme).below(cut_of(field, top).scheme);
  return records.lengths({0}, records.count());
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

  std::optional<Found> of_share(const SiteName& from, std::size_t top) const {
    return cheapest(from, field_.destination, top_bytes(field_),
                    [&](const Seen& seen) { return may_see_share(field_.policy, seen, top); });
  }
  std::optional<Found> of_part(const ShareLocation& part, const SiteName& to) const {
    const auto top = static_cast<std::size_t>(part.top);
    return cheapest(part.site, to, part_bytes(field_, part.top), [&](const Seen& seen) {
      return may_see_part(field_.policy, seen, top, part.part);
    });
  }

 private:
  template <typename May>
  std::optional<Found> cheapest(const SiteName& from, const SiteName& to, std::uint64_t bytes,
                                const May& may) const {
    const KeyGraph::Node source = graph_.find(from);
    const KeyGraph::Node target = graph_.find(to);
    if (source == KeyGraph::kNone || target == KeyGraph::kNone) return std::nullopt;
    // Who gathers may be reached by parts, and the destination sees everything in any case.
    std::vector<bool> banned(graph_.size());
    for (const auto& [site, seen] : field_.seen) {
      const KeyGraph::Node node = graph_.find(site);
      if (node != KeyGraph::kNone && site != field_.destination) banned[node] = !may(seen);
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

  const RestoreField& field_;
  KeyGraph graph_;
  mutable std::map<std::uint64_t, std::vector<double>> prices_;  // by bytes
  mutable std::map<std::tuple<KeyGraph::Node, std::uint64_t, std::vector<bool>>, KeyGraph::Tree>
      trees_;
};

// Fills in route and price to the destination; nullopt when there is no way.
std::optional<RestoreSource> with_route(const Ways& ways, RestoreSource source) {
  auto way = ways.of_share(source.at.site, static_cast<std::size_t>(source.top));
  if (!way) return std::nullopt;
  source.route = std::move(way->route);
  source.knowing = std::move(way->knowing);
  source.price += way->price;
  return source;
}

bool by_part(const ShareLocation& x, const ShareLocation& y) {
  return x.letter.size() != y.letter.size() ? x.letter.size() < y.letter.size()
                                            : x.letter < y.letter;
}

struct Part {
  const ShareLocation* share = nullptr;
  double price = 0;  // of its hop to the gathering point; failures weigh more
};

std::optional<RestoreSource> gather(const Ways& ways, const std::vector<ShareLocation>& parts) {
  const ShareLocation& at = parts.front();
  RestoreSource source{.top = at.top, .at = at, .others = {parts.begin() + 1, parts.end()}};
  std::ranges::sort(source.others, by_part);
  for (const ShareLocation& other : source.others) {
    auto hop = ways.of_part(other, at.site);
    if (!hop) return std::nullopt;
    source.other_routes.push_back(std::move(hop->route));
    source.other_knowing.push_back(std::move(hop->knowing));
    source.price += hop->price;
  }
  std::vector<ShareLocation> sorted = parts;
  std::ranges::sort(sorted, by_part);
  for (const ShareLocation& part : sorted) source.letters.push_back(part.letter);
  return with_route(ways, std::move(source));
}

// The cheapest way to gather at `at` that is not out.
std::optional<RestoreSource> gather_at(const RestoreField& field, const Ways& ways,
                                       const ShareLocation& at,
                                       const std::vector<ShareLocation>& usable,
                                       const RestoreTrials& trials) {
  std::vector<Part> parts;
  for (const ShareLocation& other : usable) {
    if (!other.nested || other.top != at.top || other.share == at.share) continue;
    const auto hop = ways.of_part(other, at.site);
    if (!hop) continue;
    const auto failed = trials.failures.find(other.letter);
    const int times = failed == trials.failures.end() ? 0 : failed->second;
    parts.push_back({&other, hop->price + times * kFailurePrice});
  }
  std::ranges::stable_sort(parts, {}, &Part::price);
  std::vector<double> prices;
  for (const Part& part : parts) prices.push_back(part.price);
  const std::size_t wanted = cut_of(field, at.top).scheme.threshold - 1U;
  for (const auto& set : cheapest_sets(prices, wanted, kMaxGatherings)) {
    std::vector<ShareLocation> chosen = {at};
    for (const std::size_t i : set) chosen.push_back(*parts[i].share);
    auto source = gather(ways, chosen);
    if (source && !trials.out.contains(source->way())) return source;
  }
  return std::nullopt;
}

}  // namespace

std::string RestoreSource::way() const {
  std::string text = at.letter;
  for (const ShareLocation& other : others) text += "<" + other.letter;
  return text;
}

double RestorePlan::price() const {
  return std::accumulate(sources.begin(), sources.end(), 0.0,
                         [](double sum, const RestoreSource& s) { return sum + s.price; });
}

std::vector<std::string> RestorePlan::letters() const {
  std::vector<std::string> all;
  for (const RestoreSource& source : sources) {
    all.insert(all.end(), source.letters.begin(), source.letters.end());
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
    if (!parse_share_name(word)) {
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
                                           const std::vector<ShareLocation>& parts) {
  return gather(Ways(field), parts);
}

std::vector<RestoreSource> find_sources(const RestoreField& field, const RestoreWishes& wishes,
                                        const RestoreTrials& trials) {
  std::vector<ShareLocation> usable;
  for (const ShareLocation& share : field.shares) {
    const bool wished = wishes.using_letters.empty() || wishes.using_letters.contains(share.letter);
    if (wished && answers(field.snapshot, share.site) && !trials.out.contains(share.letter)) {
      usable.push_back(share);
    }
  }
  const Ways ways(field);
  std::vector<RestoreSource> sources;
  for (const ShareLocation& at : usable) {
    if (at.nested && wishes.gather && *wishes.gather != at.site) continue;
    auto source = at.nested ? gather_at(field, ways, at, usable, trials)
                            : with_route(ways, {.top = at.top, .at = at, .letters = {at.letter}});
    if (source) sources.push_back(std::move(*source));
  }
  std::ranges::stable_sort(sources, {}, [&](const RestoreSource& source) {
    int failures = 0;
    for (const std::string& letter : source.letters) {
      const auto failed = trials.failures.find(letter);
      if (failed != trials.failures.end()) failures += failed->second;
    }
    return source.price + failures * kFailurePrice;
  });
  return sources;
}

}  // namespace warifu::control
