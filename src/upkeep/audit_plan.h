// Which sums an audit forms, in which chains, over which ways its answers come, and what its
// outcome says.
//
// Every top share (whole, or as parts) stands in a sum with others, and every part of a share in a
// sum with its siblings, as far as redundancy and links allow. Neighbours in a chain have a link;
// share control stands at an end of a chain; answers come over sites that neither stand in the
// chain nor may know a mask of it (share_auditor.h). Pure functions over what the catalog and the
// configuration say; one thread at a time.
#pragma once

#include "control/restore_plan.h"
#include "control/site_config.h"
#include "upkeep/audit_orders.h"

namespace warifu::upkeep {

struct AuditField {
  const control::PolicyNode& policy;
  std::vector<control::ShareLocation> shares;  // that can be asked
  const std::vector<control::LinkEntry>& links;
  SiteName collector;  // share control
};

struct PlannedSum {
  AuditSum sum;
  std::set<std::string> letters;
  std::optional<std::size_t> within;  // a sum of parts of that top share; none: of top shares
  std::set<std::size_t> tops;
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
  [[nodiscard]] const std::map<SiteName, control::Route>& routes() const { return routes_; }
  // Shares that stand in no sum, and why.
  [[nodiscard]] std::map<std::string, std::string> left_out() const;

 private:
  using Shares = std::vector<const control::ShareLocation*>;
  [[nodiscard]] Shares parts_of(std::size_t top) const;
  // Ways to have a top share: whole, or as threshold-many parts.
  [[nodiscard]] std::vector<Shares> ways_to_have(std::size_t top) const;
  [[nodiscard]] std::vector<std::size_t> tops_there() const;
  [[nodiscard]] std::vector<Shares> top_sums(const std::set<std::size_t>& tops) const;
  void cover_tops();
  void cover_parts(std::size_t top);
  // Whether the sum is planned now: a chain and ways for it were found.
  bool add(const Shares& shares, std::optional<std::size_t> within);
  bool chain_up(Shares& chain, Shares& rest, std::optional<std::size_t> within, std::size_t& tries);
  bool settle(const Shares& chain, std::optional<std::size_t> within);
  [[nodiscard]] std::optional<control::Route> route_of(const SiteName& holder,
                                                       const std::vector<PlannedSum>& sums) const;

  AuditField field_;
  std::vector<PlannedSum> sums_;
  std::map<SiteName, control::Route> routes_;
};

struct SumOutcome {
  PlannedSum planned;
  bool holds = true;
};

// Who alone explains the outcomes: letters of shares, and of shares that were cut again and whose
// parts agree with one another. Empty while every sum holds, and when nobody alone does.
[[nodiscard]] std::set<std::string> suspects_of(const std::vector<control::ShareLocation>& shares,
                                                const std::vector<SumOutcome>& outcomes);

}  // namespace warifu::upkeep
