// Ways from one site to as many sites as there are shares, which do not meet where they must not,
// together as cheap as can be.
//
// The search for placements lives by it. Where a relay may see one share only, the sum of the
// cheapest ways says little: they often begin with the same hop, and from a site with two links
// three shares never leave. As a flow of least cost (successive shortest ways over reduced prices;
// Edmonds and Karp 1972) in a network whose sites have room for so many shares, the question has an
// exact answer for all shares of a cut at once. The flow's network is built once and asked many
// times. One thread; the graph must outlive it.
#pragma once

#include <optional>
#include <vector>

#include "planner/key_graph.h"

namespace warifu::planner {

// Shares that want the same sites: `count` of them, each at another site that fits.
struct Wanted {
  static constexpr double kUnfit = KeyGraph::kUnreachable;
  std::vector<double> more;  // by site: what resting there costs beside the way; kUnfit: it may not
  std::size_t count = 0;
};

struct DisjointWays {
  std::vector<std::vector<KeyGraph::Way>> ways;  // for each of `wanted`; all begin at the source
  double price = 0;                              // of all together, with what resting costs
};

class WayFinder {
 public:
  // For at most so many groups of wanted shares at once.
  WayFinder(const KeyGraph& graph, std::size_t groups);

  // The cheapest ways for all of `wanted`, no two of which end at the same site. `room` says how
  // many of the ways may touch a site, whether they pass or end there; the source's is not asked. A
  // share that stays at the source has a way of one site. What sites beside the ways know is looked
  // at only so far: a link of which somebody without any room knows key is not used. None: there
  // are no such ways.
  [[nodiscard]] std::optional<DisjointWays> find(KeyGraph::Node source,
                                                 const std::vector<double>& prices,
                                                 const std::vector<std::size_t>& room,
                                                 const std::vector<Wanted>& wanted);

 private:
  using Node = KeyGraph::Node;
  // Arcs stand in pairs, the second of which takes the first one back.
  struct Arc {
    Node to;
    std::uint32_t room;
    double price;
  };
  // A direction of a link, as an arc of the flow.
  struct Hop {
    Node from;
    const KeyGraph::Arc* arc;
  };

  static Node entrance(Node site) { return 3 * site; }
  static Node exit(Node site) { return 3 * site + 1; }
  static Node resting(Node site) { return 3 * site + 2; }
  [[nodiscard]] Node group(std::size_t number) const {
    return 3 * sites_ + static_cast<Node>(number);
  }
  void add(Node from, Node to);
  void set(std::size_t pair, std::size_t room, double price = 0);
  void set_rooms(Node source, const std::vector<double>& prices,
                 const std::vector<std::size_t>& room, const std::vector<Wanted>& wanted);
  // One more way, the cheapest that the residual network has. False: it has none.
  bool augment(Node start);
  // Takes one unit of the flow out, from the source to the drain.
  void take_way(Node start, DisjointWays& found);

  const KeyGraph& graph_;
  Node sites_;
  std::size_t groups_;
  Node drain_;
  std::vector<Hop> hops_;
  std::vector<Arc> arcs_;
  std::vector<std::vector<std::uint32_t>> arcs_from_;
  // Of one search, by node of the flow.
  std::vector<double> potential_, price_;
  std::vector<std::uint32_t> by_;  // the arc that leads there
  std::vector<bool> done_;
  std::vector<std::pair<double, Node>> open_;  // a heap
};

}  // namespace warifu::planner
