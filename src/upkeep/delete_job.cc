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

Result<bool> DeletionSweep::may_go(const catalog::Share& share) {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const catalog::Object object, catalog.object(share.object));
  if (object.state != catalog::ObjectState::kCommitted || share.generation <= object.generation) {
    return true;
  }
  TRY_ASSIGN(const std::vector<catalog::Share> shares, catalog.list_shares(share.object));
  for (const catalog::Share& counted : shares) {
    if (counted.state != catalog::ShareState::kDurable || !counted.site) continue;
    TRY_ASSIGN(const bool held,
               control::is_held_at(engine_.site(), engine_.own(), *counted.site, counted.share));
    if (!held) return false;
  }
  return true;
}

void DeletionSweep::sweep() {
  const auto pending = engine_.catalog().pending_deletions();
  if (!pending) return log_warning(pending.error().message);
  const auto unfinished = engine_.catalog().unfinished_jobs();
  if (!unfinished) return log_warning(unfinished.error().message);
  const bool is_rebuilt = std::ranges::any_of(
      *unfinished, [](const catalog::Job& job) { return job.kind == catalog::JobKind::kRebuild; });
  if (is_rebuilt) return;  // what is of use is just being found out
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
    const auto may = may_go(share);
    if (!may || !*may) continue;
    if (const auto done = engine_.delete_for_good(share)) {
      log_info("share " + share.share.text() + " is deleted at last");
    } else if (control::may_pass(done.error().code)) {
      silent.insert(share.last_site);
    }
  }
}

}  // namespace warifu::upkeep
