// What the commands that show links share with those that switch them.
#pragma once

#include <boost/json/value.hpp>

namespace warifu::apps {

// What is switched on each of the links of an answer, a line each; nothing when nothing is.
void print_link_switches(const boost::json::value& answer);

}  // namespace warifu::apps
