// The explanation of an object: where every share is, what protected it on the way, what is
// simulated and what is only computationally secure.
#pragma once

#include <boost/json/value.hpp>

#include "catalog/catalog.h"
#include "control/share_service.h"

namespace warifu::api {

[[nodiscard]] Result<boost::json::value> explain_json(control::SiteContext& site,
                                                      catalog::Catalog& catalog,
                                                      const ObjectId& object);
[[nodiscard]] Result<boost::json::value> shares_json(catalog::Catalog& catalog,
                                                     const ObjectId& object);

}  // namespace warifu::api
