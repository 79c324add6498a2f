// Does a policy make sense in this network? Asked of the configured policy when share control
// starts, of every policy that a store or a plan brings, and by `warifu site check`.
//
// A policy makes sense when
//   - every selector means a site of the network;
//   - no single site can lose the object, at no moment of a store, nor restore it;
//   - there is a placement in the network as it is configured that keeps the rules of exposure.h
//     and failure_domains.h, so that the same holds for every failure domain.
// What only breaks the second, or the rule for failure domains, is accepted with a warning when the
// policy says "fragile". Pure functions, any thread.
#pragma once

#include "planner/placement.h"

namespace warifu::planner {

// The fewest sites, each with one share, whose loss loses the object at the worst moment; and the
// fewest that together can restore it, those that make a nested cut among them.
[[nodiscard]] std::size_t fewest_to_lose(const PolicyNode& policy);
[[nodiscard]] std::size_t fewest_to_restore(const PolicyNode& policy);

// Levels of cuts inside the top one.
[[nodiscard]] std::size_t nesting_of(const PolicyNode& policy);

struct PolicyReport {
  std::string policy;  // its text
  bool fragile = false;
  std::size_t nesting = 0;
  std::size_t may_be_lost = 0;  // so many sites, whichever they are
  std::size_t must_collude = 0;
  std::vector<std::string> warnings;  // what "fragile" has allowed, in words
};

// Errors: kRefused naming the policy, the share and the reason.
[[nodiscard]] Result<PolicyReport> check_policy(const PolicyNode& policy,
                                                const config::SiteConfig& config);
// The configuration's own policy. Errors: kInvalidArgument naming the file too.
[[nodiscard]] Result<PolicyReport> check_own_policy(const config::SiteConfig& config);

}  // namespace warifu::planner
