// What a restore would cost in key, told before anybody consents to it.
#pragma once

#include "catalog/catalog.h"
#include "control/share_service.h"
#include "planner/restore_plan.h"

namespace warifu::control {

// Bytes of one-time pad that restoring the whole object at `destination` takes on all links
// together, by the plan that would be made now; nothing is leased and nothing is spent. Messages
// beside the records are left out: they are kilobytes. Errors: kNotFound; kUnavailable when no
// shares that answer would do.
[[nodiscard]] Result<std::uint64_t> quote_restore(SiteContext& site, ShareService& own,
                                                  catalog::Catalog& catalog, const ObjectId& object,
                                                  const SiteName& destination);

}  // namespace warifu::control
