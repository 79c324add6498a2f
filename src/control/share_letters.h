// Names of shares for people: A to Z, then AA to AF; parts of share C: C1 to C32.
// Pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "sharing/scheme.h"

namespace warifu::control {

[[nodiscard]] std::string top_letter(sharing::ShareIndex index);
[[nodiscard]] std::string nested_letter(sharing::ShareIndex top, sharing::ShareIndex index);

struct ShareName {
  sharing::ShareIndex top = sharing::ShareIndex::kA;
  std::optional<sharing::ShareIndex> nested;
};

// Reads a name back; only what top_letter() and nested_letter() write. Errors: kInvalidArgument.
[[nodiscard]] Result<ShareName> parse_share_name(const std::string& text);

}  // namespace warifu::control
