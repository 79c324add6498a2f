// A bare descriptor of a file, to be handed to another process.
#pragma once

#include <string>

#include "base/bytes.h"

namespace warifu::os {

// Open for reading, closed on exec; it is the caller's to close. Errors: kNotFound,
// kInvalidArgument (no regular file), kIo; the message names the path.
[[nodiscard]] Result<int> open_for_reading(const std::string& path);

}  // namespace warifu::os
