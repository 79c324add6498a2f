// Policy: a tree of thresholds saying which sets of sites may restore.
//
//   policy   := [ "fragile" ] cut
//   cut      := (NUMBER | "ramp 3") "of" "(" item ("," item)* ")" [ "via" selector ]
//   item     := selector | cut
//   selector := a site's name, or a label that sites carry, or "origin", or "region:same",
//               "region:other", "region:NAME" (site_selector.h)
//
// "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)": share A stays at the origin, B
// goes to a vault, C to a gateway, which cuts it again for three clouds and deletes it.
// "3 of (...)" with 3 to 32 items: any three restore, any two tell nothing. "ramp 3 of (a, b, c,
// d)": shares half as long as the secret; one tells nothing, two tell half. "fragile" is the
// operator's word that the loss of one site or failure domain may lose the object; it stands in the
// object's policy for ever (policy_check.h, failure_domains.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sharing/scheme.h"

namespace warifu::control {

// Longer texts fit no share header.
inline constexpr std::size_t kMaxPolicyBytes = 1024;
// No text of that length has more: every selector and every cut takes two characters or more.
inline constexpr std::size_t kMaxPolicyNodes = kMaxPolicyBytes / 2;

// Cuts inside the top one, one inside the other: that an object can be stored under, and that a
// policy can be read and judged with.
inline constexpr std::size_t kStoredNesting = 1;
inline constexpr std::size_t kMaxNesting = 8;

struct PolicyNode {
  // A leaf has a label (its selector) and no children; a cut has a scheme and a child for each
  // share.
  std::string label;
  sharing::Scheme scheme;
  std::vector<PolicyNode> children;
  std::string via;         // of a nested cut: the selector of the site that makes it
  std::size_t number = 0;  // in the order of the text; the top cut is 0
  bool fragile = false;    // of the top cut

  [[nodiscard]] bool is_leaf() const { return children.empty(); }
  [[nodiscard]] std::string text() const;
};

// Parses and checks: every threshold is k of n with 2 <= k <= n <= 32 or the ramp 3 of 4, nested
// ones name a "via" and the top one does not, at most `nesting` levels of nesting, "origin" stands
// once, at the top. Errors: kInvalidArgument with the position.
[[nodiscard]] Result<PolicyNode> parse_policy(const std::string& text,
                                              std::size_t nesting = kStoredNesting);

}  // namespace warifu::control
