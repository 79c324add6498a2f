// What a line of this site's log has to say so that the person finds it among the accesses to their
// data (custody/access_view.h): whose data, under which consent, for whom, for what. Any thread.
#pragma once

#include "catalog/catalog.h"
#include "control/share_service.h"

namespace warifu::control {

// person (the pseudonym here), grant, object, grantee, purpose. `purpose` empty: the grant's.
// Errors: the catalog's; kNotFound: the person has no pseudonym at this site.
[[nodiscard]] Result<audit::Fields> access_fields(const SiteContext& site,
                                                  catalog::Catalog& catalog,
                                                  const catalog::Grant& record,
                                                  const consent::Grantee& grantee,
                                                  std::string purpose = {});

}  // namespace warifu::control
