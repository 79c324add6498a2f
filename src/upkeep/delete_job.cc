// Asking holders to delete.
#include "upkeep/delete_job.h"

#include <condition_variable>
#include <set>

#include "base/log.h"

namespace warifu::upkeep {
namespace {
constexpr std::chrono::seconds kSweepInterval(60);
}  // namespace

Result<> DeleteJob::run() {
  catalog::Catalog& catalog = engine_.catalog();
  TRY(load_job());
  TRY(catalog.delete_object(*job_.object));
  TRY_ASSIGN(const std::vector<catalog::Share> shares, catalog.list_shares(*job_.object));
  std::optional<Error> trouble;
  job_.progress_bytes = job_.total_bytes = 0;
  for (const catalog::Share& share : shares) {
    job_.total_bytes += share.bytes;
    if (share.state == catalog::ShareState::kDeletePending) {
      if (const auto done = engine_.delete_for_good(share); !done) {
        trouble = done.error();
        continue;
      }
    }
    job_.progress_bytes += share.bytes;
  }
  if (trouble) return std::unexpected(*trouble);
  TRY(engine_.site().log.append("object_deleted", {{"object", job_.object->text()}}));
  job_.error.clear();
  return save(catalog::JobState::kDone, "done");
}

DeletionSweep::DeletionSweep(control::JobEngine& engine)
    : engine_(engine), thread_([this](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        while (!stop.stop_requested()) {
          std::unique_lock lock(mutex);
          wake.wait_for(lock, stop, kSweepInterval, [] { return false; });
          if (!stop.stop_requested()) sweep();
        }
      }) {}

void DeletionSweep::sweep() {
  const auto pending = engine_.catalog().pending_deletions();
  if (!pending) return log_warning(pending.error().message);
  const auto unfinished = engine_.catalog().unfinished_jobs();
  if (!unfinished) return log_warning(unfinished.error().message);
  // Jobs under way delete what is theirs; only what nobody cares for any more is left to this. A
  // restore deletes nothing, and one whose reader never comes back is under way for ever.
  std::set<ObjectId> busy;
  for (const catalog::Job& job : *unfinished) {
    if (job.object && job.kind != catalog::JobKind::kRestore) busy.insert(*job.object);
  }
  std::set<SiteName> silent;  // thousands of shares may wait for one of these
  for (const catalog::Share& share : *pending) {
    if (engine_.stopping()) return;
    if (busy.contains(share.object) || silent.contains(share.last_site)) continue;
    if (const auto done = engine_.delete_for_good(share)) {
      log_info("share " + share.share.text() + " is deleted at last");
    } else if (control::may_pass(done.error().code)) {
      silent.insert(share.last_site);
    }
  }
}

}  // namespace warifu::upkeep
