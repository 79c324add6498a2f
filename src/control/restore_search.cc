// The choice of sources, each legal beside those before it.
#include <algorithm>

#include "control/restore_plan.h"

namespace warifu::control {

std::vector<SourceView> views_of(const RestoreSource& source, const SiteName& destination) {
  const auto top = static_cast<std::size_t>(source.top);
  std::vector<SourceView> views;
  const auto add = [&](const Route& route, const std::set<SiteName>& knowing,
                       std::optional<std::size_t> part) {
    std::set<SiteName> sites = knowing;
    sites.insert(route.begin(), route.end());
    sites.erase(destination);
    for (const SiteName& site : sites) views.push_back({site, top, part});
  };
  // Who holds one part and combines it with others has seen the share.
  add(source.route, source.knowing, std::nullopt);
  for (std::size_t i = 0; i < source.others.size(); ++i) {
    add(source.other_routes[i], source.other_knowing[i], source.others[i].part);
  }
  return views;
}

void add_views(std::map<SiteName, Seen>& seen, const std::vector<SourceView>& views) {
  for (const SourceView& view : views) {
    if (view.part) {
      seen[view.site].parts[view.top].insert(*view.part);
    } else {
      seen[view.site].shares.insert(view.top);
    }
  }
}

bool may_use(const RestoreField& field, const RestoreSource& source) {
  std::map<SiteName, Seen> seen = field.seen;
  for (const SourceView& view : views_of(source, field.destination)) {
    const Seen& known = seen[view.site];
    const bool may = view.part ? may_see_part(field.policy, known, view.top, *view.part)
                               : may_see_share(field.policy, known, view.top);
    if (!may) return false;
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
      const bool known =
          std::ranges::find(plan_.sources, source.top, &RestoreSource::top) != plan_.sources.end();
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
    std::ranges::sort(plan_.sources, {}, &RestoreSource::top);
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

}  // namespace warifu::control
