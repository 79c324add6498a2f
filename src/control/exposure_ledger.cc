// From plans to sightings, and from sightings to views.
#include "control/exposure_ledger.h"

#include <algorithm>

#include "control/key_account.h"

namespace warifu::control {
namespace {

// Sites of a route that come to see what travels on it, and who knows its key. Where it begins the
// share is made: by the origin, or of parts by who holds the share that is cut.
std::vector<SiteName> receivers(const planner::Route& route,
                                const std::set<SiteName>& knowing = {}) {
  if (route.size() == 1) return route;  // it stays
  std::vector<SiteName> sites = planner::way_along(route);
  sites.insert(sites.end(), knowing.begin(), knowing.end());
  return sites;
}

}  // namespace

std::vector<catalog::Sighting> sightings_of(const std::vector<planner::SourceView>& views) {
  std::vector<catalog::Sighting> sightings;
  for (const planner::SourceView& view : views) sightings.push_back({view.site, view.path});
  return sightings;
}

std::vector<catalog::Sighting> sightings_of(const std::map<SiteName, planner::Seen>& seen) {
  std::vector<catalog::Sighting> sightings;
  for (const auto& [site, shares] : seen) {
    for (const sharing::SharePath& path : shares) sightings.push_back({site, path});
  }
  return sightings;
}

namespace {

void add_sightings(const std::vector<planner::ShareTarget>& shares, const sharing::SharePath& cut,
                   const SiteName& origin, std::vector<catalog::Sighting>& sightings) {
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const sharing::SharePath path = cut.part(i);
    for (const SiteName& site : receivers(shares[i].route, shares[i].knowing)) {
      if (path.is_top() || site != origin) sightings.push_back({site, path});
    }
    add_sightings(shares[i].nested, path, origin, sightings);
  }
}

}  // namespace

std::vector<catalog::Sighting> sightings_of(const std::vector<planner::ShareTarget>& shares,
                                            const SiteName& origin, const sharing::SharePath& cut) {
  std::vector<catalog::Sighting> sightings;
  add_sightings(shares, cut, origin, sightings);
  return sightings;
}

Result<std::map<SiteName, planner::Seen>> exposure_of(catalog::Catalog& catalog,
                                                      const ObjectId& object) {
  std::map<SiteName, planner::Seen> seen;
  TRY_ASSIGN(const std::vector<catalog::Sighting> sightings, catalog.sightings(object));
  for (const catalog::Sighting& one : sightings) seen[one.site].insert(one.path);
  TRY_ASSIGN(const catalog::Object now, catalog.object(object));
  TRY_ASSIGN(const std::vector<catalog::Share> shares, catalog.list_shares(object));
  for (const catalog::Share& share : shares) {
    if (share.generation < now.generation) continue;  // what is left of it stands in the ledger
    if (share.route.empty()) continue;  // found by a rebuild: its sightings say what is known
    TRY_ASSIGN(const planner::Route route, parse_route(share.route));
    for (const SiteName& site : receivers(route)) seen[site].insert(share.path);
  }
  return seen;
}

}  // namespace warifu::control
