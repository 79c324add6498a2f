// Percent signs of URLs (RFC 3986, section 2). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace warifu {

// Every byte but the unreserved characters becomes %XX: safe as one path segment and as a value of
// a query.
[[nodiscard]] std::string percent_encode(std::string_view text);
// Errors: kInvalidArgument on a bad percent sign and on %00.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text, bool plus_is_space);

}  // namespace warifu
