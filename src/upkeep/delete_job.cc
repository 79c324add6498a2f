// Asking holders to delete.
#include "upkeep/delete_job.h"

#include <algorithm>
#include <condition_variable>

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

Result<bool> DeletionSweep::may_go(const catalog::Share& share, Held& held) {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const catalog::Object object, catalog.object(share.object));
  if (object.state != catalog::ObjectState::kCommitted || share.generation <= object.generation) {
    return true;
  }
  TRY_ASSIGN(const std::vector<catalog::Share> shares, catalog.list_shares(share.object));
  for (const catalog::Share& counted : shares) {
    if (counted.state != catalog::ShareState::kDurable || !counted.site) continue;
    if (!held.contains(*counted.site)) {
      TRY_ASSIGN(held[*counted.site],
                 control::held_at(engine_.site(), engine_.own(), *counted.site));
    }
    if (!held.at(*counted.site).contains(counted.share)) return false;
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
  Held held;
  for (const catalog::Share& share : *pending) {
    if (engine_.stopping()) return;
    // Jobs under way delete what is theirs; only what nobody cares for any more is left to this. A
    // restore deletes nothing, and one whose reader never comes back is under way for ever.
    const bool busy = std::ranges::any_of(*unfinished, [&](const catalog::Job& job) {
      return job.object == share.object && job.kind != catalog::JobKind::kRestore;
    });
    if (busy) continue;
    const auto may = may_go(share, held);
    if (!may || !*may) continue;
    if (engine_.delete_for_good(share))
      log_info("share " + share.share.text() + " is deleted at last");
  }
}

}  // namespace warifu::upkeep
