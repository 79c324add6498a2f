// Sites for the shares of a policy of any depth, by what may rest where alone: each selector means
// its site, no site has two shares, failure domains keep their rule. Ways and key are not looked at
// (placement.h does, for the trees that objects can be stored under). A pure function.
#pragma once

#include "control/policy.h"
#include "control/site_config.h"

namespace warifu::control {

// The search gives up after so many sites that it has tried for a share.
inline constexpr std::size_t kMaxAssignmentSteps = 20'000;

// Errors: kRefused when there are no such sites, or none were found in kMaxAssignmentSteps, saying
// what stood in the way.
[[nodiscard]] Result<> find_sites(const PolicyNode& policy, const SiteConfig& config);

}  // namespace warifu::control
