// A consent of the catalog with all that its documents tell (consent_receipt.h). Any thread.
#pragma once

#include "api/consent_receipt.h"
#include "api/routes.h"

namespace warifu::api {

// Errors: kNotFound, kCorrupt; the catalog's.
[[nodiscard]] Result<ConsentParts> consent_parts(const Services& services, ControlServices& control,
                                                 const GrantId& grant);

}  // namespace warifu::api
