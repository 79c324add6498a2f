// From plans to sightings, and from sightings to views.
#include "control/exposure_ledger.h"

#include <algorithm>

#include "control/key_account.h"

namespace warifu::control {
namespace {

catalog::Sighting sighting(const SiteName& site, std::size_t top, std::optional<std::size_t> part) {
  catalog::Sighting made{.site = site, .top = static_cast<std::uint8_t>(top), .part = {}};
  if (part) made.part = static_cast<std::uint8_t>(*part);
  return made;
}

// Sites of a route that come to see what travels on it, and who knows its key. Where it begins the
// share is made: by the origin, or of parts by who holds the share that is cut.
std::vector<SiteName> receivers(const Route& route, const std::set<SiteName>& knowing = {}) {
  if (route.size() == 1) return route;  // it stays
  std::vector<SiteName> sites = way_along(route);
  sites.insert(sites.end(), knowing.begin(), knowing.end());
  return sites;
}

}  // namespace

std::vector<catalog::Sighting> sightings_of(const std::vector<SourceView>& views) {
  std::vector<catalog::Sighting> sightings;
  for (const SourceView& view : views) {
    sightings.push_back(sighting(view.site, view.top, view.part));
  }
  return sightings;
}

std::vector<catalog::Sighting> sightings_of(const std::vector<ShareTarget>& shares,
                                            const SiteName& origin) {
  std::vector<catalog::Sighting> sightings;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    for (const SiteName& site : receivers(shares[i].route, shares[i].knowing)) {
      sightings.push_back(sighting(site, i, std::nullopt));
    }
    for (std::size_t j = 0; j < shares[i].nested.size(); ++j) {
      const ShareTarget& part = shares[i].nested[j];
      for (const SiteName& site : receivers(part.route, part.knowing)) {
        if (site != origin) sightings.push_back(sighting(site, i, j));
      }
    }
  }
  return sightings;
}

Result<std::map<SiteName, Seen>> exposure_of(catalog::Catalog& catalog, const ObjectId& object) {
  std::map<SiteName, Seen> seen;
  TRY_ASSIGN(const std::vector<catalog::Sighting> sightings, catalog.sightings(object));
  for (const catalog::Sighting& one : sightings) {
    if (one.part) {
      seen[one.site].parts[one.top].insert(*one.part);
    } else {
      seen[one.site].shares.insert(one.top);
    }
  }
  TRY_ASSIGN(const catalog::Object now, catalog.object(object));
  TRY_ASSIGN(const std::vector<catalog::Share> shares, catalog.list_shares(object));
  for (const catalog::Share& share : shares) {
    if (share.generation < now.generation) continue;  // what is left of it stands in the ledger
    if (share.route.empty()) continue;  // found by a rebuild: its sightings say what is known
    TRY_ASSIGN(const Route route, parse_route(share.route));
    const auto parent = std::ranges::find_if(
        shares, [&](const catalog::Share& other) { return share.parent == other.share; });
    for (const SiteName& site : receivers(route)) {
      if (parent == shares.end()) {
        seen[site].shares.insert(share.index);
      } else {
        seen[site].parts[parent->index].insert(share.index);
      }
    }
  }
  return seen;
}

}  // namespace warifu::control
