// When share control may forget what a card must know of an object.
#pragma once

#include "catalog/catalog.h"
#include "control/site_config.h"

namespace warifu::control {

// Whether the object's secrets are safe elsewhere: on the card and, where that is on, in
// safekeeping. Errors: the catalog's.
[[nodiscard]] Result<bool> is_record_safe(const SiteConfig& config, catalog::Catalog& catalog,
                                          const ObjectId& object);

}  // namespace warifu::control
