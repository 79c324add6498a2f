// Sense of a policy: selectors, single sites, failure domains.
#include "planner/policy_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/reason.h"
#include "config/site_selector.h"

namespace warifu::planner {
namespace {

// The `k` cheapest children together; a nested cut's site stands for all of them.
template <typename Count>
std::size_t cheapest(const PolicyNode& node, const Count& needed) {
  if (node.is_leaf()) return 1;
  std::vector<std::size_t> children;
  for (const PolicyNode& child : node.children) children.push_back(cheapest(child, needed));
  std::ranges::sort(children);
  const auto sum =
      std::accumulate(children.begin(), children.begin() + needed(node.scheme), std::size_t{0});
  return node.via.empty() ? sum : std::min<std::size_t>(sum, 1);
}

std::unexpected<Error> senseless(const PolicyNode& policy, const std::string& why) {
  return fail(Code::kRefused, fmt::format("policy '{}': {}", policy.text(), why), Reason::kPolicy);
}

Result<> check_selector(const PolicyNode& policy, const PolicyNode& node, const std::string& name,
                        const config::SiteConfig& config) {
  const std::string& selector = node.is_leaf() ? node.label : node.via;
  const config::SiteEntry* origin = config.find(config.controller);
  const bool relative = selector == "region:same" || selector == "region:other";
  const std::string where = fmt::format("share {} ('{}')", name, node.text());
  if (relative && (origin == nullptr || origin->region.empty())) {
    return senseless(policy, fmt::format("{}: '{}' needs a 'region' of {}, which has none", where,
                                         selector, config.controller.text()));
  }
  const bool meant = std::ranges::any_of(config.sites, [&](const config::SiteEntry& site) {
    return config::may_place(selector, site, origin) &&
           (site.name != config.controller || selector == "origin");
  });
  if (meant) return {};
  return senseless(policy, fmt::format("{}: no site of this network that takes shares is meant by "
                                       "'{}'",
                                       where, selector));
}

// What the loss of one site does, by share; empty: nothing is lost.
std::vector<std::string> single_losses(const PolicyNode& policy) {
  std::vector<std::string> losses;
  for (const auto& [path, node] : share_paths(policy)) {
    NodeSet gone;
    gone.set(node->number);
    if (survives(policy, gone)) continue;
    const std::string who =
        node->is_leaf() ? fmt::format("the site of share {} ('{}')", path.text(), node->label)
                        : fmt::format("the site that cuts share {} ('{}', before it has)",
                                      path.text(), node->via);
    losses.push_back(fmt::format("without {} there are {} of {} shares, and {} are needed", who,
                                 surviving_children(policy, gone), policy.children.size(),
                                 policy.scheme.threshold));
  }
  return losses;
}

// Whether there are sites for all shares.
Result<> check_places(const PolicyNode& policy, const config::SiteConfig& config) {
  Snapshot network = configured_network(config);
  network.origin = config.controller;  // also when another site is asked
  TRY(plan_placement(policy, network, sharing::RecordLayout(sharing::Chunking{{1}})));
  return {};
}

}  // namespace

std::size_t fewest_to_lose(const PolicyNode& policy) {
  return cheapest(policy, [](const sharing::Scheme& s) { return s.shares - s.threshold + 1; });
}

std::size_t fewest_to_restore(const PolicyNode& policy) {
  return cheapest(policy, [](const sharing::Scheme& s) { return int{s.threshold}; });
}

std::size_t nesting_of(const PolicyNode& policy) {
  std::size_t levels = 0;
  for (const PolicyNode& child : policy.children) {
    if (!child.is_leaf()) levels = std::max(levels, nesting_of(child) + 1);
  }
  return levels;
}

Result<PolicyReport> check_policy(const PolicyNode& policy, const config::SiteConfig& config) {
  for (const auto& [path, node] : share_paths(policy)) {
    TRY(check_selector(policy, *node, path.text(), config));
  }
  PolicyReport report{.policy = policy.text(),
                      .fragile = policy.fragile,
                      .nesting = nesting_of(policy),
                      .may_be_lost = fewest_to_lose(policy) - 1,
                      .must_collude = fewest_to_restore(policy),
                      .warnings = single_losses(policy)};
  if (!policy.fragile && !report.warnings.empty()) {
    return senseless(policy,
                     report.warnings.front() +
                         fmt::format("; if that is meant, write 'fragile {}'", policy.text()));
  }
  TRY(check_places(policy, config));
  if (!policy.fragile) return report;
  PolicyNode sound = policy;  // what would be said without the word
  sound.fragile = false;
  if (const auto places = check_places(sound, config); !places) {
    report.warnings.push_back(places.error().message);
  }
  return report;
}

Result<PolicyReport> check_own_policy(const config::SiteConfig& config) {
  const auto checked = [&]() -> Result<PolicyReport> {
    TRY_ASSIGN(const PolicyNode policy, parse_policy(config.policy));
    return check_policy(policy, config);
  }();
  if (checked) return checked;
  return fail(Code::kInvalidArgument, config.path + ": 'site.policy': " + checked.error().message,
              checked.error().reason);
}

}  // namespace warifu::planner
