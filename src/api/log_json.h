// A record of the audit log as JSON.
#pragma once

#include "api/json.h"

namespace warifu::api {

// seq and leaf; time, time_ms, event and fields, or `erased` in their place.
[[nodiscard]] json::value record_json(const audit::Record& record);

}  // namespace warifu::api
