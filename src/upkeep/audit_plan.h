// Which sums an audit forms, in which chains, over which ways its answers come, and what its
// outcome says.
//
// Every share of a cut (whole, or as parts) stands in a sum with others of that cut, on every
// level, as far as redundancy and links allow. Neighbours in a chain have a link; share control
// stands at an end of a chain; answers come over sites that neither stand in the chain nor may know
// a mask of it (share_auditor.h). Pure functions over what the catalog and the configuration say;
// one thread at a time.
#pragma once

#include "config/site_config.h"
#include "planner/restore_plan.h"
#include "upkeep/audit_orders.h"
#include "upkeep/share_sets.h"

namespace warifu::upkeep {

struct AuditField {
  const planner::PolicyNode& policy;
  std::vector<planner::ShareLocation> shares;  // that can be asked
  const std::vector<config::LinkEntry>& links;
  SiteName collector;  // share control
};

struct PlannedSum {
  AuditSum sum;
  std::set<std::string> letters;
  sharing::SharePath cut;  // whose shares they are, or are parts of
};

class AuditPlanner {
 public:
  explicit AuditPlanner(AuditField field) : field_(std::move(field)) {}

  // Sums over everything that can be audited.
  void cover();
  // Sums that some of these suspects have a part in and some have not, beyond what `known` formed;
  // at most `most`.
  void tell_apart(const std::set<std::string>& suspects, const std::vector<PlannedSum>& known,
                  std::size_t most);

  [[nodiscard]] const std::vector<PlannedSum>& sums() const { return sums_; }
  // From each holder in a sum to the collector, both included.
  [[nodiscard]] const std::map<SiteName, planner::Route>& routes() const { return routes_; }
  // Shares that stand in no sum, and why.
  [[nodiscard]] std::map<std::string, std::string> left_out() const;

 private:
  using Shares = ShareList;
  void cover(const sharing::SharePath& cut);
  // Whether the sum is planned now: a chain and ways for it were found.
  bool add(const Shares& shares, const sharing::SharePath& cut);
  bool chain_up(Shares& chain, Shares& rest, const sharing::SharePath& cut, std::size_t& tries);
  bool settle(const Shares& chain, const sharing::SharePath& cut);
  [[nodiscard]] ShareSets sets() const;
  [[nodiscard]] std::optional<planner::Route> route_of(const SiteName& holder,
                                                       const std::vector<PlannedSum>& sums) const;

  AuditField field_;
  std::vector<PlannedSum> sums_;
  std::map<SiteName, planner::Route> routes_;
};

struct SumOutcome {
  PlannedSum planned;
  bool holds = true;
};

// Who alone explains the outcomes: letters of shares, and of shares that were cut again and whose
// parts agree with one another. Empty while every sum holds, and when nobody alone does.
[[nodiscard]] std::set<std::string> suspects_of(const std::vector<planner::ShareLocation>& shares,
                                                const std::vector<SumOutcome>& outcomes);

}  // namespace warifu::upkeep
