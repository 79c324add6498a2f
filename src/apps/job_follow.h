// Following a job of a site until it ends.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "apps/api_client.h"

namespace warifu::apps {

// Polls, shows progress, returns the finished job. Errors: the job's own reason when it failed.
[[nodiscard]] Result<boost::json::value> follow_job(ApiClient& client, const std::string& job,
                                                    const std::string& what);

struct Common;
// Starts a job by that request, follows it unless asked not to, and tells how it ended.
[[nodiscard]] Result<> run_job(const Common& common, ApiClient& client, const std::string& path,
                               const boost::json::object& body, const std::string& what,
                               bool no_wait);

}  // namespace warifu::apps
