// What every site's log says about one person, together: who had what of theirs, when, for what, by
// which card; what was refused; what became of cards and consents.
//
// Each site is asked for its own log and answers for itself; a record's site and number prove it
// ('warifu audit prove'). A site that does not answer is named. Any thread.
#pragma once

#include "catalog/catalog.h"
#include "custody/custody_service.h"

namespace warifu::custody {

struct SiteAccess {
  SiteName site;
  Access access;
};
struct AccessView {
  std::vector<SiteAccess> accesses;                       // by time
  std::vector<std::pair<SiteName, std::string>> missing;  // sites that did not answer, and why
};

// Errors: kNotFound (the person), the catalog's.
[[nodiscard]] Result<AccessView> accesses_of(control::SiteContext& site, catalog::Catalog& catalog,
                                             CustodyService& own, const std::string& person);

}  // namespace warifu::custody
