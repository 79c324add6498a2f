// What people read about who has been told of a withdrawal or a revocation.
#pragma once

#include <string>

#include <boost/json.hpp>

namespace warifu::apps {

// "6 sites have been told", and which have not yet, and why.
[[nodiscard]] std::string told_text(const boost::json::value& answer);

}  // namespace warifu::apps
