// Names and numbers of sites both ways, labels, policies.
#include "simulate/model_planner.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/exposure.h"

namespace warifu::simulate {
namespace {

std::string outside(std::size_t region) {
  return fmt::format("outside:{}", region);
}

planner::PolicyNode policy_for(ExposureRule rule, const std::string& first,
                               const std::string& second) {
  auto policy = planner::parse_policy(
      fmt::format("{} of (origin, {}, {})", rule == ExposureRule::kOn ? 2 : 3, first, second));
  WARIFU_CHECK(policy);
  return std::move(*policy);
}

}  // namespace

std::vector<std::uint32_t> Placed::directions() const {
  std::vector<std::uint32_t> all;
  for (const auto& way : ways) all.insert(all.end(), way.begin(), way.end());
  return all;
}

ModelPlanner::ModelPlanner(const ModelNetwork& network, ExposureRule rule,
                           std::uint64_t object_bytes)
    : network_(network),
      rule_(rule),
      object_bytes_(object_bytes),
      records_(sharing::Chunking{{object_bytes}}) {
  const bool one_region = network.regions.size() == 1;
  for (std::size_t region = 0; region < network.regions.size(); ++region) {
    policies_.push_back(policy_for(rule, one_region ? kAnywhere : outside(region), kAnywhere));
  }
  for (const ModelSite& site : network.sites) {
    numbers_[site.name] = sites_.size();
    config::SiteEntry entry{.name = site.name,
                            .number = static_cast<std::uint8_t>(sites_.size()),
                            .labels = {kAnywhere}};
    for (std::size_t region = 0; region < network.regions.size(); ++region) {
      if (region != site.region) entry.labels.push_back(outside(region));
    }
    sites_.push_back(std::move(entry));
  }
  from_.resize(sites_.size());
  for (std::size_t link = 0; link < network.links.size(); ++link) {
    const ModelLink& ends = network.links[link];
    from_[ends.a].push_back(static_cast<std::uint32_t>(2 * link));
    from_[ends.b].push_back(static_cast<std::uint32_t>(2 * link + 1));
    directions_[{ends.a, ends.b}] = static_cast<std::uint32_t>(2 * link);
    directions_[{ends.b, ends.a}] = static_cast<std::uint32_t>(2 * link + 1);
  }
  const auto shares = records_.below(policies_.front().scheme);
  share_bytes_ = shares.lengths({0}, shares.count());
}

const planner::PolicyNode& ModelPlanner::policy_of(std::size_t origin) const {
  return policies_[network_.sites[origin].region];
}

planner::PolicyNode ModelPlanner::policy_to(std::size_t first, std::size_t second) const {
  return policy_for(rule_, network_.sites[first].name.text(), network_.sites[second].name.text());
}

planner::EdgeState ModelPlanner::edge(std::size_t direction, std::uint64_t residual_bytes,
                                      double bits_per_second) const {
  const ModelLink& link = network_.links[direction / 2];
  const bool forwards = direction % 2 == 0;
  return {.from = network_.sites[forwards ? link.a : link.b].name,
          .to = network_.sites[forwards ? link.b : link.a].name,
          .link_class = kme::LinkClass::kQkd,
          .residual_bytes = residual_bytes,
          .inflow_bits_per_second = bits_per_second};
}

planner::Snapshot ModelPlanner::empty_snapshot(std::size_t origin) const {
  return {.origin = network_.sites[origin].name, .sites = sites_};
}

planner::Snapshot ModelPlanner::snapshot(std::size_t origin, const KeyPools& pools) const {
  return snapshot_of(origin, pools, [&](std::size_t direction) { return pools.is_up(direction); });
}

template <typename Reports>
planner::Snapshot ModelPlanner::snapshot_of(std::size_t origin, const KeyPools& pools,
                                            const Reports& reports) const {
  planner::Snapshot snapshot = empty_snapshot(origin);
  snapshot.edges.reserve(pools.directions());
  for (std::size_t direction = 0; direction < pools.directions(); ++direction) {
    if (!reports(direction)) continue;
    snapshot.edges.push_back(edge(direction, static_cast<std::uint64_t>(pools.residual(direction)),
                                  pools.bits_per_second(direction)));
  }
  return snapshot;
}

std::optional<Placed> ModelPlanner::place(const planner::PolicyNode& policy, std::size_t origin,
                                          const KeyPools& pools) const {
  const double bytes = static_cast<double>(share_bytes_);
  std::vector<bool> poor(pools.directions());
  for (std::size_t i = 0; i < poor.size(); ++i) poor[i] = pools.residual(i) < bytes;
  // Where no site may see two shares, each one leaves the origin over another link.
  const auto leaving = policy.scheme.privacy() == 1
                           ? static_cast<std::ptrdiff_t>(policy.children.size()) - 1
                           : std::ptrdiff_t{1};
  while (true) {
    const auto ready = std::ranges::count_if(
        from_[origin], [&](std::uint32_t direction) { return !poor[direction]; });
    if (ready < leaving) return std::nullopt;
    auto placed =
        plan(policy,
             snapshot_of(origin, pools, [&](std::size_t direction) { return !poor[direction]; }));
    if (!placed) return std::nullopt;
    const auto directions = placed->directions();
    if (pools.can_pay(directions, bytes)) return std::move(*placed);
    // A link was meant to carry several and has key for fewer.
    for (const std::uint32_t one : directions) {
      std::vector<std::uint32_t> on_link;
      std::ranges::copy_if(directions, std::back_inserter(on_link),
                           [&](std::uint32_t other) { return other / 2 == one / 2; });
      if (!pools.can_pay(on_link, bytes)) poor[one] = true;
    }
  }
}

Result<Placed> ModelPlanner::plan(const planner::PolicyNode& policy,
                                  const planner::Snapshot& snapshot) const {
  TRY_ASSIGN(auto plan, planner::plan_placement(policy, snapshot, records_));
  Placed placed{.shares = std::move(plan.shares), .ways = {}};
  for (const planner::ShareTarget& share : placed.shares) {
    auto& way = placed.ways.emplace_back();
    for (std::size_t i = 0; i + 1 < share.route.size(); ++i) {
      way.push_back(direction(site(share.route[i]), site(share.route[i + 1])));
    }
  }
  return placed;
}

std::size_t sites_that_could_restore(const std::vector<planner::ShareTarget>& shares,
                                     const SiteName& origin) {
  static const planner::PolicyNode kTwoOfThree = *planner::parse_policy("2 of (origin, b, c)");
  const auto views = planner::views_of(shares);
  return static_cast<std::size_t>(std::ranges::count_if(views, [&](const auto& view) {
    return view.first != origin && planner::satisfies(kTwoOfThree, view.second);
  }));
}

}  // namespace warifu::simulate
