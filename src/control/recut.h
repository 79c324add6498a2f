// Cutting shares again: parts that are planned below the shares of an object are made, from the top
// of the tree down. The one step that a store and a re-share job have in common (ADR 0065, 0067).
//
// The holder of a share cuts it for the sites of its parts (reshare.h); when all of these have it
// durably the location record moves in one transaction, then the holder deletes it. A share that
// its holder has lost is waited for: a repair makes it anew beside the job. When a part is lost
// while others are permanent, all of them are planned anew.
//
// Every step may be repeated from its start after a crash. One thread; the tree is read anew from
// the catalog as the work goes on.
#pragma once

#include <functional>

#include "control/cutting.h"
#include "control/jobs.h"
#include "control/share_tree.h"

namespace warifu::control {

// The name of the step, in the records of jobs.
inline constexpr const char* kRecutStep = "reshare";

// Whether a job may wait to cut shares of its object: such a share may be repaired beside it.
[[nodiscard]] bool is_cutting_again(const catalog::Job& job);

struct RecutWatch {
  // Hears how many bytes of parts there are durably, all of those counted that come before the one
  // that is made; false ends the work with an error.
  std::function<bool(std::uint64_t bytes)> progress;
  // Asked while key is awaited; false gives up.
  channel::KeepWaiting keep_waiting;
};

class Recut {
 public:
  // What is given must outlive it.
  Recut(JobEngine& engine, const JobId& job, ShareTree& tree, RecutWatch watch)
      : engine_(engine), job_id_(job), tree_(tree), watch_(std::move(watch)) {}

  // Makes every part that is planned below these places of the tree, or, with none named, anywhere.
  // Errors: those of the sites and of the ways there; kUnavailable when parts had to be planned
  // anew.
  [[nodiscard]] Result<> run(const std::vector<sharing::SharePath>& places);

 private:
  Result<> cut(const catalog::Share& whole);
  Error plan_anew(const catalog::Share& whole);
  Result<CutReport> order(const catalog::Share& whole, const std::vector<catalog::Share>& parts);
  [[nodiscard]] Result<ReshareRequest> request_for(const catalog::Share& whole,
                                                   const std::vector<catalog::Share>& parts) const;
  [[nodiscard]] std::uint64_t bytes_before(const catalog::Share& part) const;
  Result<> note(const std::vector<catalog::Share>& parts, const CutReport& report);

  JobEngine& engine_;
  const JobId job_id_;
  ShareTree& tree_;
  RecutWatch watch_;
  std::vector<sharing::SharePath> places_;
};

// Whether the share is one of these places or lies below one; with none named always.
[[nodiscard]] bool is_within_any(const sharing::SharePath& share,
                                 const std::vector<sharing::SharePath>& places);

// Promises the key that these shares take on their ways, of those that are still to be made. At
// every start of a run: leases live in the memory of the sending ends and are lost with it.
[[nodiscard]] Result<> lease_ways(JobEngine& engine, const catalog::Job& job,
                                  const std::vector<catalog::Share>& shares);

// What these shares travelled under, and the key that their ways have cost, into the catalog: once
// for a job.
[[nodiscard]] Result<> account_ways(JobEngine& engine, const JobId& job, const ShareTree& tree,
                                    const std::vector<catalog::Share>& shares);

}  // namespace warifu::control
