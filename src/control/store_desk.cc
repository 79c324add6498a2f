// Uploads into staging.
#include "control/store_desk.h"

#include <algorithm>

#include "audit/actor.h"
#include "base/log.h"
#include "base/units.h"
#include "control/plan_json.h"
#include "control/policy_check.h"
#include "control/store_job.h"

namespace warifu::control {

Upload::Upload(JobEngine& engine, catalog::Person person, std::string label, std::string policy)
    : engine_(&engine),
      person_(std::move(person)),
      label_(std::move(label)),
      policy_(std::move(policy)),
      job_(os::random_id<JobId>(engine.site().system.random)),
      staging_key_(kStagingKeyBytes) {
  engine.site().system.random.fill(staging_key_.bytes());
}

Upload::~Upload() {
  if (writer_ == nullptr) return;
  writer_.reset();
  const auto erased =
      erase_staging(engine_->site().system, staging_path(engine_->site().config, job_));
  if (!erased) log_warning(erased.error().message);
}

Result<StoreTicket> Upload::finish() {
  SiteContext& site = engine_->site();
  TRY_ASSIGN(const ByteCount length, writer_->finish());
  if (length.value == 0) {
    return fail(Code::kInvalidArgument, "the file is empty: there is nothing to store");
  }
  ObjectSecrets secrets{.staging_key = secret::Buffer::copy_of(staging_key_.bytes()),
                        .hash_key = secret::Buffer(mac::kBlockBytes)};
  site.system.random.fill(secrets.hash_key.bytes());
  const ObjectId object = os::random_id<ObjectId>(site.system.random);
  const os::UnixMs now = site.system.clock.now();
  catalog::NewJob job{
      .job = {.job = job_,
              .kind = catalog::JobKind::kStore,
              .state = catalog::JobState::kRunning,
              .step = "plan",
              .object = object,
              .person_id = person_.person_id,
              .created = now,
              .updated = now,
              .sealed_secret =
                  seal_object_secrets(site.keys.root_key().bytes(), site.system.random, secrets),
              .priority = priority_},
      .object = catalog::Object{.object = object,
                                .person_id = person_.person_id,
                                .label = label_,
                                .length = length.value,
                                .chunk_count = sharing::Chunking{length}.chunk_count(),
                                .policy = policy_,
                                .generation = 1,
                                .created = now,
                                .input = label_,
                                .lead_chunks = lead_chunks_}};
  TRY(audit::note_job(site.log, job_.text(), object.text()));
  TRY(engine_->catalog().start_job(job));
  writer_.reset();  // the staged file is the job's from here on
  engine_->start(job_, catalog::JobKind::kStore);
  return StoreTicket{object, job_, warnings_};
}

Result<Upload> StoreDesk::begin(const std::string& person_id, const std::string& label,
                                std::uint64_t length, const std::string& wished) {
  SiteContext& site = engine_.site();
  TRY_ASSIGN(catalog::Person person, engine_.catalog().person(person_id));
  TRY_ASSIGN(const auto pseudonyms, engine_.catalog().pseudonyms(person_id));
  if (pseudonyms.size() < site.config.sites.size()) {
    return fail(Code::kRefused, "the enrolment of '" + person_id +
                                    "' is incomplete; enrol the person again under a new id");
  }
  TRY_ASSIGN(const PolicyNode policy, parse_policy(wished.empty() ? site.config.policy : wished));
  // Told before the upload; the job plans again with the key and the sites that are there then.
  TRY_ASSIGN(const PolicyReport report, check_policy(policy, site.config));
  TRY_ASSIGN(const std::uint64_t space, site.system.files.free_bytes(site.config.data_dir));
  if (space / 2 < length) {
    return fail(Code::kNoSpace, site.config.name.text() + " has " + human_bytes(space) +
                                    " free in '" + site.config.data_dir + "', needs " +
                                    human_bytes(2 * length) +
                                    " for the staged copy and its own share");
  }
  const std::string shown = label.empty() ? "unnamed" : label.substr(0, catalog::kMaxNameBytes);
  Upload upload(engine_, std::move(person), shown, policy.text());
  upload.warnings_ = report.warnings;
  TRY_ASSIGN(StagingWriter writer,
             StagingWriter::create(site.system, staging_path(site.config, upload.job_),
                                   upload.staging_key_.bytes()));
  upload.writer_ = std::make_unique<StagingWriter>(std::move(writer));
  return upload;
}

Result<boost::json::object> StoreDesk::advise(std::uint64_t length, const std::string& wished) {
  SiteContext& site = engine_.site();
  if (length == 0) return fail(Code::kInvalidArgument, "a plan is for at least one byte");
  TRY_ASSIGN(const PolicyNode policy, parse_policy(wished.empty() ? site.config.policy : wished));
  TRY(check_policy(policy, site.config));
  const NetworkView view = look_at_network(site, engine_.own());
  const auto advice =
      advise_placement(policy, view.snapshot, sharing::RecordLayout(sharing::Chunking{{length}}));
  if (!advice) {
    std::string text = advice.error().message;
    for (const auto& [missing, why] : view.missing) text += "; " + why;
    return fail(advice.error().code, text);
  }
  boost::json::object object = advice_json(*advice, policy, view);
  object["policy"] = policy.text();
  object["bytes"] = length;
  return object;
}

}  // namespace warifu::control
