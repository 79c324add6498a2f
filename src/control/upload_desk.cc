// Open uploads by their ids.
#include "control/upload_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/log.h"
#include "base/reason.h"
#include "base/units.h"
#include "control/store_job.h"
#include "os/folders.h"
#include "planner/policy_check.h"

namespace warifu::control {
namespace {

constexpr std::chrono::minutes kTouchEvery{10};  // on disk, at most so often
constexpr std::int64_t kTouchesInKeep = 8;

std::int64_t milliseconds(auto duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::unexpected<Error> unknown(const JobId& id) {
  return fail(Code::kNotFound, "upload " + id.text() + " is not open; begin it again",
              Reason::kUploadGone);
}

// `kept` has all, and outlives it.
StagedObject staged_object(const KeptUpload& kept) {
  const UploadFacts& facts = kept.facts();
  return {.job = facts.id,
          .person = facts.person,
          .label = facts.label,
          .policy = facts.policy,
          .priority = facts.priority,
          .length = kept.object_bytes(),
          .lead_chunks = facts.lead_chunks,
          .key = kept.key()};
}

std::unexpected<Error> stands_at(std::uint64_t received) {
  return fail(Code::kAlreadyExists,
              "the upload stands at byte " + std::to_string(received) + ": go on from there");
}

}  // namespace

UploadDesk::UploadDesk(StoreDesk& store, SiteContext& site, catalog::Catalog& catalog)
    : store_(store),
      site_(site),
      home_{.system = site.system,
            .folder = os::parent_of(staging_path(site.config, JobId{})),
            .root_key = site.keys.root_key().bytes()},
      started_(site.system.clock.now()) {
  take_up(catalog);
}

void UploadDesk::take_up(catalog::Catalog& catalog) {
  const auto names = site_.system.files.list(home_.folder);
  if (!names) return;  // nothing was ever staged
  const std::size_t id_length = JobId{}.text().size();
  std::set<JobId> seen;
  for (const std::string& name : *names) {
    const auto id = JobId::parse(name.substr(0, id_length));
    if (!id || !seen.insert(*id).second) continue;
    const auto job = catalog.job(*id);
    if (job) {
      // finish() was cut off behind the job's record, or the job is still at work with the files.
      const auto forgotten = KeptUpload::forget_record(site_.system, home_.folder, *id);
      if (!forgotten) log_warning(forgotten.error().message);
      continue;
    }
    if (job.error().code != Code::kNotFound) continue;
    auto kept = KeptUpload::load(home_, *id);
    if (kept) {
      Open open{.kept = std::make_shared<KeptUpload>(std::move(*kept)),
                .state = {},
                .lead = {},
                .preparing = {},
                .saved = {}};
      open.saved = open.kept->facts().touched;
      note(open);
      open_[*id] = std::move(open);
      continue;
    }
    if (kept.error().code != Code::kNotFound) log_warning(kept.error().message);
    // Of what cannot be read just now nothing is thrown away.
    if (kept.error().code != Code::kNotFound && kept.error().code != Code::kCorrupt) continue;
    const auto erased = KeptUpload::erase_traces(site_.system, home_.folder, *id);
    if (!erased) log_warning(erased.error().message);
  }
}

void UploadDesk::note(Open& open) const {
  const KeptUpload& kept = *open.kept;
  open.state.facts = kept.facts();
  open.state.received = kept.received();
  const bool waits_for_index =
      kept.facts().index == IndexFrom::kSender && kept.facts().lead_chunks == 0;
  if (waits_for_index) {
    open.state.wants = open.lead ? UploadWants::kEnds : UploadWants::kIndex;
  } else if (!kept.has_all()) {
    open.state.wants = UploadWants::kPieces;
  } else {
    open.state.wants = kept.is_ready() ? UploadWants::kFinish : UploadWants::kPrepare;
  }
  open.state.head_bytes = open.lead ? open.lead->head_bytes() : 0;
  open.state.tail_bytes = open.lead ? open.lead->tail_bytes() : 0;
  if (open.state.wants == UploadWants::kFinish && !open.compared) {
    open.compared = true;
    open.state.lacking = lacking_reference_of(site_, staged_object(kept));
  }
  std::array<Byte, 4> first{};
  if (open.looked || kept.received() < first.size() || !kept.read(0, first)) return;
  open.looked = true;
  open.state.is_cram = as_text(first) == "CRAM";
}

UploadState UploadDesk::state_of(const Open& open) const {
  UploadState state = open.state;
  state.until = deadline_of(open);
  if (open.preparing) state.preparing = open.preparing->shown;
  return state;
}

os::UnixMs UploadDesk::deadline_of(const Open& open) const {
  const std::int64_t keep = milliseconds(site_.config.upload_keep);
  const std::int64_t grace = std::min(keep, milliseconds(kUploadGrace));
  return {std::max(open.state.facts.touched.value + keep, started_.value + grace)};
}

void UploadDesk::touch(Open& open) {
  const os::UnixMs now = site_.system.clock.now();
  const std::int64_t every =
      std::min(milliseconds(kTouchEvery), milliseconds(site_.config.upload_keep) / kTouchesInKeep);
  const bool save = now.value - open.saved.value >= every;
  const auto touched = open.kept->touch(now, save);
  if (!touched) log_warning(touched.error().message);
  if (save) open.saved = now;
  open.state.facts.touched = now;
}

void UploadDesk::erase(std::map<JobId, Open>::iterator it) {
  const auto erased = it->second.kept->erase();
  if (!erased) log_warning(erased.error().message);
  open_.erase(it);
}

void UploadDesk::sweep() {
  const os::UnixMs now = site_.system.clock.now();
  for (auto it = open_.begin(); it != open_.end();) {
    const auto here = it++;
    if (here->second.busy || now < deadline_of(here->second)) continue;
    log_info("upload " + here->first.text() + " is erased: nobody went on with it");
    erase(here);
  }
}

Result<UploadState> UploadDesk::begin(const UploadWish& wish) {
  if (wish.length == 0) {
    return fail(Code::kInvalidArgument, "the file is empty: there is nothing to store");
  }
  if (wish.mark.size() > kMostUploadMark) {
    return fail(Code::kInvalidArgument,
                fmt::format("'mark' has at most {} bytes", kMostUploadMark));
  }
  TRY_ASSIGN(const Admission admitted,
             store_.admit(wish.person, wish.label, wish.length, wish.policy));
  const std::lock_guard lock(mutex_);
  sweep();
  if (open_.size() >= kMostUploads) {
    return fail(Code::kBusy,
                std::to_string(kMostUploads) + " uploads are open, as many as there may be",
                Reason::kUploadsFull);
  }
  const os::UnixMs now = site_.system.clock.now();
  const UploadFacts facts{.id = os::random_id<JobId>(site_.system.random),
                          .person = admitted.person.person_id,
                          .label = admitted.label,
                          .policy = admitted.policy,
                          .mark = wish.mark,
                          .length = wish.length,
                          .priority = wish.priority,
                          .index = wish.index,
                          .assembly = wish.assembly,
                          .began = now,
                          .touched = now,
                          .about = {},
                          .prepared = {}};
  TRY_ASSIGN(KeptUpload kept, KeptUpload::create(home_, facts));
  Open open{.kept = std::make_shared<KeptUpload>(std::move(kept)),
            .state = {},
            .lead = {},
            .preparing = {},
            .saved = now};
  note(open);
  open_[facts.id] = std::move(open);
  return state_of(open_[facts.id]);
}

Result<UploadDesk::Open*> UploadDesk::find(const JobId& id) {
  sweep();
  const auto found = open_.find(id);
  if (found == open_.end()) return unknown(id);
  return &found->second;
}

Result<UploadDesk::Open*> UploadDesk::find_idle(const JobId& id) {
  TRY_ASSIGN(Open * open, find(id));
  if (!open->busy) return open;
  return fail(Code::kBusy,
              open->preparing ? "upload " + id.text() + " is being prepared"
                              : "a piece of upload " + id.text() + " is on its way already",
              open->preparing ? Reason::kPreparing : Reason::kNone);
}

Result<UploadState> UploadDesk::state(const JobId& id) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const Open* open, find(id));
  return state_of(*open);
}

std::vector<UploadState> UploadDesk::list(const std::string& person) {
  const std::lock_guard lock(mutex_);
  sweep();
  std::vector<UploadState> states;
  for (const auto& [id, open] : open_) {
    if (person.empty() || open.state.facts.person == person) states.push_back(state_of(open));
  }
  std::ranges::sort(
      states, {}, [](const UploadState& one) { return std::pair(one.facts.began, one.facts.id); });
  return states;
}

Result<UploadState> UploadDesk::put_index(const JobId& id, Bytes index) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Open * open, find_idle(id));
  if (open->state.wants != UploadWants::kIndex) {
    return fail(Code::kAlreadyExists, "upload " + id.text() + " waits for no index");
  }
  const UploadFacts& facts = open->kept->facts();
  TRY_ASSIGN(open->lead, genome::LeadMaker::open(std::move(index), facts.length, facts.label));
  note(*open);
  touch(*open);
  return state_of(*open);
}

Result<UploadState> UploadDesk::put_ends(const JobId& id, ByteView ends) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Open * open, find_idle(id));
  if (open->state.wants == UploadWants::kIndex) {
    return fail(Code::kInvalidArgument, "upload " + id.text() + " waits for its index first");
  }
  if (open->state.wants != UploadWants::kEnds) {
    return fail(Code::kAlreadyExists, "upload " + id.text() + " has its ends");
  }
  const genome::LeadMaker& maker = *open->lead;
  if (ends.size() != maker.head_bytes() + maker.tail_bytes()) {
    return fail(Code::kInvalidArgument,
                fmt::format("{} bytes of the file's start and {} of its end are needed, not {}",
                            maker.head_bytes(), maker.tail_bytes(), ends.size()));
  }
  TRY_ASSIGN(const genome::MadeLead made,
             maker.make(ends.first(maker.head_bytes()), ends.last(maker.tail_bytes()),
                        open->kept->facts().assembly));
  TRY(open->kept->set_lead(made.bytes, made.chunks, made.about));
  open->lead.reset();
  note(*open);
  touch(*open);
  return state_of(*open);
}

Result<UploadState> UploadDesk::append(const JobId& id, std::uint64_t from, const Source& source) {
  std::shared_ptr<KeptUpload> kept;
  {
    const std::lock_guard lock(mutex_);
    TRY_ASSIGN(Open * open, find_idle(id));
    if (open->state.wants == UploadWants::kIndex || open->state.wants == UploadWants::kEnds) {
      return fail(Code::kInvalidArgument,
                  "upload " + id.text() + " waits for its " +
                      (open->state.wants == UploadWants::kIndex ? "index" : "ends") + " first");
    }
    if (from != open->state.received) return stands_at(open->state.received);
    open->busy = true;
    kept = open->kept;
  }
  const Result<> done = kept->has_all() ? Result<>() : kept->append(source);
  // There may be more behind the end, which is the sender's mistake.
  std::array<Byte, 1> more{};
  const Result<std::size_t> behind = done && kept->has_all() ? source(more) : 0;
  const std::lock_guard lock(mutex_);
  Open& open = open_.at(id);
  open.busy = false;
  note(open);
  touch(open);
  if (!done) return std::unexpected(done.error());
  if (behind && *behind > 0) {
    return fail(Code::kInvalidArgument, "the piece goes beyond the " +
                                            std::to_string(open.state.facts.length) +
                                            " bytes that were announced");
  }
  return state_of(open);
}

Result<StoreTicket> UploadDesk::ticket_of_job(const JobId& id) {
  const auto job = store_.engine().catalog().job(id);
  if (!job && job.error().code != Code::kNotFound) return std::unexpected(job.error());
  if (!job || job->kind != catalog::JobKind::kStore || !job->object) return unknown(id);
  TRY_ASSIGN(const catalog::Object object, store_.engine().catalog().object(*job->object));
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(object.policy));
  TRY_ASSIGN(const planner::PolicyReport report, planner::check_policy(policy, site_.config));
  return StoreTicket{
      .object = object.object, .job = id, .warnings = report.warnings, .lacking = {}};
}

Result<StoreTicket> UploadDesk::finish(const JobId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = find_idle(id);
  if (!found && found.error().code == Code::kNotFound) return ticket_of_job(id);
  if (!found) return std::unexpected(found.error());
  Open& open = **found;
  const KeptUpload& kept = *open.kept;
  if (!kept.has_all()) {
    return fail(Code::kInvalidArgument, "of " + std::to_string(kept.facts().length) + " bytes " +
                                            std::to_string(kept.received()) +
                                            " have come: send the rest first");
  }
  if (!kept.is_ready()) {
    return fail(Code::kInvalidArgument, "upload " + id.text() + " has no index yet");
  }
  TRY_ASSIGN(const StoreTicket begun, start_store(store_.engine(), staged_object(kept)));
  // Left behind by a crash here, it is removed at the next start: the catalog knows the job.
  const auto forgotten = KeptUpload::forget_record(site_.system, home_.folder, id);
  if (!forgotten) log_warning(forgotten.error().message);
  open_.erase(id);
  TRY_ASSIGN(StoreTicket ticket, ticket_of_job(id));
  ticket.warnings.insert(ticket.warnings.end(), begun.warnings.begin(), begun.warnings.end());
  ticket.lacking = begun.lacking;
  return ticket;
}

Result<> UploadDesk::cancel(const JobId& id) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Open * open, find(id));
  if (open->preparing) {
    open->preparing->stop = true;
    open->preparing->drop = true;
    return {};
  }
  TRY_ASSIGN(open, find_idle(id));
  TRY(open->kept->erase());
  open_.erase(id);
  return {};
}

}  // namespace warifu::control
