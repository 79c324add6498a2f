// One round of an audit: everybody gets the order, then all holders hash side by side.
//
// A failure of one holder ends the round for all, because the others would wait for its masks. One
// thread at a time; holders are asked from threads of its own.
#pragma once

#include <atomic>

#include "upkeep/audit_plan.h"
#include "upkeep/share_auditor.h"

namespace warifu::upkeep {

struct HolderFailure {
  std::string letter;
  Error error;
  bool on_order = false;  // it did not even take the order
};

struct RoundResult {
  std::vector<SumOutcome> outcomes;     // empty unless all holders answered
  std::vector<HolderFailure> failures;  // without those that only followed from another
};

class AuditRoundRun {
 public:
  // Called with hashed and all bytes of all holders; false ends the round.
  using Watch = std::function<bool(std::uint64_t done, std::uint64_t total)>;

  // `shares` hold everybody who stands in the planned sums.
  AuditRoundRun(control::SiteContext& site, ShareAuditor& own, const AuditPlanner& plan,
                const std::vector<planner::ShareLocation>& shares);
  [[nodiscard]] RoundResult run(const Watch& watch);

 private:
  struct Holder {
    planner::ShareLocation share;
    planner::Route route;  // of its answers
    std::atomic<std::uint64_t> done = 0, total = 0;
    Result<std::vector<mac::Tag>> answers = std::vector<mac::Tag>();
    std::optional<channel::Call> call;  // under mutex_
  };
  bool order_all(RoundResult& result);
  void ask(Holder& holder);
  Result<std::vector<mac::Tag>> ask_far(Holder& holder);
  // Ends the round for everybody; `cause` failed first.
  void break_off(Holder* cause);

  control::SiteContext& site_;
  ShareAuditor& own_;
  const AuditPlanner& plan_;
  AuditRound round_;
  std::vector<std::unique_ptr<Holder>> holders_;
  std::mutex mutex_;
  std::atomic<bool> broken_ = false;
  Holder* cause_ = nullptr;  // written by who breaks the round, read once all have ended
};

}  // namespace warifu::upkeep
