// Asking holders to delete.
#include "upkeep/delete_job.h"

#include <condition_variable>

#include "base/log.h"

namespace warifu::upkeep {
namespace {

constexpr std::chrono::seconds kSweepInterval(60);

catalog::JobProgress progress_of(const catalog::Job& job, catalog::JobState state,
                                 const std::string& error, os::UnixMs now) {
  return {.state = state,
          .step = state == catalog::JobState::kDone ? "done" : "delete",
          .progress_bytes = job.progress_bytes,
          .total_bytes = job.total_bytes,
          .error = error,
          .result = job.result,
          .updated = now,
          .expected_end = {}};
}

}  // namespace

Result<> DeleteJob::run() {
  catalog::Catalog& catalog = engine_.catalog();
  control::SiteContext& site = engine_.site();
  TRY_ASSIGN(catalog::Job job, catalog.job(job_id_));
  TRY(catalog.delete_object(*job.object));
  TRY_ASSIGN(const std::vector<catalog::Share> shares, catalog.list_shares(*job.object));
  std::optional<Error> trouble;
  job.progress_bytes = job.total_bytes = 0;
  for (const catalog::Share& share : shares) {
    job.total_bytes += share.bytes;
    if (share.state == catalog::ShareState::kDeletePending) {
      Result<> done = control::delete_share(site, engine_.own(), share);
      if (done) done = catalog.mark_deleted(share.share);
      if (!done) {
        trouble = done.error();
        continue;
      }
    }
    job.progress_bytes += share.bytes;
  }
  if (trouble) return std::unexpected(*trouble);
  TRY(site.log.append("object_deleted", {{"object", job.object->text()}}));
  return catalog.update_job(
      job_id_, progress_of(job, catalog::JobState::kDone, "", site.system.clock.now()));
}

void DeleteJob::note_trouble(const Error& why) {
  const auto job = engine_.catalog().job(job_id_);
  if (!job) return log_warning(job.error().message);
  const auto saved = engine_.catalog().update_job(
      job_id_, progress_of(*job, catalog::JobState::kRunning, why.message,
                           engine_.site().system.clock.now()));
  if (!saved) log_warning(saved.error().message);
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
  for (const catalog::Share& share : *pending) {
    if (engine_.stopping()) return;
    // Jobs under way delete what is theirs; only what nobody cares for any more is left to this.
    const auto busy = engine_.catalog().list_jobs({.object = share.object}, {.count = 1});
    if (!busy || (!busy->empty() && !catalog::is_finished(busy->front().state))) continue;
    Result<> done = control::delete_share(engine_.site(), engine_.own(), share);
    if (done) done = engine_.catalog().mark_deleted(share.share);
    if (done) log_info("share " + share.share.text() + " is deleted at last");
  }
}

}  // namespace warifu::upkeep
