// Ways to top shares, and the cheapest set of them.
#include "control/restore_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

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

// Fills in route and price to the destination; nullopt when a site on the way does not answer.
std::optional<RestoreSource> with_route(const RestoreField& field, RestoreSource source) {
  auto way = priced_route(field.snapshot, source.at.site, field.destination, top_bytes(field));
  if (!way) return std::nullopt;
  source.route = std::move(way->first);
  source.price += way->second;
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

// The cheapest way to gather at `at` that is not out.
std::optional<RestoreSource> gather_at(const RestoreField& field, const ShareLocation& at,
                                       const std::vector<ShareLocation>& usable,
                                       const RestoreTrials& trials) {
  const std::uint64_t bytes = part_bytes(field, at.top);
  std::vector<Part> parts;
  for (const ShareLocation& other : usable) {
    if (!other.nested || other.top != at.top || other.share == at.share) continue;
    const auto hop = priced_route(field.snapshot, other.site, at.site, bytes);
    if (!hop) continue;
    const auto failed = trials.failures.find(other.letter);
    const int times = failed == trials.failures.end() ? 0 : failed->second;
    parts.push_back({&other, hop->second + times * kFailurePrice});
  }
  std::ranges::stable_sort(parts, {}, &Part::price);
  std::vector<double> prices;
  for (const Part& part : parts) prices.push_back(part.price);
  const std::size_t wanted = cut_of(field, at.top).scheme.threshold - 1U;
  for (const auto& set : cheapest_sets(prices, wanted, kMaxGatherings)) {
    std::vector<ShareLocation> chosen = {at};
    for (const std::size_t i : set) chosen.push_back(*parts[i].share);
    auto source = gather_source(field, chosen);
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
  const ShareLocation& at = parts.front();
  RestoreSource source{.top = at.top, .at = at, .others = {parts.begin() + 1, parts.end()}};
  std::ranges::sort(source.others, by_part);
  const std::uint64_t bytes = part_bytes(field, at.top);
  for (const ShareLocation& other : source.others) {
    const auto hop = priced_route(field.snapshot, other.site, at.site, bytes);
    if (!hop) return std::nullopt;
    source.price += hop->second;
  }
  std::vector<ShareLocation> sorted = parts;
  std::ranges::sort(sorted, by_part);
  for (const ShareLocation& part : sorted) source.letters.push_back(part.letter);
  return with_route(field, std::move(source));
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
  std::vector<RestoreSource> sources;
  for (const ShareLocation& at : usable) {
    if (at.nested && wishes.gather && *wishes.gather != at.site) continue;
    auto source = at.nested ? gather_at(field, at, usable, trials)
                            : with_route(field, {.top = at.top, .at = at, .letters = {at.letter}});
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

std::optional<RestorePlan> find_plan(const std::vector<RestoreSource>& sources,
                                     const sharing::Scheme& scheme, const RestoreWishes& wishes) {
  RestorePlan plan;
  for (const RestoreSource& source : sources) {
    if (plan.sources.size() == scheme.threshold) break;
    if (std::ranges::find(plan.sources, source.top, &RestoreSource::top) == plan.sources.end()) {
      plan.sources.push_back(source);
    }
  }
  if (plan.sources.size() < scheme.threshold) return std::nullopt;
  std::ranges::sort(plan.sources, {}, &RestoreSource::top);
  const auto letters = plan.letters();
  if (!wishes.using_letters.empty() &&
      std::set<std::string>(letters.begin(), letters.end()) != wishes.using_letters) {
    return std::nullopt;
  }
  return plan;
}

}  // namespace warifu::control
