// One restore: sources opened in pairs, combined, verified, handed on.
#include "control/restore_desk.h"

#include <algorithm>

#include <boost/json.hpp>

#include "audit/actor.h"
#include "base/log.h"
#include "control/restore_stream.h"

namespace warifu::control {
namespace {

namespace json = boost::json;

std::string result_text(const RestoreStream& stream, std::uint64_t bytes, double seconds) {
  json::object result = {{"bytes", bytes}, {"seconds", seconds}, {"verified", true}};
  stream.describe(result);
  return json::serialize(result);
}

}  // namespace

Result<JobId> RestoreDesk::begin(const RestoreWish& wish) {
  TRY_ASSIGN(const catalog::Object object, catalog_.object(wish.object));
  TRY_ASSIGN(const catalog::Grant grant, catalog_.grant(wish.grant));
  if (const auto readable = consent::parse_grant(grant.grant_bytes); !readable) {
    return fail(Code::kRefused, "consent " + wish.grant.text() + ": " + readable.error().message);
  }
  if (!wish.using_letters.empty()) TRY(parse_letters(wish.using_letters));
  if (!wish.gather.empty()) TRY(SiteName::parse(wish.gather));
  if (!wish.purpose.empty()) TRY(consent::parse_purpose(wish.purpose));
  if (const std::string flaw = consent::flaw_of(wish.grantee); !flaw.empty()) {
    return fail(Code::kInvalidArgument, "who restores must be named: " + flaw);
  }
  const json::object plan = {
      {"grant", grant.grant.text()},
      {"using", wish.using_letters},
      {"gather", wish.gather},
      {"purpose", wish.purpose},
      {"asked", to_hex(encode_asker({wish.grantee, wish.stated, wish.scope}))}};
  const JobId job = os::random_id<JobId>(site_.system.random);
  TRY(site_.log.append("restore_asked", {{"job", job.text()},
                                         {"object", wish.object.text()},
                                         {"grant", wish.grant.text()},
                                         {"grantee", consent::grantee_words(
                                                         wish.grantee, consent::Locale::kEnglish)},
                                         {"stated_use", consent::statements_text(wish.stated)},
                                         {"scope", consent::scope_text(wish.scope)}}));
  const os::UnixMs now = site_.system.clock.now();
  TRY(audit::note_job(site_.log, job.text(), wish.object.text()));
  TRY(catalog_.start_job({.job = {.job = job,
                                  .kind = catalog::JobKind::kRestore,
                                  .state = catalog::JobState::kRunning,
                                  .step = "open",
                                  .object = wish.object,
                                  .person_id = object.person_id,
                                  .plan = json::serialize(plan),
                                  .total_bytes = object.length,
                                  .created = now,
                                  .updated = now}}));
  return job;
}

Result<std::uint64_t> RestoreDesk::length(const JobId& job) {
  TRY_ASSIGN(const catalog::Job record, catalog_.job(job));
  if (record.kind != catalog::JobKind::kRestore) {
    return fail(Code::kInvalidArgument, "job " + job.text() + " is not a restore");
  }
  return record.total_bytes;
}

Result<> RestoreDesk::stream(const JobId& job_id, std::uint64_t from, const PlainSink& sink) {
  TRY_ASSIGN(const catalog::Job job, catalog_.job(job_id));
  if (job.kind != catalog::JobKind::kRestore || catalog::is_finished(job.state)) {
    return fail(Code::kInvalidArgument,
                "job " + job_id.text() + " is not a restore that can go on");
  }
  const Running running(*this, job_id);
  if (!running.is_first()) {
    return fail(Code::kBusy, "job " + job_id.text() + " is streaming to another reader");
  }
  const auto started = site_.system.clock.monotonic();
  auto last_saved = started;
  catalog::JobProgress progress{.state = catalog::JobState::kRunning,
                                .step = "stream",
                                .progress_bytes = from,
                                .total_bytes = job.total_bytes};
  const auto save = [&]() -> Result<> {
    progress.updated = site_.system.clock.now();
    return catalog_.update_job(job_id, progress);
  };
  RestoreStream stream(site_, own_, catalog_);
  const auto counted = [&](ByteView plain) -> Result<> {
    TRY(sink(plain));
    progress.progress_bytes += plain.size();
    const auto now = site_.system.clock.monotonic();
    if (now - last_saved < std::chrono::seconds(1)) return {};
    last_saved = now;
    const double seconds = std::chrono::duration<double>(now - started).count();
    const double rate = static_cast<double>(progress.progress_bytes - from) / seconds;
    const double left = static_cast<double>(job.total_bytes - progress.progress_bytes) / rate;
    progress.expected_end =
        os::UnixMs{site_.system.clock.now().value + static_cast<std::int64_t>(left * 1000)};
    return save();
  };
  Result<> done = stream.open(job);
  if (done) done = stream.run(from, counted);
  progress.expected_end.reset();
  if (const auto accounted = stream.account(); !accounted) {
    log_warning("key account of restore " + job_id.text() + ": " + accounted.error().message);
  }
  if (done) {
    const double seconds =
        std::chrono::duration<double>(site_.system.clock.monotonic() - started).count();
    progress.state = catalog::JobState::kDone;
    progress.step = "done";
    progress.result = result_text(stream, job.total_bytes, seconds);
    TRY(site_.log.append("restored", {{"object", job.object->text()}, {"job", job_id.text()}}));
    return save();
  }
  // A reader that went away may come back for the rest; a refusal is final.
  const bool pause = may_resume(done.error().code);
  progress.state = pause ? catalog::JobState::kPaused : catalog::JobState::kFailed;
  progress.error = done.error().message;
  if (const auto saved = save(); !saved) log_error(saved.error().message);
  return done;
}

}  // namespace warifu::control
