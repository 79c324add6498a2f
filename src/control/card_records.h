// When share control may forget what a card must know of an object.
#pragma once

#include "catalog/catalog.h"
#include "control/share_service.h"

namespace warifu::control {

// Whether the object's secrets are safe elsewhere: on the card and, where that is on, in
// safekeeping. Never while the person's card is one that this site's own key alone reads (DESFire):
// that key burns with the site. Errors: the catalog's.
[[nodiscard]] Result<bool> is_record_safe(SiteContext& site, catalog::Catalog& catalog,
                                          const ObjectId& object);

}  // namespace warifu::control
