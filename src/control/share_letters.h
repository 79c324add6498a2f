// Names of shares for people. A share of the object is A to Z, then AA to AF; of share C cut again
// C1 to C32; of C2 cut again C2a to C2z, then C2aa to C2af; and so on, capital letters only at the
// top, numbers and small letters in turn below. So every name says its path in the policy, and no
// two paths share a name. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/policy.h"

namespace warifu::control {

// From the top: which share of each cut.
using SharePath = std::vector<sharing::ShareIndex>;

[[nodiscard]] std::string share_name(const SharePath& path);
// Reads a name back; only what share_name() writes for 1 to kMaxNesting + 1 steps. Errors:
// kInvalidArgument.
[[nodiscard]] Result<SharePath> parse_share_path(const std::string& text);

[[nodiscard]] std::string top_letter(sharing::ShareIndex index);
[[nodiscard]] std::string nested_letter(sharing::ShareIndex top, sharing::ShareIndex index);

// Name and PolicyNode::number of every share of a policy, in the order of the text.
[[nodiscard]] std::vector<std::pair<std::string, std::size_t>> share_names(
    const PolicyNode& policy);

// Of the share with that number; empty: it is the object.
[[nodiscard]] std::string name_of(const PolicyNode& policy, std::size_t number);

struct ShareName {
  sharing::ShareIndex top = sharing::ShareIndex::kA;
  std::optional<sharing::ShareIndex> nested;
};

// Reads the name of a share or of a part of one. Errors: kInvalidArgument.
[[nodiscard]] Result<ShareName> parse_share_name(const std::string& text);

}  // namespace warifu::control
