// Successive shortest paths over a graph in which every site but the ends has capacity one.
#include "kme/relay_paths.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace warifu::kme {
namespace {

constexpr double kMu = 200;
constexpr double kCapacityParts = 4;  // fuller than so many parts counts as full
constexpr double kNominalBitsPerSecond = 10e6;
// An arc must be better by more than rounding before a path changes for it.
constexpr double kEpsilon = 1e-12;

double price(const RelayEdge& edge, std::uint64_t bytes) {
  const double needed = std::max(static_cast<double>(bytes), 1.0);
  const double residual = static_cast<double>(edge.residual_bytes.value_or(0));
  const double filled = std::min(1.0, residual / (needed * kCapacityParts));
  const double rate = std::max(edge.inflow_bits_per_second, kNominalBitsPerSecond);
  return needed * 8 / rate * std::pow(kMu, 1 - filled);
}

// Every site is two nodes, in and out, joined by an arc of capacity one.
class Flow {
 public:
  Flow(const std::vector<RelayEdge>& edges, const SiteName& from, const SiteName& to,
       std::uint64_t bytes)
      : source_(out(from)), sink_(in(to)) {
    std::set<std::pair<SiteName, SiteName>> known;
    for (const RelayEdge& edge : edges) {
      const bool itself = edge.from == from && edge.to == to;
      const bool back = edge.to == from || edge.from == to;
      const bool poor = edge.residual_bytes && *edge.residual_bytes < bytes;
      if (itself || back || poor || !known.insert({edge.from, edge.to}).second) continue;
      add(out(edge.from), in(edge.to), price(edge, bytes));
    }
  }

  // One more path; false when there is none.
  bool augment() {
    const double kFar = std::numeric_limits<double>::infinity();
    std::vector<double> distance(names_.size() * 2, kFar);
    std::vector<std::size_t> by(names_.size() * 2, SIZE_MAX);
    distance[source_] = 0;
    // Bellman and Ford: arcs that are taken back have negative prices.
    for (std::size_t round = 0; round < distance.size(); ++round) {
      bool better = false;
      for (std::size_t i = 0; i < arcs_.size(); ++i) {
        const Arc& arc = arcs_[i];
        if (!arc.open || distance[arc.from] + arc.price >= distance[arc.to] - kEpsilon) continue;
        distance[arc.to] = distance[arc.from] + arc.price;
        by[arc.to] = i;
        better = true;
      }
      if (!better) break;
    }
    if (distance[sink_] == kFar) return false;
    for (std::size_t at = sink_; at != source_; at = arcs_[by[at]].from) {
      arcs_[by[at]].open = false;
      arcs_[by[at] ^ 1U].open = true;
    }
    return true;
  }

  // The paths that the flow consists of.
  [[nodiscard]] std::vector<RelayPath> paths() const {
    std::map<std::size_t, std::vector<std::size_t>> next;
    for (std::size_t i = 0; i < arcs_.size(); i += 2) {
      if (!arcs_[i].open) next[arcs_[i].from].push_back(arcs_[i].to);
    }
    std::vector<RelayPath> found;
    for (std::size_t first : next[source_]) {
      RelayPath path = {names_[source_ / 2]};
      for (std::size_t at = first;; at = next[at].front()) {
        if (at % 2 == 0) path.push_back(names_[at / 2]);
        if (at == sink_) break;
      }
      found.push_back(std::move(path));
    }
    return found;
  }

 private:
  // Each arc is followed by the one that takes it back.
  struct Arc {
    std::size_t from, to;
    double price;
    bool open;
  };

  void add(std::size_t from, std::size_t to, double cost) {
    arcs_.push_back({from, to, cost, true});
    arcs_.push_back({to, from, -cost, false});
  }
  std::size_t node(const SiteName& name) {
    const auto [it, is_new] = index_.try_emplace(name, names_.size());
    if (is_new) {
      names_.push_back(name);
      add(it->second * 2, it->second * 2 + 1, 0);
    }
    return it->second * 2;
  }
  std::size_t in(const SiteName& name) { return node(name); }
  std::size_t out(const SiteName& name) { return node(name) + 1; }

  std::map<SiteName, std::size_t> index_;
  std::vector<SiteName> names_;
  std::vector<Arc> arcs_;
  std::size_t source_, sink_;
};

}  // namespace

std::optional<std::vector<RelayPath>> disjoint_paths(const std::vector<RelayEdge>& edges,
                                                     const SiteName& from, const SiteName& to,
                                                     unsigned count, std::uint64_t bytes) {
  Flow flow(edges, from, to, bytes);
  for (unsigned i = 0; i < count; ++i) {
    if (!flow.augment()) return std::nullopt;
  }
  std::vector<RelayPath> paths = flow.paths();
  std::ranges::sort(paths);
  const bool told_whole =
      std::ranges::all_of(paths, [](const RelayPath& p) { return p.size() <= kMaxRelayPath; });
  if (!told_whole || !are_disjoint(paths, from, to)) return std::nullopt;
  return paths;
}

bool are_disjoint(const std::vector<RelayPath>& paths, const SiteName& from, const SiteName& to) {
  std::set<SiteName> relays;
  for (const RelayPath& path : paths) {
    if (path.size() < 3 || path.front() != from || path.back() != to) return false;
    for (std::size_t i = 1; i + 1 < path.size(); ++i) {
      if (path[i] == from || path[i] == to || !relays.insert(path[i]).second) return false;
    }
  }
  return !paths.empty();
}

std::string relay_path_text(const RelayPath& path) {
  std::string text;
  for (const SiteName& site : path) text += (text.empty() ? "" : " > ") + site.text();
  return text;
}

}  // namespace warifu::kme
