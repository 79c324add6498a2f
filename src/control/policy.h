// Policy: a tree of thresholds saying which sets of sites may restore.
//
//   policy := threshold
//   threshold := NUMBER "of" "(" item ("," item)* ")" [ "via" label ]
//   item := label | threshold
//   label := a site's name, or a label that sites carry, or "origin"
//
// "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)": share A stays at the origin, B
// goes to a vault, C to a gateway, which cuts it again for three clouds and deletes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::control {

struct PolicyNode {
  // A leaf has a label and no children; a threshold has children.
  std::string label;
  std::uint32_t threshold = 0;
  std::vector<PolicyNode> children;
  std::string via;  // of a nested threshold: the label of the site that cuts the share

  [[nodiscard]] bool is_leaf() const { return children.empty(); }
  [[nodiscard]] std::string text() const;
};

// Parses and checks: every threshold is 2 of 3 (the sharing that this version has), nested
// thresholds name a "via" and the top one does not, at most one level of nesting, "origin" stands
// once, at the top. Errors: kInvalidArgument with the position.
[[nodiscard]] Result<PolicyNode> parse_policy(const std::string& text);

}  // namespace warifu::control
