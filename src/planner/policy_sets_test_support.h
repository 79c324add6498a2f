// References for tests of policies: sets and moments spelled out one by one, without the recursive
// counting of policy_sets.h.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "planner/policy_sets.h"

namespace warifu::planner {

// All sets of nodes that give `node`, spelled out: itself, or a set for each of any k children.
inline std::vector<NodeSet> giving_sets(const PolicyNode& node,
                                        std::size_t needed_of(const PolicyNode&)) {
  std::vector<NodeSet> sets;
  NodeSet itself;
  sets.push_back(itself.set(node.number));
  if (node.is_leaf()) return sets;
  const std::size_t n = node.children.size();
  for (std::size_t chosen = 0; chosen < (std::size_t{1} << n); ++chosen) {
    if (static_cast<std::size_t>(std::popcount(chosen)) != needed_of(node)) continue;
    std::vector<NodeSet> unions = {NodeSet()};
    for (std::size_t i = 0; i < n; ++i) {
      if (((chosen >> i) & 1U) == 0) continue;
      std::vector<NodeSet> more;
      for (const NodeSet& child : giving_sets(node.children[i], needed_of)) {
        for (const NodeSet& before : unions) more.push_back(before | child);
      }
      unions = std::move(more);
    }
    sets.insert(sets.end(), unions.begin(), unions.end());
  }
  return sets;
}

inline std::size_t to_restore(const PolicyNode& cut) {
  return cut.scheme.threshold;
}
inline std::size_t to_tell(const PolicyNode& cut) {
  return cut.scheme.privacy() + 1;
}

inline bool contains_one(const std::vector<NodeSet>& sets, const NodeSet& nodes) {
  return std::ranges::any_of(sets, [&](const NodeSet& set) { return (set & nodes) == set; });
}

inline NodeSet set_of(std::size_t bits) {
  return {static_cast<unsigned long long>(bits) << 1U};  // the object itself is node 0
}

// What lies somewhere at each moment of a store: every nested cut has its share still in one place,
// or has all of its parts in theirs.
inline std::vector<NodeSet> moments_of(const PolicyNode& policy) {
  std::vector<const PolicyNode*> cuts;
  const auto list = [&](const auto& self, const PolicyNode& node) -> void {
    for (const PolicyNode& child : node.children) {
      if (!child.is_leaf()) cuts.push_back(&child);
      self(self, child);
    }
  };
  list(list, policy);
  std::vector<NodeSet> moments;
  for (std::size_t bits = 0; bits < (std::size_t{1} << cuts.size()); ++bits) {
    NodeSet waiting;  // cuts that are still to be made
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      if (((bits >> i) & 1U) != 0) waiting.set(cuts[i]->number);
    }
    NodeSet there;
    const auto lie = [&](const auto& self, const PolicyNode& node) -> void {
      if (node.is_leaf() || waiting.test(node.number)) {
        there.set(node.number);
        return;
      }
      for (const PolicyNode& child : node.children) self(self, child);
    };
    lie(lie, policy);
    moments.push_back(there);
  }
  return moments;
}

// The same policy's sets and moments, spelled out once.
class Spelled {
 public:
  explicit Spelled(const PolicyNode& policy)
      : sets_(giving_sets(policy, to_restore)), moments_(moments_of(policy)) {}

  // Whether the object can be had without these at every moment.
  [[nodiscard]] bool survives(const NodeSet& gone) const {
    return std::ranges::all_of(
        moments_, [&](const NodeSet& there) { return contains_one(sets_, there & ~gone); });
  }
  // Whether these alone never give the object.
  [[nodiscard]] bool keeps(const NodeSet& inside) const {
    return std::ranges::none_of(
        moments_, [&](const NodeSet& there) { return contains_one(sets_, there & inside); });
  }

 private:
  std::vector<NodeSet> sets_, moments_;
};

}  // namespace warifu::planner
