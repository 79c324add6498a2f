// Who deals the zero shares of a refresh, over which ways, and what every site comes to know of
// them; and so what of all that was ever seen of an object is still worth something afterwards.
//
// A zero share alone tells nothing about the object. It tells whoever knows the share of its place,
// of one generation, that of the other. So
//   - the dealer knows all zero shares; a holder its own; a site on a way, or that may know key of
//     a link on it, what passes; and everybody what follows from that (known_zeros);
//   - a holder of a part of a share that was cut again must come to know no zero share that stands
//     on a higher level of the tree than its own share: with one of the object's cut, one share of
//     the old and one of the new generation restore (refresh.h), and so for the cuts between;
//   - where two or more shares together tell nothing, nobody but the dealer may come to know as
//     many zero shares as determine all others; then dealers that follow one another, threshold-
//     many, leave none who knows the whole change;
//   - what a site saw of the old generation it may turn into the new one exactly where it knows the
//     zero share of that place: still_seen() is the exposure ledger afterwards.
// Pure functions over a snapshot.
#pragma once

#include "config/site_config.h"
#include "planner/exposure.h"
#include "planner/key_graph.h"
#include "planner/restore_plan.h"
#include "upkeep/orders.h"

namespace warifu::upkeep {

struct RefreshField {
  const planner::PolicyNode& policy;
  const std::vector<planner::ShareLocation>& shares;  // every place of the policy
  const planner::Snapshot& snapshot;
  sharing::RecordLayout records;           // of the object
  std::map<SiteName, planner::Seen> seen;  // the exposure ledger
};

struct ZeroWay {
  planner::ShareLocation at;
  planner::Route route;             // from the dealer; the dealer alone for its own share
  std::set<SiteName> knowing = {};  // sites beside it that may know key of its links
};

struct RefreshPlan {
  SiteName dealer;
  std::vector<ZeroWay> ways;  // in the order of the field's shares
  double price = 0;
  // What every direction of a link carries or draws.
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes_by_edge;
  [[nodiscard]] std::uint64_t key_bytes() const;
};

// Zero shares, on every level, that each site is shown by these ways, the dealer all.
using ZeroViews = std::map<SiteName, planner::Seen>;
[[nodiscard]] ZeroViews zero_views(const planner::PolicyNode& policy, const SiteName& dealer,
                                   const std::vector<ZeroWay>& ways);
// What follows from knowing `shown`: a cut of a secret that is known is determined by privacy()
// shares, a secret may be by more than privacy() of its shares. Errs on the side of more.
[[nodiscard]] planner::Seen known_zeros(const planner::PolicyNode& policy, planner::Seen shown);
// The rules above. Errors: kRefused naming the site that would know too much.
[[nodiscard]] Result<> check_zero_views(const planner::PolicyNode& policy, const SiteName& dealer,
                                        const std::vector<ZeroWay>& ways);
// What sites know of the new generation: what they hold, and what they can turn into it.
[[nodiscard]] std::map<SiteName, planner::Seen> still_seen(
    const planner::PolicyNode& policy, const std::vector<planner::ShareLocation>& shares,
    const std::map<SiteName, planner::Seen>& seen, const ZeroViews& views);
// Of these, sites that know more than what they hold.
[[nodiscard]] std::set<SiteName> keepers(const std::vector<planner::ShareLocation>& shares,
                                         const std::map<SiteName, planner::Seen>& seen);

// So many dealers, one after the other, make a refresh as strong as the policy.
[[nodiscard]] std::size_t dealers_needed(const planner::PolicyNode& policy);
// The plan that leaves fewest keepers, then the cheapest; `dealer` when one is named, otherwise any
// holder of a whole share but `used`. Errors: kRefused saying why there is no legal plan.
[[nodiscard]] Result<RefreshPlan> plan_refresh(const RefreshField& field,
                                               const std::optional<SiteName>& dealer,
                                               const std::set<SiteName>& used);

}  // namespace warifu::upkeep
