// The rule, generation by generation.
#include "control/deletion_rule.h"

#include "planner/policy_sets.h"

namespace warifu::control {
namespace {

using Rows = std::vector<catalog::Share>;

Rows counted_of(const Rows& rows) {
  Rows counted;
  for (const catalog::Share& share : rows) {
    if (share.state == catalog::ShareState::kDurable && share.site) counted.push_back(share);
  }
  return counted;
}

Result<bool> all_held(const Rows& counted, const AskHolder& is_held) {
  for (const catalog::Share& share : counted) {
    TRY_ASSIGN(const bool held, is_held(share));
    if (!held) return false;
  }
  return !counted.empty();
}

// One site that is silent must not keep an old generation everywhere.
Result<bool> restores(const catalog::Object& object, const Rows& counted,
                      const AskHolder& is_held) {
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(object.policy));
  planner::NodeSet there;
  std::optional<Error> silent;
  for (const catalog::Share& share : counted) {
    const planner::PolicyNode* node = policy.find(share.path);
    if (node == nullptr) continue;
    const auto held = is_held(share);
    if (!held) silent = held.error();
    if (held && *held) there.set(node->number);
    if (planner::gives(policy, there)) return true;
  }
  if (silent) return std::unexpected(*silent);
  return false;
}

}  // namespace

Result<bool> may_go(const catalog::Object& object, const Rows& rows, const catalog::Share& share,
                    const AskHolder& is_held) {
  if (object.state != catalog::ObjectState::kCommitted) return true;
  Rows counted = counted_of(rows);
  if (share.generation > object.generation) return all_held(counted, is_held);
  if (share.generation < object.generation) return restores(object, counted, is_held);
  std::erase_if(counted, [&](const catalog::Share& one) {
    return one.path != share.path && !one.path.is_within(share.path) &&
           !share.path.is_within(one.path);
  });
  return all_held(counted, is_held);
}

}  // namespace warifu::control
