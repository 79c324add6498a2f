// When share control may forget what a card must know of an object.
#pragma once

#include "catalog/catalog.h"
#include "control/share_service.h"

namespace warifu::control {

// Whether the object's secrets are safe elsewhere: on the card and, where that is on, in
// safekeeping; of a signature card, which keeps nothing, and of a ward, who has none, in
// safekeeping. Never while the person's card is one that this site's own key alone reads (DESFire),
// for that key burns with the site; nor while this site's gate does not know the card, for then it
// may have burnt. Errors: the catalog's.
[[nodiscard]] Result<bool> is_record_safe(SiteContext& site, catalog::Catalog& catalog,
                                          const ObjectId& object);

// Where the record of an object is, for people: "pending" (the card has to get it yet), "on_card";
// of a signature card "in_safekeeping", or "at_control_site" as long as it is there alone. Of an
// object that came out of its shares "unknown", until its card, or safekeeping, has shown it.
[[nodiscard]] std::string record_place(SiteContext& site, catalog::Catalog& catalog,
                                       const catalog::Object& object);

}  // namespace warifu::control
