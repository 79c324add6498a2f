// Deletion: the job that makes every holder of an object delete its shares, and the sweep that asks
// holders again which did not answer when a share of theirs was replaced.
//
// The catalog says first that the object is deleted and its grants are withdrawn; then holders are
// asked until each has answered. Unlinking does not erase a medium (store/share_store.h).
#pragma once

#include <map>
#include <set>
#include <thread>

#include "control/jobs.h"

namespace warifu::upkeep {

class DeleteJob final : public control::Work {
 public:
  using Work::Work;
  Result<> run() override;
  // At once: what is deleted comes back to nobody.
  bool is_committed() const override { return true; }
  void roll_back(const Error& why) override { note_trouble(why); }
};

// Asks every minute for what is still to be deleted, as control/deletion_rule.h allows it. Owns its
// thread; the engine must outlive it.
class DeletionSweep {
 public:
  explicit DeletionSweep(control::JobEngine& engine);

 private:
  void sweep();
  Result<bool> delete_one(const ShareId& share);
  control::JobEngine& engine_;
  std::set<SiteName> silent_;  // in this sweep; thousands of shares may wait for one of these
  std::jthread thread_;        // goes first
};

}  // namespace warifu::upkeep
