// A placement for people and for the record: what was chosen, the runner-up, what each costs in key
// and hours, what excluded the rest, and the state of the network that it follows from.
#pragma once

#include <boost/json/object.hpp>

#include "control/network_view.h"

namespace warifu::control {

// {"chosen","runner_up","excluded","reasons","failure_domains","fragile","inputs"}; docs/api.md has
// the fields. `policy` and `view` are what the advice was given for.
[[nodiscard]] boost::json::object advice_json(const planner::PlacementAdvice& advice,
                                              const planner::PolicyNode& policy,
                                              const NetworkView& view);

}  // namespace warifu::control
