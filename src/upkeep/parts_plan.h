// Where the parts of shares go that stand whole though the object's policy cuts them again.
//
// The placement is the planner's own (planner/placement.h, plan_parts). It is told all that is
// known of who has seen what: the exposure ledger; of shares that a rebuilt catalog has found, the
// ways that their holders suppose they came by (control/reshare.cc); and, because a rebuilt ledger
// knows only who was asked, what every site of the plan says it knows of the object. Sites to
// which a holder would give nothing, since another share of the object went there before, are left
// out. A plan that something of this contradicts is made anew. One thread.
#pragma once

#include "control/jobs.h"
#include "control/share_tree.h"
#include "planner/exposure.h"
#include "planner/restore_plan.h"
#include "upkeep/share_giver.h"

namespace warifu::upkeep {

struct PartsPlan {
  struct Cut {
    catalog::Share whole;
    planner::PlacementPlan plan;  // of its parts
  };
  std::vector<Cut> cuts;  // without those whose parts are planned already
  // What sites will have seen, and what they have told of before.
  std::vector<catalog::Sighting> sightings;
  std::vector<catalog::Sighting> reckoned;  // the ledger as it was

  // As planned shares, each before its parts.
  [[nodiscard]] std::vector<catalog::Share> shares(const control::ShareTree& tree,
                                                   os::Random& random) const;
  [[nodiscard]] std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes_by_edge() const;
};

class PartsPlanner {
 public:
  // Reads what is known of the object. `giver` is this site's own end. Errors: the catalog's;
  // kInvalidArgument unless the object is stored.
  [[nodiscard]] static Result<PartsPlanner> look(control::JobEngine& engine,
                                                 const ShareGiver& giver, const ObjectId& object,
                                                 control::NetworkView view);

  [[nodiscard]] const control::ShareTree& tree() const { return tree_; }
  // The places of shares that stand whole and are to be cut: all, or the one of that name. Errors:
  // kInvalidArgument when there is none.
  [[nodiscard]] Result<std::vector<sharing::SharePath>> places(const std::string& letter) const;
  // For those at these places. Errors: kRefused naming why there is no legal plan, kUnavailable
  // when a site that is away may be why.
  [[nodiscard]] Result<PartsPlan> plan(const std::vector<sharing::SharePath>& places);

 private:
  PartsPlanner(control::JobEngine& engine, const ShareGiver& giver, control::NetworkView view)
      : engine_(engine), giver_(giver), view_(std::move(view)) {}
  void suppose_ways();
  Result<planner::PlacementPlan> plan_one(const catalog::Share& whole);
  // Whether everybody who would see something agrees, as far as the answers tell something new.
  Result<bool> agree(const catalog::Share& whole, const std::vector<planner::ShareTarget>& parts);
  // What the site says that it knows of the object. True: something that was not known.
  bool learn(const SiteName& at);
  // Whether every holder that answers would help the share to that site.
  bool may_go(const sharing::SharePath& place, const SiteName& to);
  void exclude(const SiteName& site, const std::string& why);

  control::JobEngine& engine_;
  const ShareGiver& giver_;
  control::NetworkView view_;
  control::ShareTree tree_;
  std::vector<planner::ShareLocation> holders_;
  std::map<SiteName, planner::Seen> seen_;
  std::vector<planner::Resting> resting_;
  std::set<SiteName> closed_, asked_;
  std::vector<std::string> reasons_;  // why sites are closed
  std::vector<catalog::Sighting> told_;
};

}  // namespace warifu::upkeep
