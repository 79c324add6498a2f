// Enumeration of sources and plans.
#include "control/restore_plan.h"

#include <algorithm>

namespace warifu::control {
namespace {

// Key price of sending along the fewest links, which is how requests travel; nullopt when a site on
// the way does not answer.
std::optional<double> route_price(const Route& route, const Snapshot& snapshot,
                                  std::uint64_t bytes) {
  double price = 0;
  for (std::size_t i = 0; i + 1 < route.size(); ++i) {
    const auto edge = std::ranges::find_if(snapshot.edges, [&](const EdgeState& e) {
      return e.from == route[i] && e.to == route[i + 1];
    });
    if (edge == snapshot.edges.end()) return std::nullopt;
    price += edge_price(*edge, bytes);
  }
  return price;
}

bool answers(const Snapshot& snapshot, const SiteName& site) {
  return std::ranges::any_of(snapshot.sites, [&](const SiteEntry& s) { return s.name == site; });
}

}  // namespace

std::vector<std::string> RestorePlan::letters() const {
  std::vector<std::string> all = first.letters;
  all.insert(all.end(), second.letters.begin(), second.letters.end());
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
    const bool top = word.size() == 1 && word[0] >= 'A' && word[0] <= 'C';
    const bool nested =
        word.size() == 2 && word[0] >= 'A' && word[0] <= 'C' && word[1] >= '1' && word[1] <= '3';
    if (!top && !nested) {
      return fail(Code::kInvalidArgument,
                  "'" + text + "' is not a list of shares such as A,B or A,C1,C2");
    }
    letters.insert(word);
    word.clear();
  }
  return letters;
}

std::vector<RestoreSource> find_sources(const std::vector<ShareLocation>& shares,
                                        const Snapshot& snapshot, const SiteConfig& config,
                                        const SiteName& destination, std::uint64_t bytes,
                                        const RestoreWishes& wishes) {
  std::vector<RestoreSource> sources;
  const auto add = [&](RestoreSource source) {
    source.route = travel_route(config.links, source.at.site, destination);
    const auto price = route_price(source.route, snapshot, bytes);
    if (source.route.empty() || !price) return;
    source.price += *price;
    sources.push_back(std::move(source));
  };
  for (const ShareLocation& at : shares) {
    if (!answers(snapshot, at.site)) continue;
    if (!at.nested) {
      add({.top = at.top, .at = at, .letters = {at.letter}});
      continue;
    }
    if (wishes.gather && *wishes.gather != at.site) continue;
    for (const ShareLocation& other : shares) {
      if (!other.nested || other.top != at.top || other.share == at.share) continue;
      if (!answers(snapshot, other.site)) continue;
      const auto hop = route_price(travel_route(config.links, other.site, at.site), snapshot, bytes);
      if (!hop) continue;
      std::vector<std::string> letters = {at.letter, other.letter};
      std::ranges::sort(letters);
      add({.top = at.top, .at = at, .other = other, .letters = letters, .price = *hop});
    }
  }
  std::ranges::stable_sort(sources, {}, &RestoreSource::price);
  return sources;
}

std::vector<RestorePlan> find_plans(const std::vector<RestoreSource>& sources,
                                    const RestoreWishes& wishes) {
  std::vector<RestorePlan> plans;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (std::size_t j = i + 1; j < sources.size(); ++j) {
      if (sources[i].top == sources[j].top) continue;
      RestorePlan plan{sources[i], sources[j]};
      if (plan.first.top > plan.second.top) std::swap(plan.first, plan.second);
      const auto letters = plan.letters();
      const bool wanted =
          wishes.using_letters.empty() ||
          std::set<std::string>(letters.begin(), letters.end()) == wishes.using_letters;
      if (wanted) plans.push_back(std::move(plan));
    }
  }
  std::ranges::stable_sort(plans, {}, &RestorePlan::price);
  return plans;
}

}  // namespace warifu::control
