// Two ways from one site that meet nowhere, together as cheap as can be.
//
// The search for placements takes its bound from it: where one relay must not see two shares, the
// sum of the two cheapest ways says little, because they often begin with the same hop. One
// augmentation of the cheapest way in the residual graph (Suurballe's method, for one given end and
// one that is free) says exactly what two shares cost. Pure functions, any thread.
#pragma once

#include <optional>

#include "control/key_graph.h"

namespace warifu::control {

struct DisjointPair {
  KeyGraph::Way first, second;  // both begin at the tree's source
  double price = 0;             // of both together
};

// The cheapest two ways from `tree`'s source that share no other site: one ends at `first`, the
// other at any site for which `second` holds. `tree` was grown with these prices and banned sites;
// neither way touches a banned site. What sites beside the ways know is not looked at. None: there
// are no such ways.
[[nodiscard]] std::optional<DisjointPair> disjoint_pair(
    const KeyGraph& graph, const KeyGraph::Tree& tree, const std::vector<double>& prices,
    const std::vector<bool>& banned, KeyGraph::Node first, const std::vector<bool>& second);

}  // namespace warifu::control
