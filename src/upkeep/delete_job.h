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

// Asks every minute for what is still to be deleted. New shares that a refresh left which was given
// up go once every share that the catalog counts on is at its site: until then they may be the only
// truth (a catalog from a backup may be older than the refresh). Owns its thread; the engine must
// outlive it.
class DeletionSweep {
 public:
  explicit DeletionSweep(control::JobEngine& engine);

 private:
  void sweep();
  // Errors: those of the catalog, of the sites that are asked.
  Result<bool> may_go(const catalog::Share& share);
  control::JobEngine& engine_;
  std::jthread thread_;
};

}  // namespace warifu::upkeep
