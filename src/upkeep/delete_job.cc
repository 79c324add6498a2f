// Asking holders to delete.
#include "upkeep/delete_job.h"

#include <condition_variable>
#include <set>

#include "base/log.h"
#include "control/deletion_rule.h"

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

// False when it has to wait. Errors: those of the way to its holder.
Result<bool> DeletionSweep::delete_one(const ShareId& id) {
  // While somebody finds out what is of use nothing goes.
  const std::unique_lock lock(engine_.deletions(), std::try_to_lock);
  if (!lock) return false;
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const catalog::Share share, catalog.share(id));
  if (share.state != catalog::ShareState::kDeletePending) return false;
  TRY_ASSIGN(const catalog::Object object, catalog.object(share.object));
  TRY_ASSIGN(const std::vector<catalog::Share> rows, catalog.list_shares(share.object));
  const auto is_held = [&](const catalog::Share& counted) -> Result<bool> {
    if (silent_.contains(*counted.site)) {
      return fail(Code::kUnavailable, counted.site->text() + " is silent");
    }
    const auto held =
        control::is_held_at(engine_.site(), engine_.own(), *counted.site, counted.share);
    if (!held && control::may_pass(held.error().code)) silent_.insert(*counted.site);
    return held;
  };
  const auto may = control::may_go(object, rows, share, is_held);
  if (!may || !*may) return false;  // who is silent is asked again in a minute
  TRY(engine_.delete_for_good(share));
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
  silent_.clear();
  for (const catalog::Share& share : *pending) {
    if (engine_.stopping()) return;
    if (busy.contains(share.object) || silent_.contains(share.last_site)) continue;
    const auto done = delete_one(share.share);
    if (done && *done) log_info("share " + share.share.text() + " is deleted at last");
    if (!done && control::may_pass(done.error().code)) silent_.insert(share.last_site);
  }
}

}  // namespace warifu::upkeep
