// Selectors, matched.
#include "config/site_selector.h"

#include <algorithm>

namespace warifu::config {

bool selects(const std::string& selector, const SiteEntry& site, const SiteEntry* origin) {
  if (selector == site.name.text()) return true;
  if (selector == "origin") return origin != nullptr && site.name == origin->name;
  if (!selector.starts_with(kRegionPrefix)) {
    return std::ranges::find(site.labels, selector) != site.labels.end();
  }
  const std::string region = selector.substr(kRegionPrefix.size());
  if (site.region.empty()) return false;
  if (region != "same" && region != "other") return site.region == region;
  if (origin == nullptr || origin->region.empty() || site.name == origin->name) return false;
  return (site.region == origin->region) == (region == "same");
}

bool may_place(const std::string& selector, const SiteEntry& site, const SiteEntry* origin) {
  const bool named = selector == "origin" || selector == site.name.text();
  return selects(selector, site, origin) && (site.accepts_shares || named);
}

}  // namespace warifu::config
