// Following a job of a site until it ends.
#pragma once

#include <boost/json/value.hpp>

#include "apps/api_client.h"

namespace warifu::apps {

// Polls, shows progress, returns the finished job. Errors: the job's own reason when it failed.
[[nodiscard]] Result<boost::json::value> follow_job(ApiClient& client, const std::string& job,
                                                    const std::string& what);

}  // namespace warifu::apps
