// One restore: its record, an attempt at it, and what an attempt reads.
#include "control/restore_desk.h"

#include <algorithm>

#include <boost/json.hpp>

#include "audit/actor.h"
#include "base/log.h"
#include "base/units.h"
#include "consent/veil.h"
#include "control/givers.h"
#include "control/region_trim.h"
#include "control/restore_record.h"
#include "control/restore_stream.h"
#include "genome/local.h"
#include "secret/lockable.h"

namespace warifu::control {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostFormat = 8;

std::uint64_t lead_bytes(const catalog::Object& object) {
  return std::uint64_t{object.lead_chunks} * limits::kChunkBytes;
}

// What was asked for was wrong; the data are not.
bool is_of_wish(const Error& error) {
  return error.code == Code::kInvalidArgument || error.code == Code::kNotFound;
}

json::array texts_of(const consent::Scope& scope) {
  json::array texts;
  for (const std::string& one : consent::region_texts(scope)) texts.emplace_back(one);
  return texts;
}

}  // namespace

struct RestoreDesk::Plan {
  consent::Scope presented;        // to every holder
  consent::Scope wanted;           // regions, without chunks; else as presented
  std::optional<RegionCuts> cuts;  // of the consent, when it is for regions
  std::string format;
  std::uint64_t total_bytes = 0;
};

// One attempt: the open stream, and the record of its progress, written once a second.
class RestoreDesk::Run {
 public:
  Run(RestoreDesk& desk, const catalog::Job& job, std::uint64_t from)
      : stream(desk.site_, desk.own_, desk.catalog_),
        desk_(desk),
        job_(job),
        from_(from),
        started_(desk.site_.system.clock.monotonic()),
        saved_(started_) {
    progress_ = {.state = catalog::JobState::kRunning,
                 .step = "stream",
                 .progress_bytes = from,
                 .total_bytes = job.total_bytes};
  }

  // So many bytes in all, known only now.
  void expect(std::uint64_t bytes) { progress_.total_bytes = bytes; }
  // So many more bytes are done.
  Result<> done(std::uint64_t bytes) {
    progress_.progress_bytes += bytes;
    const auto now = desk_.site_.system.clock.monotonic();
    if (now - saved_ < std::chrono::seconds(1)) return {};
    saved_ = now;
    const double rate = static_cast<double>(progress_.progress_bytes - from_) / seconds();
    const std::uint64_t left =
        progress_.total_bytes - std::min(progress_.total_bytes, progress_.progress_bytes);
    progress_.expected_end =
        os::UnixMs{desk_.site_.system.clock.now().value +
                   static_cast<std::int64_t>(static_cast<double>(left) / rate * 1000)};
    return save();
  }

  // Writes how it ended. Errors: `ended`, or why the record could not be written.
  Result<> finish(const Result<>& ended) {
    progress_.expected_end.reset();
    if (const auto accounted = stream.account(); !accounted) {
      log_warning("key account of restore " + job_.job.text() + ": " + accounted.error().message);
    }
    if (!ended) {
      // A reader that went away may come back for the rest; a refusal is final.
      const bool pause =
          may_resume(ended.error().code) || (may_ask_again && is_of_wish(ended.error()));
      progress_.state = pause ? catalog::JobState::kPaused : catalog::JobState::kFailed;
      progress_.error = error_text(ended.error());
      progress_.result = json::serialize(json::object{{"code", code_name(ended.error().code)}});
      if (const auto saved = save(); !saved) log_error(saved.error().message);
      return ended;
    }
    progress_.state = catalog::JobState::kDone;
    progress_.step = "done";
    progress_.progress_bytes = progress_.total_bytes;
    result["seconds"] = seconds();
    result["verified"] = true;
    result["key_bytes"] = key_spent();
    stream.describe(result);
    progress_.result = json::serialize(result);
    TRY(desk_.site_.log.append("restored",
                               {{"object", job_.object->text()}, {"job", job_.job.text()}}));
    return save();
  }

  RestoreStream stream;
  json::object result;         // of the job; `bytes` at least
  bool may_ask_again = false;  // for something else, under the same use

 private:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(desk_.site_.system.clock.monotonic() - started_).count();
  }
  // By the ledger: data and tags over every link, in all attempts.
  [[nodiscard]] std::uint64_t key_spent() const {
    std::uint64_t bytes = 0;
    if (const auto uses = desk_.catalog_.link_use_of_job(job_.job)) {
      for (const catalog::LinkUse& use : *uses) bytes += use.key_bytes;
    }
    return bytes;
  }
  Result<> save() {
    progress_.updated = desk_.site_.system.clock.now();
    return desk_.catalog_.update_job(job_.job, progress_);
  }

  RestoreDesk& desk_;
  const catalog::Job& job_;
  std::uint64_t from_;
  std::chrono::nanoseconds started_;
  std::chrono::nanoseconds saved_;
  catalog::JobProgress progress_;
};

Result<RestoreDesk::Plan> RestoreDesk::plan_of(const RestoreWish& wish,
                                               const catalog::Grant& record) const {
  TRY_ASSIGN(const catalog::Object object, catalog_.object(wish.object));
  Plan plan{.presented = wish.scope, .wanted = wish.scope, .format = wish.format};
  plan.total_bytes = object.length - lead_bytes(object);
  const bool has_index = object.lead_chunks > 0;
  if (wish.scope.is_whole() && (wish.sites == 0 || has_index)) return plan;
  TRY_ASSIGN(const consent::Grant grant, consent::parse_opened(record.grant_bytes, record.opening));
  if (wish.scope.is_index()) {
    plan.total_bytes = consent::chunk_count(wish.scope.chunks) * limits::kChunkBytes;
    return plan;
  }
  if (grant.scope.is_whole()) {  // the index is read under the same consent
    plan.presented = {};
    if (has_index) return plan;
    return fail(Code::kInvalidArgument, "object " + wish.object.text() +
                                            " was stored without an index (object store "
                                            "--genome): regions of it cannot be found");
  }
  if (!consent::covers(grant.scope, wish.scope)) {
    return fail(Code::kRefused,
                "consent " + record.grant.text() + " is for " + consent::scope_text(grant.scope) +
                    ", asked for are " + consent::scope_text(wish.scope),
                Reason::kOtherScope);
  }
  if (record.sealed_secret.empty()) {
    return fail(
        Code::kRefused,
        "consent " + record.grant.text() + " is " + std::string(catalog::state_name(record.state)),
        catalog::reason_of(record.state));
  }
  TRY_ASSIGN(const ObjectSecrets secrets,
             open_object_secrets(site_.keys.root_key().bytes(), record.sealed_secret));
  TRY_ASSIGN(plan.cuts, decode_cuts(secrets.cuts));
  const RegionCut* cut = plan.cuts->find(wish.scope);
  if (cut == nullptr) return fail(Code::kCorrupt, "a consent to regions has lost its chunks");
  TRY(output_for(wish.format, plan.cuts->kind));
  if (grant.scope.veil) plan.presented = consent::closed(grant.scope);
  plan.presented.chunks = cut->scope.chunks;
  plan.total_bytes = consent::chunk_count(cut->scope.chunks) * limits::kChunkBytes;
  return plan;
}

Result<JobId> RestoreDesk::begin(const RestoreWish& wish) {
  TRY_ASSIGN(const catalog::Object object, catalog_.object(wish.object));
  TRY_ASSIGN(const catalog::Grant grant, catalog_.grant(wish.grant));
  const auto terms = consent::parse_grant(grant.grant_bytes);
  if (!terms) {
    return fail(Code::kRefused, "consent " + wish.grant.text() + ": " + terms.error().message,
                terms.error().reason);
  }
  if (!wish.using_letters.empty()) TRY(planner::parse_letters(wish.using_letters));
  if (!wish.gather.empty()) TRY(SiteName::parse(wish.gather));
  if (!wish.purpose.empty()) TRY(consent::parse_purpose(wish.purpose));
  if (const std::string flaw = consent::flaw_of(wish.grantee); !flaw.empty()) {
    return fail(Code::kInvalidArgument, "who restores must be named: " + flaw);
  }
  if (wish.format.size() > kMostFormat) return fail(Code::kInvalidArgument, "no such format");
  TRY_ASSIGN(const Plan reading, plan_of(wish, grant));
  const JobId job = os::random_id<JobId>(site_.system.random);
  TRY(note_asked(job, wish));
  const os::UnixMs now = site_.system.clock.now();
  TRY(audit::note_job(site_.log, job.text(), wish.object.text()));
  const std::lock_guard lock(begin_);
  TRY_ASSIGN(const std::uint16_t use, next_use(catalog_, wish.object, wish.grant, *terms));
  TRY(catalog_.start_job({.job = {.job = job,
                                  .kind = catalog::JobKind::kRestore,
                                  .state = catalog::JobState::kRunning,
                                  .step = "open",
                                  .object = wish.object,
                                  .person_id = object.person_id,
                                  .plan = json::serialize(plan_json(wish, reading.presented, use)),
                                  .total_bytes = reading.total_bytes,
                                  .created = now,
                                  .updated = now}}));
  return job;
}

Result<> RestoreDesk::note_asked(const JobId& job, const RestoreWish& wish) {
  return site_.log.append(
      "restore_asked",
      {{"job", job.text()},
       {"object", wish.object.text()},
       {"grant", wish.grant.text()},
       {"grantee", consent::grantee_words(wish.grantee, consent::Locale::kEnglish)},
       {"stated_use", consent::statements_text(wish.stated)},
       {"scope", consent::scope_text(wish.scope)},
       {"sites", std::to_string(wish.sites)}});
}

Result<std::optional<JobId>> RestoreDesk::go_on(const RestoreWish& wish) {
  TRY_ASSIGN(const catalog::Grant grant, catalog_.grant(wish.grant));
  TRY_ASSIGN(const Plan reading, plan_of(wish, grant));
  json::object plan = plan_json(wish, reading.presented);
  TRY_ASSIGN(const auto paused, catalog_.list_jobs({.kind = catalog::JobKind::kRestore,
                                                    .state = catalog::JobState::kPaused,
                                                    .object = wish.object,
                                                    .person_id = {}},
                                                   {.count = catalog::kMaxPageRows}));
  const auto found = std::ranges::find_if(paused, [&](const catalog::Job& job) {
    const std::lock_guard lock(mutex_);
    return !running_.contains(job.job) && serves(job.plan, plan, reading.presented);
  });
  if (found == paused.end()) return std::optional<JobId>();
  TRY(note_asked(found->job, wish));
  if (const auto taken = taken_by(*found)) plan["use"] = std::to_string(taken->use);
  TRY(catalog_.set_job_plan(found->job, json::serialize(plan)));
  return std::optional(found->job);
}

Result<std::optional<RegionReading>> RestoreDesk::reading_of(const RestoreWish& wish) {
  TRY_ASSIGN(const catalog::Grant grant, catalog_.grant(wish.grant));
  TRY_ASSIGN(const Plan plan, plan_of(wish, grant));
  if (!plan.cuts) return std::optional<RegionReading>();
  return std::optional(RegionReading{plan.cuts->kind, plan.cuts->find(wish.scope)->cut.bytes()});
}

Result<std::uint64_t> RestoreDesk::length(const JobId& job) {
  TRY_ASSIGN(const catalog::Job record, catalog_.job(job));
  if (record.kind != catalog::JobKind::kRestore) {
    return fail(Code::kInvalidArgument, "job " + job.text() + " is not a restore");
  }
  return record.total_bytes;
}

Result<catalog::Job> RestoreDesk::resumable(const JobId& id) {
  TRY_ASSIGN(catalog::Job job, catalog_.job(id));
  if (job.kind == catalog::JobKind::kRestore && !catalog::is_finished(job.state)) return job;
  return fail(Code::kInvalidArgument, "job " + id.text() + " is not a restore that can go on");
}

Result<> RestoreDesk::attempt(const catalog::Job& job, std::uint64_t from, const Reading& reading) {
  const Running running(*this, job.job);
  if (!running.is_first()) {
    return fail(Code::kBusy, "job " + job.job.text() + " is streaming to another reader");
  }
  Run run(*this, job, from);
  Result<> ended = run.stream.open(job);
  if (ended) ended = reading(run);
  return run.finish(ended);
}

Result<> RestoreDesk::stream(const JobId& id, std::uint64_t from, const PlainSink& sink,
                             const ReadingCheck& check) {
  TRY_ASSIGN(const catalog::Job job, resumable(id));
  TRY_ASSIGN(const RestoreWish wish, wish_of(job));
  if (wish.sites > 0) {
    return fail(Code::kInvalidArgument, "job " + id.text() + " gives no bytes of the data");
  }
  if (wish.scope.is_whole()) {
    return attempt(job, from, [&](Run& run) { return read_whole(run, from, sink); });
  }
  if (from != 0) return fail(Code::kInvalidArgument, "regions are restored from their beginning");
  TRY_ASSIGN(const catalog::Grant grant, catalog_.grant(wish.grant));
  TRY_ASSIGN(const Plan plan, plan_of(wish, grant));
  return attempt(job, 0, [&](Run& run) { return read_regions(run, plan, sink, check); });
}

// The lead is read too, as the tag over all tags binds it, but not given.
Result<> RestoreDesk::read_whole(Run& run, std::uint64_t from, const PlainSink& sink) {
  const std::uint64_t lead = lead_bytes(run.stream.object());
  TRY_ASSIGN(const std::uint64_t place, place_in_object(run.stream.object(), from));
  std::uint64_t skip = from == 0 ? lead : 0;
  run.result["bytes"] = run.stream.object().length - lead;
  return run.stream.run(place, [&](ByteView plain) -> Result<> {
    const std::size_t part = std::min<std::uint64_t>(skip, plain.size());
    skip -= part;
    if (part == plain.size()) return {};
    TRY(sink(plain.subspan(part)));
    return run.done(plain.size() - part);
  });
}

// Before a use is taken for it.
Result<> RestoreDesk::room_for_index(std::uint64_t bytes) const {
  if (secret::can_lock(bytes)) return {};
  return fail(Code::kNoSpace, "the index of the genome needs " + human_bytes(bytes) +
                                  " of locked memory, which site " + site_.config.name.text() +
                                  " cannot have: raise the locked-memory limit (ulimit -l, "
                                  "LimitMEMLOCK)");
}

Result<genome::Lead> RestoreDesk::read_lead(Run& run) {
  TRY(room_for_index(lead_bytes(run.stream.object())));
  secret::Buffer bytes(lead_bytes(run.stream.object()));
  TRY(run.stream.run_chunks({{0, run.stream.object().lead_chunks}},
                            [&](std::uint64_t chunk, ByteView plain) -> Result<> {
                              copy_bytes(bytes.bytes().subspan(chunk * limits::kChunkBytes), plain);
                              return {};
                            }));
  return genome::parse_lead(bytes.bytes());
}

std::string RestoreDesk::reference_of(const std::string& assembly) const {
  const auto found = site_.config.reference_files.find(assembly);
  return found == site_.config.reference_files.end() ? std::string() : found->second;
}

Result<> RestoreDesk::with_window(Run& run, const RegionCuts& cuts, const RegionCut& one,
                                  const WindowUse& use) {
  ChunkWindow window(
      [&](const ChunkSink& chunks) {
        return run.stream.run_chunks(one.scope.chunks,
                                     [&](std::uint64_t chunk, ByteView plain) -> Result<> {
                                       TRY(chunks(chunk, plain));
                                       return run.done(plain.size());
                                     });
      },
      cuts.lead_chunks, cuts.head);
  genome::Task task;
  task.name = run.stream.object().label;
  task.reference = reference_of(one.scope.assembly);
  TRY(use(window, task));
  run.result["chunks"] = consent::chunk_count(one.scope.chunks);
  run.result["chunks_of_object"] = run.stream.object().chunk_count;
  return {};
}

Result<> RestoreDesk::read_regions(Run& run, const Plan& plan, const PlainSink& sink,
                                   const ReadingCheck& check) {
  std::optional<RegionCuts> cuts = plan.cuts;
  if (!cuts) {
    TRY_ASSIGN(const genome::Lead lead, read_lead(run));
    TRY_ASSIGN(cuts, find_cuts(lead, plan.wanted));
    if (check) TRY(check({cuts->kind, cuts->find(plan.wanted)->cut.bytes()}));
  }
  const RegionCut& one = *cuts->find(plan.wanted);
  TRY_ASSIGN(const genome::Output output, output_for(plan.format, cuts->kind));
  TRY(with_window(run, *cuts, one, [&](ChunkWindow& window, const genome::Task& task) -> Result<> {
    std::uint64_t given = 0;
    TRY_ASSIGN(const genome::TrimReport trimmed, trim({.cut = one.cut,
                                                       .regions = plan.wanted,
                                                       .reference = task.reference,
                                                       .output = output,
                                                       .name = task.name},
                                                      window, [&](ByteView bytes) -> Result<> {
                                                        given += bytes.size();
                                                        return sink(bytes);
                                                      }));
    run.result["bytes"] = given;
    run.result["format"] = genome::output_name(output);
    run.result["records"] = trimmed.records_written;
    run.result["records_read"] = trimmed.records_read;
    return {};
  }));
  run.result["regions"] = texts_of(plan.wanted);
  run.result["chunk_ranges"] = consent::chunks_text(one.scope.chunks);
  return {};
}

Result<std::vector<genome::SitePileup>> RestoreDesk::read_sites(const JobId& id,
                                                                const SiteReading& reading) {
  // What is fetched may take as long as its key does; fetching has deadlines of its own.
  const genome::RunOptions options{.patience = std::chrono::hours(1)};
  TRY_ASSIGN(const catalog::Job job, resumable(id));
  TRY_ASSIGN(const RestoreWish wish, wish_of(job));
  if (wish.sites == 0) return fail(Code::kInvalidArgument, "the restore is not of single sites");
  TRY_ASSIGN(const catalog::Grant grant, catalog_.grant(wish.grant));
  TRY_ASSIGN(const Plan plan, plan_of(wish, grant));
  std::vector<genome::SitePileup> pileups;
  TRY(attempt(job, 0, [&](Run& run) -> Result<> {
    run.may_ask_again = true;
    std::optional<RegionCuts> cuts = plan.cuts;
    if (!cuts) {
      TRY_ASSIGN(const genome::Lead lead, read_lead(run));
      TRY_ASSIGN(cuts, find_places(lead, reading.places));
    }
    const RegionCut& one = cuts->cuts.front();
    run.expect(consent::chunk_count(one.scope.chunks) * limits::kChunkBytes);
    run.result["sites"] = reading.task.sites.size();
    return with_window(run, *cuts, one, [&](ChunkWindow& window, genome::Task task) -> Result<> {
      task.operation = genome::Operation::kPileup;
      task.sites = reading.task.sites;
      task.least_mapping_quality = reading.task.least_mapping_quality;
      task.least_base_quality = reading.task.least_base_quality;
      const auto read = [&](std::uint64_t at, MutableBytes out) { return window.read(at, out); };
      TRY_ASSIGN(pileups, genome::pileup_cut(one.cut, read, task, options));
      return window.finish();
    });
  }));
  return pileups;
}

Result<secret::Buffer> RestoreDesk::read_index(const JobId& id) {
  TRY_ASSIGN(const catalog::Job job, resumable(id));
  TRY_ASSIGN(const RestoreWish wish, wish_of(job));
  const consent::Scope& scope = wish.scope;
  if (!scope.is_index()) return fail(Code::kInvalidArgument, "the restore is not of an index");
  TRY(room_for_index(consent::chunk_count(scope.chunks) * limits::kChunkBytes));
  secret::Buffer bytes(consent::chunk_count(scope.chunks) * limits::kChunkBytes);
  std::size_t filled = 0;
  TRY(attempt(job, 0, [&](Run& run) -> Result<> {
    TRY(run.stream.run_chunks(scope.chunks, [&](std::uint64_t, ByteView plain) -> Result<> {
      copy_bytes(bytes.bytes().subspan(filled), plain);
      filled += plain.size();
      return run.done(plain.size());
    }));
    run.result["bytes"] = filled;
    run.result["chunks"] = consent::chunk_count(scope.chunks);
    return {};
  }));
  bytes.shrink(filled);
  return bytes;
}

Result<std::uint64_t> RestoreDesk::key_bytes(const JobId& id, const consent::ChunkRanges& chunks) {
  TRY_ASSIGN(const catalog::Job job, catalog_.job(id));
  RestoreStream stream(site_, own_, catalog_);
  TRY(stream.open(job));
  return stream.key_bytes(chunks);
}

}  // namespace warifu::control
