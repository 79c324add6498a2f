// Fixed plans, static ways by residual key, and the planner.
#include "simulate/placers.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/exposure.h"

namespace warifu::simulate {
namespace {

constexpr std::size_t kMostHops = 4;
constexpr std::size_t kMostEnds = 40;  // best ends of static ways that are paired

// A snapshot where a hop costs 1 and a kilometre next to nothing.
planner::Snapshot by_hops(const ModelPlanner& planner, std::size_t origin) {
  constexpr double kHopRate = 1e12;
  constexpr double kHopsPerKm = 1e-6;
  const ModelNetwork& network = planner.network();
  planner::Snapshot snapshot = planner.empty_snapshot(origin);
  for (std::size_t direction = 0; direction < 2 * network.links.size(); ++direction) {
    const ModelLink& link = network.links[direction / 2];
    const double km = distance_km(network.sites[link.a], network.sites[link.b]);
    snapshot.edges.push_back(planner.edge(direction, UINT64_MAX, kHopRate / (1 + km * kHopsPerKm)));
  }
  return snapshot;
}

class FixedPlacer : public Placer {
 public:
  // `policy_of(origin)` says between which sites to choose.
  template <typename PolicyOf>
  FixedPlacer(const ModelPlanner& planner, const PolicyOf& policy_of)
      : bytes_(static_cast<double>(planner.share_bytes())) {
    for (std::size_t origin = 0; origin < planner.network().sites.size(); ++origin) {
      plans_.emplace_back();
      if (planner.network().sites[origin].population <= 0) continue;
      auto placed = planner.plan(policy_of(origin), by_hops(planner, origin));
      if (placed) plans_.back() = std::move(*placed);
    }
  }

  std::optional<Placed> place(std::size_t origin, const KeyPools& pools) override {
    const auto& plan = plans_[origin];
    if (!plan || !pools.can_pay(plan->directions(), bytes_)) return std::nullopt;
    return plan;
  }

 private:
  double bytes_;
  std::vector<std::optional<Placed>> plans_;
};

std::unique_ptr<Placer> vault_placer(const ModelPlanner& planner) {
  const ModelNetwork& network = planner.network();
  // The first two sites without people; without such, those with the fewest.
  std::vector<std::size_t> vaults;
  for (const ModelSite& site : network.sites) vaults.push_back(planner.site(site.name));
  std::ranges::stable_sort(vaults, {},
                           [&](std::size_t site) { return network.sites[site].population; });
  const ModelPlanner free(network, ExposureRule::kOff, planner.object_bytes());
  return std::make_unique<FixedPlacer>(
      free, [&](std::size_t) { return free.policy_to(vaults[0], vaults[1]); });
}

// Shortest ways in hops, then km, from one site to those within kMostHops.
class StaticWays {
 public:
  StaticWays(const ModelPlanner& planner, std::size_t origin) {
    const ModelNetwork& network = planner.network();
    using Length = std::pair<std::size_t, double>;
    std::vector<Length> lengths(network.sites.size(), {SIZE_MAX, 0});
    std::vector<std::vector<std::size_t>> ways(network.sites.size());
    lengths[origin] = {0, 0};
    ways[origin] = {origin};
    for (std::size_t round = 0; round < kMostHops; ++round) {  // Bellman and Ford
      const auto before = lengths;
      const auto ways_before = ways;
      for (const ModelLink& link : network.links) {
        const double km = distance_km(network.sites[link.a], network.sites[link.b]);
        for (const auto& [from, to] : {std::pair{link.a, link.b}, {link.b, link.a}}) {
          if (before[from].first == SIZE_MAX) continue;
          const Length there{before[from].first + 1, before[from].second + km};
          if (there >= lengths[to]) continue;
          lengths[to] = there;
          ways[to] = ways_before[from];
          ways[to].push_back(to);
        }
      }
    }
    for (std::size_t end = 0; end < ways.size(); ++end) {
      if (end == origin || ways[end].empty()) continue;
      Way way{.end = end, .target = {.site = network.sites[end].name}, .directions = {}};
      for (const std::size_t site : ways[end]) way.target.route.push_back(network.sites[site].name);
      for (std::size_t i = 0; i + 1 < ways[end].size(); ++i) {
        way.directions.push_back(planner.direction(ways[end][i], ways[end][i + 1]));
      }
      all_.push_back(std::move(way));
    }
    legal_.resize(all_.size() * all_.size(), Legal::kUnknown);
  }

  struct Way {
    std::size_t end;
    planner::ShareTarget target;
    std::vector<std::uint32_t> directions;
  };
  enum class Legal : std::uint8_t { kUnknown, kYes, kNo };

  [[nodiscard]] const std::vector<Way>& all() const { return all_; }
  Legal& legal(std::size_t i, std::size_t j) { return legal_[i * all_.size() + j]; }

 private:
  std::vector<Way> all_;
  std::vector<Legal> legal_;  // remembered, by pair
};

class ResidualPlacer : public Placer {
 public:
  explicit ResidualPlacer(const ModelPlanner& planner)
      : planner_(planner), bytes_(static_cast<double>(planner.share_bytes())) {
    for (std::size_t origin = 0; origin < planner.network().sites.size(); ++origin) {
      ways_.emplace_back(planner, origin);
    }
  }

  std::optional<Placed> place(std::size_t origin, const KeyPools& pools) override {
    StaticWays& ways = ways_[origin];
    std::vector<std::pair<double, std::size_t>> ends;
    for (std::size_t i = 0; i < ways.all().size(); ++i) {
      const auto& directions = ways.all()[i].directions;
      double bottleneck = pools.residual(directions.front());
      for (const auto direction : directions) {
        bottleneck = std::min(bottleneck, pools.residual(direction));
      }
      if (bottleneck >= bytes_) {
        ends.emplace_back(-bottleneck / static_cast<double>(directions.size()), i);
      }
    }
    std::ranges::sort(ends);
    if (ends.size() > kMostEnds) ends.resize(kMostEnds);
    return best_pair(origin, ends, pools);
  }

 private:
  std::optional<Placed> best_pair(std::size_t origin,
                                  const std::vector<std::pair<double, std::size_t>>& ends,
                                  const KeyPools& pools) {
    std::optional<Placed> best;
    double best_score = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      for (std::size_t j = i + 1; j < ends.size(); ++j) {
        const double score = ends[i].first + ends[j].first;
        if (score >= best_score) break;  // the later ones are worse
        if (!is_legal(origin, ends[i].second, ends[j].second)) continue;
        Placed placed = pair_of(origin, ends[i].second, ends[j].second);
        if (!pools.can_pay(placed.directions(), bytes_)) continue;
        best_score = score;
        best = std::move(placed);
      }
    }
    return best;
  }

  Placed pair_of(std::size_t origin, std::size_t i, std::size_t j) const {
    const SiteName& home = planner_.network().sites[origin].name;
    const auto& ways = ways_[origin].all();
    return {.shares = {{.site = home, .route = {home}}, ways[i].target, ways[j].target},
            .ways = {{}, ways[i].directions, ways[j].directions}};
  }

  bool is_legal(std::size_t origin, std::size_t i, std::size_t j) {
    auto& known = ways_[origin].legal(std::min(i, j), std::max(i, j));
    if (known == StaticWays::Legal::kUnknown) {
      const auto& sites = planner_.network().sites;
      const std::size_t home = sites[origin].region;
      const auto outside = [&](std::size_t way) {
        return planner_.network().regions.size() == 1 ||
               sites[ways_[origin].all()[way].end].region != home;
      };
      const bool yes = (outside(i) || outside(j)) &&
                       planner::check_exposure(planner_.policy_of(origin).scheme,
                                               pair_of(origin, i, j).shares, sites[origin].name)
                           .has_value();
      known = yes ? StaticWays::Legal::kYes : StaticWays::Legal::kNo;
    }
    return known == StaticWays::Legal::kYes;
  }

  const ModelPlanner& planner_;
  double bytes_;
  std::vector<StaticWays> ways_;  // by origin
};

class PricePlacer : public Placer {
 public:
  explicit PricePlacer(const ModelPlanner& planner) : planner_(planner) {}
  std::optional<Placed> place(std::size_t origin, const KeyPools& pools) override {
    return planner_.place(origin, pools);
  }

 private:
  const ModelPlanner& planner_;
};

constexpr std::pair<Policy, std::string_view> kNames[] = {{Policy::kVaults, "vaults"},
                                                          {Policy::kNearest, "nearest"},
                                                          {Policy::kResidual, "residual"},
                                                          {Policy::kPrice, "price"}};

}  // namespace

std::string_view policy_name(Policy policy) {
  return std::ranges::find(kNames, policy, [](const auto& one) { return one.first; })->second;
}

Result<Policy> parse_placing_policy(std::string_view text) {
  const auto found = std::ranges::find(kNames, text, [](const auto& one) { return one.second; });
  if (found != std::end(kNames)) return found->first;
  return fail(Code::kInvalidArgument,
              fmt::format("'{}' is no policy; known: vaults, nearest, residual, price", text));
}

std::vector<Policy> all_policies() {
  return {Policy::kVaults, Policy::kNearest, Policy::kResidual, Policy::kPrice};
}

std::unique_ptr<Placer> make_placer(Policy policy, const ModelPlanner& planner) {
  switch (policy) {
    case Policy::kVaults: return vault_placer(planner);
    case Policy::kNearest:
      return std::make_unique<FixedPlacer>(
          planner, [&](std::size_t origin) { return planner.policy_of(origin); });
    case Policy::kResidual: return std::make_unique<ResidualPlacer>(planner);
    case Policy::kPrice: return std::make_unique<PricePlacer>(planner);
  }
  WARIFU_CHECK(false);
}

}  // namespace warifu::simulate
