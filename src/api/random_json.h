// A source of random numbers as JSON, for the API and for `warifu random test`.
#pragma once

#include <boost/json.hpp>

#include "entropy/feed.h"

namespace warifu::api {

[[nodiscard]] boost::json::object to_json(const entropy::FeedStatus& status);

}  // namespace warifu::api
