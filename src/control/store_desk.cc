// Uploads into staging.
#include "control/store_desk.h"

#include <algorithm>

#include "audit/actor.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/units.h"
#include "control/plan_json.h"
#include "control/store_job.h"
#include "planner/policy_check.h"

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

std::optional<LackingReference> lacking_reference_of(const SiteContext& site,
                                                     const StagedObject& staged) {
  auto found = find_lacking_reference(
      site.system, staging_path(site.config, staged.job), staged.key, ByteCount{staged.length},
      staged.lead_chunks,
      {.name = site.config.name.text(), .reference_files = site.config.reference_files});
  if (found) return std::move(*found);
  log_warning("whether '" + staged.label +
              "' needs a reference is not known: " + found.error().message);
  return std::nullopt;
}

Result<StoreTicket> start_store(JobEngine& engine, const StagedObject& staged) {
  SiteContext& site = engine.site();
  StoreTicket ticket{.object = os::random_id<ObjectId>(site.system.random),
                     .job = staged.job,
                     .warnings = {},
                     .lacking = lacking_reference_of(site, staged)};
  if (ticket.lacking) ticket.warnings.push_back(ticket.lacking->text());
  ObjectSecrets secrets{.staging_key = secret::Buffer::copy_of(staged.key),
                        .hash_key = secret::Buffer(mac::kBlockBytes)};
  site.system.random.fill(secrets.hash_key.bytes());
  const ObjectId object = ticket.object;
  const os::UnixMs now = site.system.clock.now();
  const ByteCount length{staged.length};
  catalog::NewJob job{
      .job = {.job = staged.job,
              .kind = catalog::JobKind::kStore,
              .state = catalog::JobState::kRunning,
              .step = "plan",
              .object = object,
              .person_id = staged.person,
              .created = now,
              .updated = now,
              .sealed_secret =
                  seal_object_secrets(site.keys.root_key().bytes(), site.system.random, secrets),
              .priority = staged.priority},
      .object = catalog::Object{.object = object,
                                .person_id = staged.person,
                                .label = staged.label,
                                .length = length.value,
                                .chunk_count = sharing::Chunking{length}.chunk_count(),
                                .policy = staged.policy,
                                .generation = 1,
                                .created = now,
                                .input = staged.label,
                                .lead_chunks = staged.lead_chunks}};
  TRY(audit::note_job(site.log, staged.job.text(), object.text()));
  TRY(engine.catalog().start_job(job));
  engine.start(staged.job, catalog::JobKind::kStore);
  return ticket;
}

Result<StoreTicket> Upload::finish() {
  TRY_ASSIGN(const ByteCount length, writer_->finish());
  if (length.value == 0) {
    return fail(Code::kInvalidArgument, "the file is empty: there is nothing to store");
  }
  if (lead_chunks_ >= sharing::Chunking{length}.chunk_count()) {
    return fail(Code::kInvalidArgument, "a lead of " + std::to_string(lead_chunks_) +
                                            " chunks has no file behind it in " +
                                            std::to_string(length.value) + " bytes");
  }
  TRY_ASSIGN(StoreTicket ticket, start_store(*engine_, {.job = job_,
                                                        .person = person_.person_id,
                                                        .label = label_,
                                                        .policy = policy_,
                                                        .priority = priority_,
                                                        .length = length.value,
                                                        .lead_chunks = lead_chunks_,
                                                        .key = staging_key_.bytes()}));
  writer_.reset();
  ticket.warnings.insert(ticket.warnings.begin(), warnings_.begin(), warnings_.end());
  return ticket;
}

Result<Admission> StoreDesk::admit(const std::string& person_id, const std::string& label,
                                   std::uint64_t length, const std::string& wished) {
  SiteContext& site = engine_.site();
  TRY_ASSIGN(catalog::Person person, engine_.catalog().person(person_id));
  TRY_ASSIGN(const auto pseudonyms, engine_.catalog().pseudonyms(person_id));
  if (pseudonyms.size() < site.config.sites.size()) {
    return fail(
        Code::kRefused,
        "the enrolment of '" + person_id + "' is incomplete; enrol the person again under a new id",
        Reason::kEnrolmentHalf);
  }
  TRY_ASSIGN(const planner::PolicyNode policy,
             planner::parse_policy(wished.empty() ? site.config.policy : wished));
  // Told before the upload; the job plans again with the key and the sites that are there then.
  TRY_ASSIGN(const planner::PolicyReport report, planner::check_policy(policy, site.config));
  TRY_ASSIGN(const std::uint64_t space, site.system.files.free_bytes(site.config.data_dir));
  if (space / 2 < length) {
    return fail(Code::kNoSpace, site.config.name.text() + " has " + human_bytes(space) +
                                    " free in '" + site.config.data_dir + "', needs " +
                                    human_bytes(2 * length) +
                                    " for the staged copy and its own share");
  }
  const std::string shown = label.empty() ? "unnamed" : label.substr(0, catalog::kMaxNameBytes);
  return Admission{std::move(person), shown, policy.text(), report.warnings};
}

Result<Upload> StoreDesk::begin(const std::string& person_id, const std::string& label,
                                std::uint64_t length, const std::string& wished) {
  SiteContext& site = engine_.site();
  TRY_ASSIGN(Admission admitted, admit(person_id, label, length, wished));
  Upload upload(engine_, std::move(admitted.person), admitted.label, admitted.policy);
  upload.warnings_ = std::move(admitted.warnings);
  TRY_ASSIGN(StagingWriter writer,
             StagingWriter::create(site.system, staging_path(site.config, upload.job_),
                                   upload.staging_key_.bytes()));
  upload.writer_ = std::make_unique<StagingWriter>(std::move(writer));
  return upload;
}

Result<boost::json::object> StoreDesk::advise(std::uint64_t length, const std::string& wished) {
  SiteContext& site = engine_.site();
  if (length == 0) return fail(Code::kInvalidArgument, "a plan is for at least one byte");
  TRY_ASSIGN(const planner::PolicyNode policy,
             planner::parse_policy(wished.empty() ? site.config.policy : wished));
  TRY(planner::check_policy(policy, site.config));
  const NetworkView view = look_at_network(site, engine_.own());
  const auto advice = planner::advise_placement(policy, view.snapshot,
                                                sharing::RecordLayout(sharing::Chunking{{length}}));
  if (!advice) {
    std::string text = advice.error().message;
    for (const auto& [missing, why] : view.missing) text += "; " + why.message;
    return fail(advice.error().code, text, advice.error().reason);
  }
  boost::json::object object = advice_json(*advice, policy, view);
  object["policy"] = policy.text();
  object["bytes"] = length;
  return object;
}

}  // namespace warifu::control
