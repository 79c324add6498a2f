// The choice of sources, each legal beside those before it.
#include <algorithm>

#include "planner/restore_plan.h"

namespace warifu::planner {

namespace {

void add_source(const RestoreSource& source, const SiteName& destination,
                std::vector<SourceView>& views) {
  std::set<SiteName> sites = source.knowing;
  sites.insert(source.route.begin(), source.route.end());
  sites.erase(destination);
  for (const SiteName& site : sites) views.push_back({site, source.path});
  // Who holds one part and joins it with others has seen what was cut, on every level.
  for (std::size_t steps = source.path.size() + 1; steps < source.at.path.size(); ++steps) {
    if (source.at.site != destination) {
      views.push_back({source.at.site, source.at.path.above(steps)});
    }
  }
  for (const std::vector<RestoreSource>& cut : source.joined) {
    for (const RestoreSource& other : cut) add_source(other, destination, views);
  }
}

}  // namespace

std::vector<SourceView> views_of(const RestoreSource& source, const SiteName& destination) {
  std::vector<SourceView> views;
  add_source(source, destination, views);
  return views;
}

void add_views(std::map<SiteName, Seen>& seen, const std::vector<SourceView>& views) {
  for (const SourceView& view : views) seen[view.site].insert(view.path);
}

bool may_use(const RestoreField& field, const RestoreSource& source) {
  std::map<SiteName, Seen> seen = field.seen;
  for (const SourceView& view : views_of(source, field.destination)) {
    if (!may_see(field.policy, seen[view.site], view.path)) return false;
    add_views(seen, {view});
  }
  return true;
}

namespace {

class RestoreSearch {
 public:
  RestoreSearch(RestoreField field, const RestoreWishes& wishes, const RestoreTrials& trials)
      : field_(std::move(field)), wishes_(wishes), trials_(trials) {}

  // Adds sources to plan_ until it is whole; takes back what leads nowhere.
  bool extend() {
    if (plan_.sources.size() == field_.policy.scheme.threshold) return fits();
    for (RestoreSource& source : find_sources(field_, wishes_, trials_)) {
      const bool known = std::ranges::find(plan_.sources, source.path, &RestoreSource::path) !=
                         plan_.sources.end();
      if (known || !may_use(field_, source)) continue;
      if (++tried_ > kMaxRestorePlans) return false;
      const std::map<SiteName, Seen> before = field_.seen;
      add_views(field_.seen, views_of(source, field_.destination));
      plan_.sources.push_back(std::move(source));
      if (extend()) return true;
      plan_.sources.pop_back();
      field_.seen = before;
    }
    return false;
  }
  [[nodiscard]] RestorePlan plan() && {
    std::ranges::sort(plan_.sources, {}, &RestoreSource::path);
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool fits() const {
    const auto letters = plan_.letters();
    return wishes_.using_letters.empty() ||
           std::set<std::string>(letters.begin(), letters.end()) == wishes_.using_letters;
  }

  RestoreField field_;
  const RestoreWishes& wishes_;
  const RestoreTrials& trials_;
  RestorePlan plan_;
  std::size_t tried_ = 0;
};

}  // namespace

std::optional<RestorePlan> plan_restore(const RestoreField& field, const RestoreWishes& wishes,
                                        const RestoreTrials& trials) {
  RestoreSearch search(field, wishes, trials);
  if (!search.extend()) return std::nullopt;
  return std::move(search).plan();
}

}  // namespace warifu::planner
