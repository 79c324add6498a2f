// Where a share comes to be anew, out of which others, on which ways: the cheapest legal plan by
// key price, for a repair out of threshold-many others and for a move.
//
// Helpers stand in a chain; neighbours in it share key that masks their parts, so both need a link
// with each other. A plan is legal when no site comes to see, over all that the exposure ledger
// remembers and this together, more than planner/exposure.h allows; the new holder too. All helper
// sets and chains are tried within kMaxRepairTrials, and the ways of each cheapest first. Pure
// functions over a snapshot.
#pragma once

#include "upkeep/repair_view.h"

namespace warifu::upkeep {

inline constexpr std::size_t kMaxRepairTrials = 4000;

struct RepairField {
  const planner::PolicyNode& policy;
  const std::vector<planner::ShareLocation>& shares;  // durable ones, the lost one left out
  const planner::Snapshot& snapshot;
  sharing::RecordLayout records;  // of the object
  std::map<SiteName, planner::Seen> seen;
};

struct RepairPlan {
  SumOfParts sum;
  double price = 0;
  // What every direction of a link carries or draws.
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes_by_edge;
  [[nodiscard]] std::uint64_t key_bytes() const;
};

// Sites where the share may come to rest, the present one first: they answer, are meant by the
// selector in the policy, have room, hold no share of the object, may see this one, and their
// failure domains may hold it (the present site's do). `closed`, if given, receives why a failure
// domain excludes a site that fits otherwise.
[[nodiscard]] std::vector<SiteName> resting_places(const RepairField& field,
                                                   const planner::ShareLocation& share,
                                                   std::vector<std::string>* closed = nullptr);

// The rule of failure_domains.h for the share at another site than its present one, beside the
// other shares, in the failure domains of that site. Errors: kRefused.
[[nodiscard]] Result<> check_domains_at(const RepairField& field,
                                        const planner::ShareLocation& share, const SiteName& site);

// `lost` made anew at `target`. Errors: kRefused saying why there is no legal plan.
[[nodiscard]] Result<RepairPlan> plan_repair(const RepairField& field,
                                             const planner::ShareLocation& lost,
                                             const SiteName& target);
// `share` brought to `target` as it is. Errors: kRefused.
[[nodiscard]] Result<RepairPlan> plan_move(const RepairField& field,
                                           const planner::ShareLocation& share,
                                           const SiteName& target);

// Whether every site may see what these views say, beside what it has seen. The first that may not,
// otherwise.
[[nodiscard]] std::optional<SiteName> who_sees_too_much(
    const planner::PolicyNode& policy, const std::map<SiteName, planner::Seen>& seen,
    const std::vector<planner::SourceView>& views);

}  // namespace warifu::upkeep
