// Every site stands twice in the residual graph, as its entrance and its exit, with room for one
// way between them. Prices are reduced by the tree's, so that the way that is taken back costs
// nothing and Dijkstra's algorithm serves.
#include "control/disjoint_pair.h"

#include <algorithm>
#include <queue>

namespace warifu::control {
namespace {

using Node = KeyGraph::Node;
constexpr double kUnreachable = KeyGraph::kUnreachable;

class Augmentation {
 public:
  Augmentation(const KeyGraph& graph, const KeyGraph::Tree& tree, const std::vector<double>& prices,
               const std::vector<bool>& banned, Node first)
      : graph_(graph),
        tree_(tree),
        prices_(prices),
        banned_(banned),
        first_(first),
        way_(KeyGraph::way(tree, first)),
        place_(graph.size(), kOff),
        price_(2 * graph.size(), kUnreachable),
        before_(2 * graph.size(), KeyGraph::kNone) {
    for (std::size_t i = 1; i < way_.size(); ++i) place_[way_[i]] = i;
  }

  std::optional<DisjointPair> run(const std::vector<bool>& second) {
    explore();
    Node best = KeyGraph::kNone;
    double least = kUnreachable;
    for (Node node = 0; node < graph_.size(); ++node) {
      if (!second[node] || node == first_ || node == tree_.source) continue;
      if (price_[exit(node)] == kUnreachable) continue;
      const double price = price_[exit(node)] + tree_.price[node];
      if (price >= least) continue;
      least = price;
      best = node;
    }
    if (best == KeyGraph::kNone) return std::nullopt;
    return pair_to(best, tree_.price[first_] + least);
  }

 private:
  static constexpr std::size_t kOff = SIZE_MAX;  // not on the first way
  static Node entrance(Node site) { return 2 * site; }
  static Node exit(Node site) { return 2 * site + 1; }

  void explore() {
    price_[exit(tree_.source)] = 0;
    open_.emplace(0.0, exit(tree_.source));
    while (!open_.empty()) {
      const auto [price, at] = open_.top();
      open_.pop();
      if (price > price_[at]) continue;
      const Node site = at / 2;
      if (at == exit(site)) {
        leave(site, price);
        // Back through a site that the first way passes.
        if (site != tree_.source && place_[site] != kOff) reach(entrance(site), price, at);
      } else if (place_[site] == kOff) {
        reach(exit(site), price, at);
      } else {
        // The first way gives up its step to here.
        reach(exit(way_[place_[site] - 1]), price, at);
      }
    }
  }

  void leave(Node site, double price) {
    for (const KeyGraph::Arc& arc : graph_.arcs(site)) {
      if (banned_[arc.to] || arc.to == tree_.source) continue;
      if (std::ranges::any_of(arc.knowing, [&](Node knows) { return banned_[knows]; })) continue;
      const double reduced = prices_[arc.edge] + tree_.price[site] - tree_.price[arc.to];
      reach(entrance(arc.to), price + std::max(0.0, reduced), exit(site));
    }
  }

  void reach(Node at, double price, Node from) {
    if (price >= price_[at]) return;
    price_[at] = price;
    before_[at] = from;
    open_.emplace(price, at);
  }

  // Both ways as steps from site to site; steps that one takes and the other gives up cancel out.
  [[nodiscard]] DisjointPair pair_to(Node end, double price) const {
    std::vector<std::pair<Node, Node>> steps;
    for (std::size_t i = 0; i + 1 < way_.size(); ++i) steps.emplace_back(way_[i], way_[i + 1]);
    for (Node at = exit(end); before_[at] != KeyGraph::kNone; at = before_[at]) {
      const Node from = before_[at];
      if (from / 2 == at / 2) continue;  // through a site
      if (from == exit(from / 2)) {
        steps.emplace_back(from / 2, at / 2);
      } else {
        std::erase(steps, std::pair{at / 2, from / 2});
      }
    }
    DisjointPair pair{.first = {}, .second = {}, .price = price};
    for (const auto& [from, to] : steps) {
      if (from != tree_.source) continue;
      KeyGraph::Way way = {from};
      for (Node at = to; at != KeyGraph::kNone; at = after(steps, at)) way.push_back(at);
      (way.back() == first_ ? pair.first : pair.second) = std::move(way);
    }
    return pair;
  }

  static Node after(const std::vector<std::pair<Node, Node>>& steps, Node at) {
    const auto next =
        std::ranges::find(steps, at, [](const std::pair<Node, Node>& step) { return step.first; });
    return next == steps.end() ? KeyGraph::kNone : next->second;
  }

  using Entry = std::pair<double, Node>;

  const KeyGraph& graph_;
  const KeyGraph::Tree& tree_;
  const std::vector<double>& prices_;
  const std::vector<bool>& banned_;
  Node first_;
  KeyGraph::Way way_;
  std::vector<std::size_t> place_;  // of each site on the first way
  std::vector<double> price_;       // by entrance and exit, reduced
  std::vector<Node> before_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open_;
};

}  // namespace

std::optional<DisjointPair> disjoint_pair(const KeyGraph& graph, const KeyGraph::Tree& tree,
                                          const std::vector<double>& prices,
                                          const std::vector<bool>& banned, KeyGraph::Node first,
                                          const std::vector<bool>& second) {
  if (tree.price[first] == kUnreachable || banned[first]) return std::nullopt;
  return Augmentation(graph, tree, prices, banned, first).run(second);
}

}  // namespace warifu::control
