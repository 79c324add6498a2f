// Every site stands three times in the flow's network: entrance, exit, and what rests there. From
// there arcs lead to the wanted groups, and from those to the drain. The pairs of arcs stand in
// this order: through each site; to what rests at each; hops; from what rests to each group; groups
// to the drain.
#include "planner/disjoint_ways.h"

#include <algorithm>
#include <functional>

namespace warifu::planner {
namespace {

constexpr double kUnreachable = KeyGraph::kUnreachable;

}  // namespace

WayFinder::WayFinder(const KeyGraph& graph, std::size_t groups)
    : graph_(graph),
      sites_(static_cast<Node>(graph.size())),
      groups_(groups),
      drain_(group(groups)),
      arcs_from_(drain_ + 1),
      price_(drain_ + 1),
      by_(drain_ + 1) {
  for (Node site = 0; site < sites_; ++site) add(entrance(site), exit(site));
  for (Node site = 0; site < sites_; ++site) add(exit(site), resting(site));
  for (Node site = 0; site < sites_; ++site) {
    for (const KeyGraph::Arc& arc : graph.arcs(site)) {
      hops_.push_back({site, &arc});
      add(exit(site), entrance(arc.to));
    }
  }
  for (std::size_t i = 0; i < groups; ++i) {
    for (Node site = 0; site < sites_; ++site) add(resting(site), group(i));
  }
  for (std::size_t i = 0; i < groups; ++i) add(group(i), drain_);
}

void WayFinder::add(Node from, Node to) {
  arcs_from_[from].push_back(static_cast<std::uint32_t>(arcs_.size()));
  arcs_.push_back({to, 0, 0});
  arcs_from_[to].push_back(static_cast<std::uint32_t>(arcs_.size()));
  arcs_.push_back({from, 0, 0});
}

void WayFinder::set(std::size_t pair, std::size_t room, double price) {
  arcs_[2 * pair].room = static_cast<std::uint32_t>(room);
  arcs_[2 * pair].price = price;
  arcs_[2 * pair + 1].room = 0;
  arcs_[2 * pair + 1].price = -price;
}

void WayFinder::set_rooms(Node source, const std::vector<double>& prices,
                          const std::vector<std::size_t>& room, const std::vector<Wanted>& wanted) {
  std::size_t pair = 0;
  for (Node site = 0; site < sites_; ++site) set(pair++, site == source ? 0 : room[site]);
  for (Node site = 0; site < sites_; ++site) set(pair++, 1);
  const auto may_know = [&](Node site) { return site == source || room[site] > 0; };
  for (const Hop& hop : hops_) {
    const bool used = hop.arc->to != source && std::ranges::all_of(hop.arc->knowing, may_know);
    set(pair++, used ? room[hop.arc->to] : 0, prices[hop.arc->edge]);
  }
  for (std::size_t i = 0; i < groups_; ++i) {
    for (Node site = 0; site < sites_; ++site) {
      const double more = i < wanted.size() ? wanted[i].more[site] : Wanted::kUnfit;
      const bool fits = more != Wanted::kUnfit;
      set(pair++, fits ? 1 : 0, fits ? more : 0);
    }
  }
  for (std::size_t i = 0; i < groups_; ++i) set(pair++, i < wanted.size() ? wanted[i].count : 0);
}

std::optional<DisjointWays> WayFinder::find(Node source, const std::vector<double>& prices,
                                            const std::vector<std::size_t>& room,
                                            const std::vector<Wanted>& wanted) {
  WARIFU_CHECK(wanted.size() <= groups_);
  set_rooms(source, prices, room, wanted);
  potential_.assign(drain_ + 1, 0);
  std::size_t count = 0;
  for (const Wanted& one : wanted) count += one.count;
  for (std::size_t i = 0; i < count; ++i) {
    if (!augment(exit(source))) return std::nullopt;
  }
  DisjointWays found{.ways = std::vector<std::vector<KeyGraph::Way>>(wanted.size())};
  for (std::size_t i = 0; i < count; ++i) take_way(exit(source), found);
  return found;
}

bool WayFinder::augment(Node start) {
  price_.assign(drain_ + 1, kUnreachable);
  done_.assign(drain_ + 1, false);
  open_.assign(1, {0.0, start});
  price_[start] = 0;
  while (!open_.empty() && !done_[drain_]) {
    const Node at = open_.front().second;
    std::ranges::pop_heap(open_, std::greater<>());
    open_.pop_back();
    if (done_[at]) continue;
    done_[at] = true;
    for (const std::uint32_t i : arcs_from_[at]) {
      const Arc& arc = arcs_[i];
      if (arc.room == 0 || done_[arc.to]) continue;
      // A reduced price is below zero by rounding only.
      const double step = arc.price + potential_[at] - potential_[arc.to];
      const double there = price_[at] + std::max(0.0, step);
      if (there >= price_[arc.to]) continue;
      price_[arc.to] = there;
      by_[arc.to] = i;
      open_.emplace_back(there, arc.to);
      std::ranges::push_heap(open_, std::greater<>());
    }
  }
  if (!done_[drain_]) return false;
  for (Node node = 0; node <= drain_; ++node) {
    potential_[node] += std::min(price_[node], price_[drain_]);
  }
  for (Node at = drain_; at != start;) {
    const std::uint32_t i = by_[at];
    --arcs_[i].room;
    ++arcs_[i ^ 1].room;
    at = arcs_[i ^ 1].to;
  }
  return true;
}

void WayFinder::take_way(Node start, DisjointWays& found) {
  KeyGraph::Way way = {start / 3};
  for (Node at = start; at != drain_;) {
    // A forward arc that carries something.
    const auto next = std::ranges::find_if(
        arcs_from_[at], [&](std::uint32_t i) { return i % 2 == 0 && arcs_[i + 1].room > 0; });
    WARIFU_CHECK(next != arcs_from_[at].end());
    --arcs_[*next + 1].room;
    found.price += arcs_[*next].price;
    const Node to = arcs_[*next].to;
    if (to < group(0) && to == entrance(to / 3)) way.push_back(to / 3);
    if (to == drain_) found.ways[at - group(0)].push_back(std::move(way));
    at = to;
  }
}

}  // namespace warifu::planner
