// Policy: a tree of thresholds saying which sets of sites may restore.
//
//   policy   := [ "fragile" ] cut
//   cut      := (NUMBER | "ramp 3") "of" "(" item ("," item)* ")" [ "via" selector ]
//   item     := selector | cut
//   selector := a site's name, or a label that sites carry, or "origin", or "region:same",
//               "region:other", "region:NAME" (site_selector.h)
//
// "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)": share A stays at the origin, B
// goes to a vault, C to a gateway, which cuts it again for three clouds and deletes it; a cloud
// could be a cut again, and so on. "3 of (...)" with 3 to 32 items: any three restore, any two tell
// nothing. "ramp 3 of (a, b, c, d)": shares half as long as the secret; one tells nothing, two tell
// half. "fragile" is the operator's word that the loss of one site or failure domain may lose the
// object; it stands in the object's policy for ever (policy_check.h, failure_domains.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sharing/chunk.h"
#include "sharing/share_path.h"

namespace warifu::planner {

// Longer texts fit no share header.
inline constexpr std::size_t kMaxPolicyBytes = 1024;
// No text of that length has more: every selector and every cut takes two characters or more.
inline constexpr std::size_t kMaxPolicyNodes = kMaxPolicyBytes / 2;

// Cuts inside the top one, one inside the other.
inline constexpr std::size_t kMaxNesting = 8;
static_assert(kMaxNesting + 1 == sharing::SharePath::kMaxSteps);

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
  // The selector of the site that has this share whole: where a leaf rests, or who makes the nested
  // cut. Empty for the top cut.
  [[nodiscard]] const std::string& holder() const { return is_leaf() ? label : via; }
  [[nodiscard]] std::string text() const;
  // Below this node, which is the object for a whole policy; nullptr: it has no such share.
  [[nodiscard]] const PolicyNode* find(const sharing::SharePath& path) const;
};

// Every share of a policy, those that are cut again too, in the order of the text.
[[nodiscard]] std::vector<std::pair<sharing::SharePath, const PolicyNode*>> share_paths(
    const PolicyNode& policy);
// Those that come to rest: all but those that are cut again.
[[nodiscard]] std::vector<sharing::SharePath> leaf_paths(const PolicyNode& policy);
// Of the share with that PolicyNode::number; the object's is 0.
[[nodiscard]] sharing::SharePath path_of(const PolicyNode& policy, std::size_t number);

// Records of the share at that path, of an object with `records`. The policy must have the path.
[[nodiscard]] sharing::RecordLayout records_at(const PolicyNode& policy,
                                               const sharing::RecordLayout& records,
                                               const sharing::SharePath& path);

// Parses and checks: every threshold is k of n with 2 <= k <= n <= 32 or the ramp 3 of 4, nested
// ones name a "via" and the top one does not, at most kMaxNesting levels of nesting, "origin"
// stands once, at the top. Errors: kInvalidArgument with the position.
[[nodiscard]] Result<PolicyNode> parse_policy(const std::string& text);

}  // namespace warifu::planner
