// Dijkstra with a heap; networks are small and sparse.
#include "planner/key_graph.h"

#include <algorithm>
#include <queue>

namespace warifu::planner {

KeyGraph::KeyGraph(const Snapshot& snapshot) : snapshot_(snapshot), arcs_(snapshot.sites.size()) {
  for (Node node = 0; node < snapshot.sites.size(); ++node) {
    numbers_.emplace(snapshot.sites[node].name.text(), node);
  }
  for (std::size_t i = 0; i < snapshot.edges.size(); ++i) {
    if (!snapshot.edges[i].carries) continue;
    const Node from = find(snapshot.edges[i].from);
    const Node to = find(snapshot.edges[i].to);
    if (from == kNone || to == kNone) continue;
    Arc arc{to, i, {}};
    for (const SiteName& site : snapshot.edges[i].knowing) arc.knowing.push_back(find(site));
    if (std::ranges::find(arc.knowing, kNone) == arc.knowing.end()) {
      arcs_[from].push_back(std::move(arc));
    }
  }
}

KeyGraph::Node KeyGraph::find(const SiteName& site) const {
  const auto found = numbers_.find(site.text());
  return found == numbers_.end() ? kNone : found->second;
}

std::vector<double> KeyGraph::prices(std::uint64_t bytes) const {
  std::vector<double> prices;
  prices.reserve(snapshot_.edges.size());
  for (const EdgeState& edge : snapshot_.edges) prices.push_back(edge_price(edge, bytes));
  return prices;
}

KeyGraph::Tree KeyGraph::grow(Node source, const std::vector<double>& prices,
                              const std::vector<bool>& banned) const {
  Tree tree{source, std::vector<double>(size(), kUnreachable), std::vector<Node>(size(), kNone)};
  using Entry = std::pair<double, Node>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  tree.price[source] = 0;
  open.emplace(0.0, source);
  while (!open.empty()) {
    const auto [price, node] = open.top();
    open.pop();
    if (price > tree.price[node]) continue;  // a cheaper way was found since
    if (banned[node] && node != source) continue;
    for (const Arc& arc : arcs_[node]) {
      if (std::ranges::any_of(arc.knowing, [&](Node site) { return banned[site]; })) continue;
      const double there = price + prices[arc.edge];
      if (there >= tree.price[arc.to]) continue;
      tree.price[arc.to] = there;
      tree.before[arc.to] = node;
      open.emplace(there, arc.to);
    }
  }
  return tree;
}

double KeyGraph::price(const Way& way, const std::vector<double>& prices) const {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < way.size(); ++i) {
    double least = kUnreachable;
    for (const Arc& arc : arcs_[way[i]]) {
      if (arc.to == way[i + 1]) least = std::min(least, prices[arc.edge]);
    }
    sum += least;
  }
  return sum;
}

KeyGraph::Way KeyGraph::way(const Tree& tree, Node to) {
  WARIFU_CHECK(tree.price[to] != kUnreachable);
  Way way;
  for (Node at = to; at != kNone; at = tree.before[at]) way.push_back(at);
  std::ranges::reverse(way);
  return way;
}

std::vector<KeyGraph::Node> KeyGraph::knowing(const Way& way) const {
  std::vector<Node> sites;
  for (std::size_t i = 0; i + 1 < way.size(); ++i) {
    for (const Arc& arc : arcs_[way[i]]) {
      if (arc.to != way[i + 1]) continue;
      for (const Node site : arc.knowing) {
        const bool there = std::ranges::find(way, site) != way.end() ||
                           std::ranges::find(sites, site) != sites.end();
        if (!there) sites.push_back(site);
      }
    }
  }
  return sites;
}

Route KeyGraph::route(const Way& way) const {
  Route route;
  route.reserve(way.size());
  for (const Node node : way) route.push_back(site(node).name);
  return route;
}

}  // namespace warifu::planner
