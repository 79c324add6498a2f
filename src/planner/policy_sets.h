// What sets of a policy's nodes are worth: whether they restore the object, tell something of it,
// or may be missed. The one place where thresholds are counted, for trees of any depth.
//
// A set is read bottom up. To have a node is to have its share: the leaf's, or, of a cut, the share
// that it cuts (the object, for the top one). Pure functions, any thread; linear in the nodes.
#pragma once

#include <bitset>

#include "planner/policy.h"

namespace warifu::planner {

using NodeSet = std::bitset<kMaxPolicyNodes>;  // by PolicyNode::number

// Whether who has these nodes has `node`: it is among them, or threshold-many of its children
// follow from them.
[[nodiscard]] bool gives(const PolicyNode& node, const NodeSet& nodes);

// Whether they tell anything at all about it: it is among them, or more of its children than its
// scheme keeps secret from tell something.
[[nodiscard]] bool tells(const PolicyNode& node, const NodeSet& nodes);

// Whether it can still be had at every moment of a store when all of these are gone. A nested cut
// is gone with the site that makes it, which alone holds its share for a while, and with more of
// its parts than it can spare.
[[nodiscard]] bool survives(const PolicyNode& node, const NodeSet& gone);
// How many children of a cut survive.
[[nodiscard]] std::size_t surviving_children(const PolicyNode& cut, const NodeSet& gone);

// The rule of exposure.h, for who has seen `seen` and is to see `node` too: in every cut above
// `node` it has then touched at most privacy() children, up to a node that it has seen whole, below
// which it knows everything anyway. A child is touched when it, or anything below it, was seen. Who
// keeps the rule for each node that it comes to see is told nothing of the object.
[[nodiscard]] bool may_see(const PolicyNode& policy, const NodeSet& seen, std::size_t node);

}  // namespace warifu::planner
