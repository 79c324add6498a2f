// Choosing by cut; numbers by the jobs in the catalog.
#include "control/givers.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>

#include "control/restore_record.h"

namespace warifu::control {
namespace {

std::size_t most_named(const sharing::Scheme& scheme) {
  return 2 * std::size_t{scheme.threshold} - 1;
}

// What can be named below a node.
struct Branch {
  std::vector<planner::ShareLocation> shares;
  std::size_t rank = SIZE_MAX;  // of the most preferred one
  bool gives = false;           // they give the node's share
};

Branch choose(const planner::PolicyNode& node, const sharing::SharePath& path,
              std::span<const planner::ShareLocation> willing) {
  Branch chosen;
  // Also where it stands whole because it is still to be cut.
  const auto found = std::ranges::find(willing, path, &planner::ShareLocation::path);
  if (found != willing.end()) {
    return {{*found}, static_cast<std::size_t>(found - willing.begin()), true};
  }
  if (node.is_leaf()) return chosen;
  std::vector<Branch> branches;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    Branch branch = choose(node.children[i], path.part(i), willing);
    if (!branch.shares.empty()) branches.push_back(std::move(branch));
  }
  std::ranges::stable_sort(branches, {},
                           [](const Branch& one) { return std::pair(!one.gives, one.rank); });
  if (branches.size() > most_named(node.scheme)) branches.resize(most_named(node.scheme));
  for (const Branch& branch : branches) {
    chosen.rank = std::min(chosen.rank, branch.rank);
    chosen.shares.insert(chosen.shares.end(), branch.shares.begin(), branch.shares.end());
  }
  chosen.gives = static_cast<std::size_t>(std::ranges::count_if(branches, &Branch::gives)) >=
                 node.scheme.threshold;
  return chosen;
}

// All restores of the object under these grants.
Result<std::vector<HeldUse>> held_under(catalog::Catalog& catalog, const ObjectId& object,
                                        const std::set<std::string>& grants) {
  std::vector<HeldUse> held;
  for (catalog::Page page{.count = catalog::kMaxPageRows};; page.skip += page.count) {
    TRY_ASSIGN(
        const auto jobs,
        catalog.list_jobs(
            {.kind = catalog::JobKind::kRestore, .state = {}, .object = object, .person_id = {}},
            page));
    for (const catalog::Job& job : jobs) {
      const auto taken = taken_by(job);
      if (!taken || !grants.contains(taken->grant)) continue;
      held.push_back({taken->use, job.state == catalog::JobState::kDone});
    }
    if (jobs.size() < page.count) return held;
  }
}

}  // namespace

std::vector<planner::ShareLocation> choose_givers(const planner::PolicyNode& policy,
                                                  std::span<const planner::ShareLocation> willing) {
  return choose(policy, {}, willing).shares;
}

bool names_too_many(const store::ShareHeader& held, const consent::Grant& grant) {
  const auto policy = planner::parse_policy(held.policy);
  if (!policy) return false;
  const auto named = std::ranges::count_if(held.siblings, [&](const store::Sibling& sibling) {
    const planner::PolicyNode* node = policy->find(held.path.parent().part(sibling.index));
    return node != nullptr && node->is_leaf() &&
           std::ranges::find(grant.sites, sibling.site, &consent::GrantSite::site) !=
               grant.sites.end();
  });
  return static_cast<std::size_t>(named) > most_named(held.scheme);
}

std::uint16_t pick_use(std::span<const HeldUse> held, std::uint16_t uses) {
  std::vector<std::size_t> tried(uses, 0);
  for (const HeldUse& one : held) {
    if (one.use < 1 || one.use > uses) continue;
    std::size_t& count = tried[one.use - 1U];
    count = one.is_done || count == SIZE_MAX ? SIZE_MAX : count + 1;
  }
  return static_cast<std::uint16_t>(std::ranges::min_element(tried) - tried.begin() + 1);
}

Result<std::uint16_t> next_use(catalog::Catalog& catalog, const ObjectId& object, const GrantId& id,
                               const consent::Grant& grant) {
  std::set<std::string> grants = {id.text()};
  if (grant.together > 1) {
    TRY_ASSIGN(const auto others,
               catalog.list_grants({.object = object}, {.count = catalog::kMaxPageRows}));
    for (const catalog::Grant& record : others) {
      const auto other = consent::parse_grant(record.grant_bytes);
      if (other && consent::same_terms(*other, grant)) grants.insert(record.grant.text());
    }
  }
  TRY_ASSIGN(const std::vector<HeldUse> held, held_under(catalog, object, grants));
  return pick_use(held, grant.uses);
}

Result<bool> has_restored(catalog::Catalog& catalog, const ObjectId& object, const GrantId& grant) {
  TRY_ASSIGN(const auto held, held_under(catalog, object, {grant.text()}));
  return std::ranges::any_of(held, &HeldUse::is_done);
}

}  // namespace warifu::control
