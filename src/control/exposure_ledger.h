// The exposure ledger of an object in the catalog: what every site has come to see of it, over all
// stores, re-shares and restores. Entries are made before bytes travel; they go only when a refresh
// has made worthless what was seen (upkeep/refresh_plan.h).
#pragma once

#include "catalog/catalog.h"
#include "planner/restore_plan.h"

namespace warifu::control {

// The ledger, and what the routes of shares say that were stored before there was one; the origin's
// making of the object left out. Errors: the catalog's.
[[nodiscard]] Result<std::map<SiteName, planner::Seen>> exposure_of(catalog::Catalog& catalog,
                                                                    const ObjectId& object);

[[nodiscard]] std::vector<catalog::Sighting> sightings_of(
    const std::vector<planner::SourceView>& views);
[[nodiscard]] std::vector<catalog::Sighting> sightings_of(
    const std::map<SiteName, planner::Seen>& seen);
// Of a placement: everybody on the ways of the shares but the origin, which makes them all; what it
// keeps counts. Of the object's shares, or of the parts of `cut`.
[[nodiscard]] std::vector<catalog::Sighting> sightings_of(
    const std::vector<planner::ShareTarget>& shares, const SiteName& origin,
    const sharing::SharePath& cut = {});

}  // namespace warifu::control
