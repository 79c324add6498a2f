// Taking a copy over, then the job.
#include "recovery/recovery_desk.h"

#include "audit/actor.h"
#include "catalog/database_files.h"
#include "control/sealed_secret.h"
#include "recovery/copy_reader.h"

namespace warifu::recovery {

// Nobody goes on with what ran at the site that was lost: its staged files are gone.
Result<> RecoveryDesk::end_jobs(catalog::Catalog& catalog) {
  TRY_ASSIGN(const auto jobs, catalog.unfinished_jobs());
  for (const catalog::Job& job : jobs) {
    TRY(catalog.update_job(job.job, {.state = catalog::JobState::kFailed,
                                     .step = job.step,
                                     .progress_bytes = job.progress_bytes,
                                     .total_bytes = job.total_bytes,
                                     .error = "the control site was lost while this ran",
                                     .result = job.result,
                                     .updated = engine_.site().system.clock.now()}));
  }
  return {};
}

Result<> RecoveryDesk::take_over(Rebuild& rebuild) {
  control::SiteContext& site = engine_.site();
  const std::string path = site.config.data_dir + "/catalog-taken.tmp";
  TRY_ASSIGN(TakenCopy taken, take_copy(site, path));
  // All of it before the one step that takes it over: a crash before leaves an empty catalog.
  const Result<> done = [&]() -> Result<> {
    {
      TRY_ASSIGN(const auto copy, catalog::open_sqlite(path, site.system.files));
      const ByteView ours = site.keys.root_key().bytes();
      TRY(copy->reseal([&](ByteView sealed) -> Result<Bytes> {
        const auto opened = control::open_secret(taken.root_key.bytes(), sealed);
        // Sealed under a key before: nobody can open it, and nothing else depends on it.
        if (!opened) return Bytes();
        return control::seal_secret(ours, site.system.random, opened->bytes());
      }));
      TRY(end_jobs(*copy));
    }
    return engine_.catalog().take_over(path);
  }();
  TRY(catalog::remove_database(site.system.files, path));
  TRY(done);
  if (copies_ != nullptr) TRY(copies_->adopt(taken.last));
  rebuild.copy_made = taken.made;
  rebuild.wrong = taken.wrong;
  return site.log.append("catalog_taken_over",
                         {{"epoch", std::to_string(taken.last.epoch)},
                          {"bundles", std::to_string(taken.last.number + 1)}});
}

Result<RecoveryDesk::Rebuild> RecoveryDesk::rebuild(bool from_shares) {
  const std::lock_guard lock(mutex_);
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const auto persons, catalog.list_persons("", {.count = 1}));
  TRY_ASSIGN(const auto unfinished, catalog.unfinished_jobs());
  for (const catalog::Job& job : unfinished) {
    if (job.kind == catalog::JobKind::kRebuild) {
      return fail(Code::kBusy, "the catalog is being rebuilt by job " + job.job.text());
    }
  }
  Rebuild rebuild{.job = os::random_id<JobId>(engine_.site().system.random)};
  if (persons.empty() && !from_shares) TRY(take_over(rebuild));
  const os::UnixMs now = engine_.site().system.clock.now();
  TRY(audit::note_job(engine_.site().log, rebuild.job.text(), "catalog"));
  TRY(catalog.start_job({.job = {.job = rebuild.job,
                                 .kind = catalog::JobKind::kRebuild,
                                 .state = catalog::JobState::kRunning,
                                 .step = "list",
                                 .created = now,
                                 .updated = now}}));
  engine_.start(rebuild.job, catalog::JobKind::kRebuild);
  return rebuild;
}

}  // namespace warifu::recovery
