// The network as the planner walks it: sites that answer, by number, and link directions with what
// they cost.
//
// A way may use every link direction whose sending end has reported and carries shares; of relayed
// links whose key single relays know, only while all of these answer, because they see what passes.
// Cheapest ways by Dijkstra's algorithm; all prices are positive. Immutable after construction:
// thread-safe. The snapshot must outlive it.
#pragma once

#include <limits>
#include <string_view>
#include <unordered_map>

#include "planner/placement.h"

namespace warifu::planner {

class KeyGraph {
 public:
  using Node = std::uint32_t;
  using Way = std::vector<Node>;  // both ends included
  static constexpr Node kNone = std::numeric_limits<Node>::max();
  static constexpr double kUnreachable = std::numeric_limits<double>::infinity();

  // One direction, at the site that it leaves.
  struct Arc {
    Node to;
    std::size_t edge;  // of the snapshot
    std::vector<Node> knowing;
  };

  explicit KeyGraph(const Snapshot& snapshot);

  [[nodiscard]] std::size_t size() const { return snapshot_.sites.size(); }
  // kNone when the site does not answer.
  [[nodiscard]] Node find(const SiteName& site) const;
  [[nodiscard]] const config::SiteEntry& site(Node node) const { return snapshot_.sites[node]; }
  [[nodiscard]] const std::vector<Arc>& arcs(Node from) const { return arcs_[from]; }
  // The price of `bytes` over every direction, for grow().
  [[nodiscard]] std::vector<double> prices(std::uint64_t bytes) const;

  // Cheapest ways from one site to all others.
  struct Tree {
    Node source = kNone;
    std::vector<double> price;  // kUnreachable: there is no way
    std::vector<Node> before;   // the site before it on its way
  };
  // Banned sites are reached but never passed, and never know the key of a link that is used; the
  // source may be banned.
  [[nodiscard]] Tree grow(Node source, const std::vector<double>& prices,
                          const std::vector<bool>& banned) const;
  // Of all directions of a way, by prices().
  [[nodiscard]] double price(const Way& way, const std::vector<double>& prices) const;
  [[nodiscard]] static Way way(const Tree& tree, Node to);
  [[nodiscard]] Route route(const Way& way) const;
  // Sites beside the way that may know key of its links.
  [[nodiscard]] std::vector<Node> knowing(const Way& way) const;

 private:
  const Snapshot& snapshot_;
  std::unordered_map<std::string_view, Node> numbers_;  // by the snapshot's own texts
  std::vector<std::vector<Arc>> arcs_;                  // by the site they leave
};

}  // namespace warifu::planner
