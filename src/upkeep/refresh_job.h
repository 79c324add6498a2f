// The job that gives every share of an object its next generation, without the secret being
// anywhere and without the person.
//
// Steps, each durable in the catalog before the next begins; a round of them for each dealer:
//   plan    ids of the new shares are drawn, and stand in the catalog as being written
//   deal    the dealer is chosen (and kept to); what sites will know of the zero shares goes into
//           the plan, key is leased, holders make the new shares' files, and the dealer deals, from
//           the first record that some holder lacks
//   settle  the new shares are permanent at their sites, beside the old ones
//   check   they are audited against one another, as far as links allow
//   switch  every holder says that it has its new share (control/share_facts.h); all of them become
//   the truth in one step, and the exposure ledger says what is left delete  every holder deletes
//   the old share; the job goes on until each has answered, or for ten
//           minutes; what is left then is deleted when its holder comes back
// A job that is given up or cancelled before `switch` has the step `undo` or `cancel` until all of
// it is taken back. Every step may be repeated from its start after a crash. Until `switch` the old
// shares are the truth, and the job can be given up: the new ones are then deleted, once so many
// holders say that they have the old one that these restore the object, and none says that it has
// not; a catalog from a backup may be older than the switch. From then on the new ones are.
#pragma once

#include "control/jobs.h"
#include "control/share_tree.h"
#include "upkeep/refresh_plan.h"
#include "upkeep/share_auditor.h"
#include "upkeep/share_refresher.h"

namespace warifu::upkeep {

// This site's own ends.
struct RefreshParts {
  ShareRefresher& refresher;
  ShareAuditor& auditor;
};

struct RefreshWish {
  std::size_t dealers = 0;                // 0: as many as the policy needs
  std::optional<os::UnixMs> key_after{};  // only key that came in since then
};

// What stands in the plan of such a job (JSON in the catalog).
struct RefreshState {
  std::size_t dealers = 1;
  std::optional<os::UnixMs> key_after;
  std::uint32_t generation = 0;  // that comes to be
  std::set<SiteName> used;       // dealers of rounds that are over
  std::optional<SiteName> dealer;
  std::map<ShareId, ShareId> fresh;  // by old share, those that were cut again too
  ZeroViews shown;                   // over all attempts of this round
  std::uint16_t entropy = 0;         // of the zero shares, over all attempts
  std::string check;                 // what the audit of the last round said
  std::set<SiteName> keepers;        // who could still use what it saw before the last round
  os::UnixMs switched{0};            // when the last round was committed
  std::set<SiteName> late;           // who has still to delete old shares

  // Another dealer is to follow.
  void begin_round();
  // What people are told of a refresh that is done, as JSON.
  [[nodiscard]] std::string result() const;
  [[nodiscard]] std::string text() const;
  // Errors: kCorrupt.
  [[nodiscard]] static Result<RefreshState> parse(const std::string& text);
};

// What a planner needs to know of an object now. Owns what RefreshField refers to.
struct RefreshOutlook {
  control::ShareTree tree;
  control::NetworkView view;
  std::vector<planner::ShareLocation> shares;
  std::map<SiteName, planner::Seen> seen;

  // Errors: the catalog's; kInvalidArgument unless the object is stored; kRefused when a share is
  // not in use.
  [[nodiscard]] static Result<RefreshOutlook> look(control::JobEngine& engine,
                                                   const ObjectId& object);
  // Errors: as plan_refresh(); kUnavailable when a site that is away may be why.
  [[nodiscard]] Result<RefreshPlan> plan(const std::optional<SiteName>& dealer,
                                         const std::set<SiteName>& used) const;
};

// Whether all key that such a plan would draw next came in since `after`. Errors: kRefused naming
// the link; those of the sites that are asked.
[[nodiscard]] Result<> check_key_age(control::JobEngine& engine, const ShareRefresher& own,
                                     const RefreshPlan& plan, os::UnixMs after);

class RefreshJob final : public control::Work {
 public:
  RefreshJob(control::JobEngine& engine, RefreshParts parts, const JobId& job)
      : Work(engine, job), parts_(parts) {}

  Result<> run() override;
  void roll_back(const Error& why) override;
  bool is_committed() const override;
  bool is_taking_back() const override;

 private:
  Result<> load();
  Result<> plan();
  Result<> deal();
  Result<std::uint64_t> begin_all(const RefreshOutlook& outlook, const JobId& session);
  Result<keypool::Entropy> order_deal(const DealOrder& order);
  Result<> settle();
  Result<> check();
  // Whether the holder of a new share still has it. Errors: kCorrupt when not; those of the way.
  Result<> check_held(const std::vector<planner::ShareLocation>& fresh, const std::string& letter);
  // Every new share is at its holder, as the catalog has it. Errors: kCorrupt when not; those of
  // the way.
  Result<> check_fresh_present();
  Result<> switch_over();
  Result<> remove_old();
  // Deletes all new shares, those of silent holders when they come back. Errors: kRefused when a
  // holder has no old one, so nothing is deleted; those of the way while too few answer.
  Result<> take_back();
  Result<> check_old_stands();
  // An old share is lost: new ones wait for the sweep. Errors: always kRefused, which says so.
  Result<> leave_new(const catalog::Share& lost);
  // New shares that a refresh left which was forgotten together with a catalog.
  Result<> clear_leftovers(const control::ShareTree& tree);
  // The new share of that place. Errors: kRefused when it came to be after the plan.
  [[nodiscard]] Result<ShareId> fresh_of(const ShareId& old) const;

  // Old and new rows, those that were cut again too, in one order.
  struct Renewal {
    std::vector<catalog::Share> old, fresh;
  };
  [[nodiscard]] Result<Renewal> renewal(const control::ShareTree& tree) const;
  [[nodiscard]] Result<catalog::Share> next_of(const catalog::Share& old) const;

  RefreshParts parts_;
  RefreshState state_;
};

}  // namespace warifu::upkeep
