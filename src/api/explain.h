// The explanation of an object: where every share is, what protected it on the way, what is
// simulated and what is only computationally secure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "catalog/catalog.h"
#include "control/share_service.h"

namespace warifu::api {

[[nodiscard]] Result<boost::json::value> explain_json(control::SiteContext& site,
                                                      catalog::Catalog& catalog,
                                                      const ObjectId& object);
[[nodiscard]] Result<boost::json::value> shares_json(catalog::Catalog& catalog,
                                                     const ObjectId& object);
// Every cut of a policy: {"cut": "object" or the share that is cut, "scheme", "text"}; empty when
// the policy cannot be read.
[[nodiscard]] boost::json::array schemes_json(const std::string& policy);

}  // namespace warifu::api
