// Emergencies on the screen: before anything else, as long as the person was not told.
#pragma once

#include <boost/json.hpp>

namespace warifu::apps {

// Lines for those of an answer's "emergencies" of which the person does not know yet; on standard
// error, so that no result is spoilt. True when there were any.
bool print_emergencies(const boost::json::value& answer);

}  // namespace warifu::apps
