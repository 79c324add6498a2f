// The job that gives a share a new place: a repair makes it out of others, a move brings it as it
// is.
//
// Steps, each durable in the catalog before the next begins:
//   plan    the new share's id and site are drawn and stand in the job's plan from here on
//   take    helpers are chosen anew at every attempt; what sites will see goes into the exposure
//           ledger, key is leased, the holders get their orders, and the new holder takes the parts
//           behind what it has already
//   settle  the new share is permanent at its site, and the location record passes to it in one
//           step; the old share is to be deleted
//   tell    holders of siblings hear where it is now
//   delete  the old holder deletes; of a repair whoever does not answer is asked again later
// Every step may be repeated from its start after a crash. Until `settle` the old share is the
// truth, from then on the new one. A share that is still to be cut is repaired where it was, beside
// the job that waits to cut it, and its parts are planned anew in the same step.
#pragma once

#include "control/jobs.h"
#include "control/share_tree.h"
#include "upkeep/repair_plan.h"
#include "upkeep/share_giver.h"
#include "upkeep/share_taker.h"

namespace warifu::upkeep {

// This site's own ends, and which share of the catalog goes where.
struct RelocationParts {
  ShareGiver& giver;
  ShareTaker& taker;
};

// What stands in the plan of such a job (JSON in the catalog).
struct Relocation {
  ShareId old_share, new_share;
  std::optional<SiteName> target;  // as wished, or as chosen; none until it is chosen
  bool repair = true;

  [[nodiscard]] std::string text() const;
  // Errors: kCorrupt.
  [[nodiscard]] static Result<Relocation> parse(const std::string& text);
};

// What a planner needs to know of an object now, but for one share. Owns what RepairField refers
// to.
struct RepairOutlook {
  control::ShareTree tree;
  control::NetworkView view;
  std::vector<planner::ShareLocation> others;
  planner::ShareLocation share;  // that is repaired or moved
  std::map<SiteName, planner::Seen> seen;
  // Sites that holders would give nothing, whatever the ledger says: these had another share of the
  // object from them before. Holders never forget that (upkeep/given_record.h), the ledger does at
  // a refresh.
  std::set<SiteName> refused = {};

  // Errors: the catalog's; kInvalidArgument unless the share is durable or `lost` says otherwise.
  [[nodiscard]] static Result<RepairOutlook> look(control::JobEngine& engine,
                                                  const ObjectId& object, const ShareId& share);
  // With a look at the network that was taken before.
  [[nodiscard]] static Result<RepairOutlook> look(control::JobEngine& engine,
                                                  const ObjectId& object, const ShareId& share,
                                                  control::NetworkView view);
  [[nodiscard]] RepairField field() const;
  // The cheapest plan over `target`, or over all resting places when there is none.
  [[nodiscard]] Result<RepairPlan> plan(const Relocation& wish) const;
};

// What each holder is told, in the order of the parts.
[[nodiscard]] std::vector<PartOrder> orders_of(const SumOfParts& sum, const JobId& session,
                                               std::uint64_t first);

class RelocationJob final : public control::Work {
 public:
  RelocationJob(control::JobEngine& engine, RelocationParts parts, const JobId& job)
      : Work(engine, job), parts_(parts) {}

  Result<> run() override;
  void roll_back(const Error& why) override;
  // Once the location record has passed.
  bool is_committed() const override;

 private:
  Result<> load();
  Result<> take_back();
  Result<> plan();
  // Whether every holder that answers would help the share to that site. Errors: kRefused with the
  // first one's reason.
  Result<> ask_holders(const RepairOutlook& outlook, const SiteName& target);
  Result<> take();
  Result<> fetch(const TakeRequest& request);
  Result<> settle();
  Result<> tell();
  Result<> remove_old();

  [[nodiscard]] catalog::Share fresh_share(const control::ShareTree& tree) const;

  RelocationParts parts_;
  Relocation relocation_;
};

}  // namespace warifu::upkeep
