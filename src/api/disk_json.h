// A disk set under way, as /v1/keys and /v1/links/disk tell it.
#pragma once

#include <boost/json.hpp>

#include "kme/disk_intake.h"

namespace warifu::api {

// Null when no set ever was.
[[nodiscard]] boost::json::value disk_json(const std::optional<kme::DiskStatus>& status);

}  // namespace warifu::api
