// Policy: a tree of thresholds saying which sets of sites may restore.
//
//   policy := cut
//   cut    := (NUMBER | "ramp 3") "of" "(" item ("," item)* ")" [ "via" label ]
//   item   := label | cut
//   label  := a site's name, or a label that sites carry, or "origin"
//
// "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)": share A stays at the origin, B
// goes to a vault, C to a gateway, which cuts it again for three clouds and deletes it.
// "3 of (...)" with 3 to 32 items: any three restore, any two tell nothing. "ramp 3 of (a, b, c,
// d)": shares half as long as the secret; one tells nothing, two tell half.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sharing/scheme.h"

namespace warifu::control {

// Longer texts fit no share header.
inline constexpr std::size_t kMaxPolicyBytes = 1024;

struct PolicyNode {
  // A leaf has a label and no children; a cut has a scheme and a child for each share.
  std::string label;
  sharing::Scheme scheme;
  std::vector<PolicyNode> children;
  std::string via;  // of a nested cut: the label of the site that makes it

  [[nodiscard]] bool is_leaf() const { return children.empty(); }
  [[nodiscard]] std::string text() const;
};

// Parses and checks: every threshold is k of n with 2 <= k <= n <= 32 or the ramp 3 of 4, nested
// ones name a "via" and the top one does not, at most one level of nesting, "origin" stands once,
// at the top. Errors: kInvalidArgument with the position.
[[nodiscard]] Result<PolicyNode> parse_policy(const std::string& text);

}  // namespace warifu::control
