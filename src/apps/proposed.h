// Acts that a site has only noted as proposals, because a second operator has to approve them.
#pragma once

#include <boost/json/value.hpp>

#include "apps/command_options.h"

namespace warifu::apps {

// True when the answer is a proposal; then that has been told, and the command is over.
[[nodiscard]] bool tell_proposed(const Common& common, const boost::json::value& answer);

}  // namespace warifu::apps
