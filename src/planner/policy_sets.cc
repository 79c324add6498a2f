// Counting over the tree.
#include "planner/policy_sets.h"

#include <algorithm>

namespace warifu::planner {
namespace {

template <typename Counts>
std::size_t count_children(const PolicyNode& cut, const Counts& counts) {
  return static_cast<std::size_t>(std::ranges::count_if(cut.children, counts));
}

// A node's number and those below it run without a gap.
std::size_t behind(const PolicyNode& node) {
  return node.is_leaf() ? node.number + 1 : behind(node.children.back());
}

bool touches(const PolicyNode& node, const NodeSet& seen) {
  for (std::size_t i = node.number; i < behind(node); ++i) {
    if (seen.test(i)) return true;
  }
  return false;
}

}  // namespace

bool gives(const PolicyNode& node, const NodeSet& nodes) {
  if (nodes.test(node.number)) return true;
  return !node.is_leaf() && count_children(node, [&](const PolicyNode& child) {
                              return gives(child, nodes);
                            }) >= node.scheme.threshold;
}

bool tells(const PolicyNode& node, const NodeSet& nodes) {
  if (nodes.test(node.number)) return true;
  return !node.is_leaf() && count_children(node, [&](const PolicyNode& child) {
                              return tells(child, nodes);
                            }) > node.scheme.privacy();
}

bool survives(const PolicyNode& node, const NodeSet& gone) {
  if (gone.test(node.number)) return false;
  return node.is_leaf() || surviving_children(node, gone) >= node.scheme.threshold;
}

std::size_t surviving_children(const PolicyNode& cut, const NodeSet& gone) {
  return count_children(cut, [&](const PolicyNode& child) { return survives(child, gone); });
}

bool may_see(const PolicyNode& policy, const NodeSet& seen, std::size_t node) {
  const PolicyNode* cut = &policy;
  while (!seen.test(cut->number) && cut->number != node) {
    const auto next = std::ranges::find_if(
        cut->children, [&](const PolicyNode& child) { return node < behind(child); });
    const std::size_t touched = count_children(
        *cut, [&](const PolicyNode& child) { return &child == &*next || touches(child, seen); });
    if (touched > cut->scheme.privacy()) return false;
    cut = &*next;
  }
  return true;
}

}  // namespace warifu::planner
