// Open uploads by their ids.
#include "control/upload_desk.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/units.h"
#include "control/store_job.h"
#include "os/folders.h"

namespace warifu::control {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

std::unexpected<Error> unknown(const UploadId& id) {
  return fail(Code::kNotFound, "upload " + id.text() + " is not open; begin it again");
}

std::unexpected<Error> stands_at(std::uint64_t received) {
  return fail(Code::kAlreadyExists,
              "the upload stands at byte " + std::to_string(received) + ": go on from there");
}

}  // namespace

UploadDesk::UploadDesk(StoreDesk& store, SiteContext& site, catalog::Catalog& catalog)
    : store_(store), clock_(site.system.clock), random_(site.system.random) {
  const std::string folder = os::parent_of(staging_path(site.config, JobId{}));
  const auto names = site.system.files.list(folder);
  if (!names) return;  // nothing was ever staged
  for (const std::string& name : *names) {
    const auto job = JobId::parse(name);
    if (!job) continue;
    const auto known = catalog.job(*job);
    if (known || known.error().code != Code::kNotFound) continue;
    const auto erased = erase_staging(site.system, staging_path(site.config, *job));
    if (!erased) log_warning(erased.error().message);
  }
}

void UploadDesk::forget_idle() {
  const auto now = clock_.monotonic();
  std::erase_if(open_, [&](const auto& entry) {
    return entry.second.upload != nullptr && now - entry.second.touched > kUploadIdle;
  });
}

Result<UploadState> UploadDesk::begin(const UploadWish& wish) {
  if (wish.length == 0) {
    return fail(Code::kInvalidArgument, "the file is empty: there is nothing to store");
  }
  {
    const std::lock_guard lock(mutex_);
    forget_idle();
    if (open_.size() >= kMostUploads) {
      return fail(Code::kBusy,
                  std::to_string(kMostUploads) + " uploads are open, as many as there may be");
    }
  }
  TRY_ASSIGN(Upload upload, store_.begin(wish.person, wish.label, wish.length, wish.policy));
  upload.set_priority(wish.priority);
  const UploadId id = os::random_id<UploadId>(random_);
  const std::lock_guard lock(mutex_);
  open_[id] = {.upload = std::make_unique<Upload>(std::move(upload)),
               .length = wish.length,
               .touched = clock_.monotonic(),
               .wants = wish.genome ? UploadWants::kIndex : UploadWants::kPieces,
               .label = wish.label,
               .assembly = wish.assembly,
               .about = {},
               .lead = {}};
  return state_of(id, open_[id]);
}

UploadState UploadDesk::state_of(const UploadId& id, const Open& open) {
  return {.upload = id,
          .received = open.received,
          .length = open.length,
          .wants = open.wants,
          .head_bytes = open.lead ? open.lead->head_bytes() : 0,
          .tail_bytes = open.lead ? open.lead->tail_bytes() : 0,
          .about = open.about};
}

Result<UploadDesk::Open*> UploadDesk::find(const UploadId& id) {
  forget_idle();
  const auto found = open_.find(id);
  if (found == open_.end()) return unknown(id);
  return &found->second;
}

Result<UploadState> UploadDesk::state(const UploadId& id) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const Open* open, find(id));
  return state_of(id, *open);
}

Result<std::unique_ptr<Upload>> UploadDesk::take(const UploadId& id, Open& open) {
  if (open.upload == nullptr) {
    return fail(Code::kBusy, "a piece of upload " + id.text() + " is on its way already");
  }
  return std::move(open.upload);
}

Result<UploadState> UploadDesk::put_index(const UploadId& id, Bytes index) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Open * open, find(id));
  if (open->wants != UploadWants::kIndex) {
    return fail(Code::kAlreadyExists, "upload " + id.text() + " waits for no index");
  }
  TRY_ASSIGN(open->lead, genome::LeadMaker::open(std::move(index), open->length, open->label));
  open->wants = UploadWants::kEnds;
  open->touched = clock_.monotonic();
  return state_of(id, *open);
}

Result<UploadState> UploadDesk::put_ends(const UploadId& id, ByteView ends) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Open * open, find(id));
  if (open->wants == UploadWants::kIndex) {
    return fail(Code::kInvalidArgument, "upload " + id.text() + " waits for its index first");
  }
  if (open->wants != UploadWants::kEnds) {
    return fail(Code::kAlreadyExists, "upload " + id.text() + " has its ends");
  }
  const genome::LeadMaker& maker = *open->lead;
  if (ends.size() != maker.head_bytes() + maker.tail_bytes()) {
    return fail(Code::kInvalidArgument,
                fmt::format("{} bytes of the file's start and {} of its end are needed, not {}",
                            maker.head_bytes(), maker.tail_bytes(), ends.size()));
  }
  TRY_ASSIGN(
      const genome::MadeLead made,
      maker.make(ends.first(maker.head_bytes()), ends.last(maker.tail_bytes()), open->assembly));
  if (const auto written = open->upload->append(made.bytes); !written) {
    open_.erase(id);  // it may stand there in part
    return std::unexpected(written.error());
  }
  open->upload->set_lead(made.chunks);
  open->about = made.about;
  open->wants = UploadWants::kPieces;
  open->lead.reset();
  open->touched = clock_.monotonic();
  return state_of(id, *open);
}

void UploadDesk::give_back(const UploadId& id, std::unique_ptr<Upload> upload,
                           std::uint64_t received) {
  const std::lock_guard lock(mutex_);
  Open& open = open_[id];
  open.upload = std::move(upload);
  open.received = received;
  open.touched = clock_.monotonic();
}

Result<UploadState> UploadDesk::append(const UploadId& id, std::uint64_t from,
                                       const Source& source) {
  std::unique_ptr<Upload> upload;
  UploadState state;
  {
    const std::lock_guard lock(mutex_);
    TRY_ASSIGN(Open * open, find(id));
    if (open->wants != UploadWants::kPieces) {
      return fail(Code::kInvalidArgument,
                  "upload " + id.text() + " waits for its " +
                      (open->wants == UploadWants::kIndex ? "index" : "ends") + " first");
    }
    state = state_of(id, *open);
    if (open->upload != nullptr && from != state.received) return stands_at(state.received);
    TRY_ASSIGN(upload, take(id, *open));
  }
  secret::Buffer piece(kPieceBytes);
  const auto run = [&]() -> Result<> {
    for (;;) {
      TRY_ASSIGN(const std::size_t got, source(piece.bytes()));
      if (got == 0) return {};
      if (got > state.length - state.received) {
        return fail(Code::kInvalidArgument, "the piece goes beyond the " +
                                                std::to_string(state.length) +
                                                " bytes that were announced");
      }
      TRY(upload->append(piece.bytes().first(got)));
      state.received += got;
    }
  };
  const Result<> done = run();
  // What could not be written may stand there in part: then nothing of the upload is good.
  const bool broken =
      !done && (done.error().code == Code::kNoSpace || done.error().code == Code::kIo);
  if (broken) {
    const std::lock_guard lock(mutex_);
    open_.erase(id);
  } else {
    give_back(id, std::move(upload), state.received);
  }
  if (!done) return std::unexpected(done.error());
  return state;
}

Result<StoreTicket> UploadDesk::finish(const UploadId& id) {
  std::unique_ptr<Upload> upload;
  {
    const std::lock_guard lock(mutex_);
    TRY_ASSIGN(Open * open, find(id));
    if (open->upload != nullptr && open->received < open->length) {
      return fail(Code::kInvalidArgument, "of " + std::to_string(open->length) + " bytes " +
                                              std::to_string(open->received) +
                                              " have come: send the rest first");
    }
    TRY_ASSIGN(upload, take(id, *open));
    open_.erase(id);
  }
  return upload->finish();
}

Result<> UploadDesk::cancel(const UploadId& id) {
  std::unique_ptr<Upload> upload;  // erased outside of the lock
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Open * open, find(id));
  TRY_ASSIGN(upload, take(id, *open));
  open_.erase(id);
  return {};
}

}  // namespace warifu::control
