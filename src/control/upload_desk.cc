// Open uploads by their ids.
#include "control/upload_desk.h"

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
               .touched = clock_.monotonic()};
  return UploadState{id, 0, wish.length};
}

Result<UploadState> UploadDesk::state(const UploadId& id) {
  const std::lock_guard lock(mutex_);
  forget_idle();
  const auto found = open_.find(id);
  if (found == open_.end()) return unknown(id);
  return UploadState{id, found->second.received, found->second.length};
}

Result<std::unique_ptr<Upload>> UploadDesk::take(const UploadId& id) {
  const auto found = open_.find(id);
  if (found == open_.end()) return unknown(id);
  if (found->second.upload == nullptr) {
    return fail(Code::kBusy, "a piece of upload " + id.text() + " is on its way already");
  }
  return std::move(found->second.upload);
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
  UploadState state{id, 0, 0};
  {
    const std::lock_guard lock(mutex_);
    forget_idle();
    const auto found = open_.find(id);
    if (found == open_.end()) return unknown(id);
    state.received = found->second.received;
    state.length = found->second.length;
    if (found->second.upload != nullptr && from != state.received) return stands_at(state.received);
    TRY_ASSIGN(upload, take(id));
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
    const auto found = open_.find(id);
    if (found == open_.end()) return unknown(id);
    const Open& open = found->second;
    if (open.upload != nullptr && open.received < open.length) {
      return fail(Code::kInvalidArgument, "of " + std::to_string(open.length) + " bytes " +
                                              std::to_string(open.received) +
                                              " have come: send the rest first");
    }
    TRY_ASSIGN(upload, take(id));
    open_.erase(id);
  }
  return upload->finish();
}

Result<> UploadDesk::cancel(const UploadId& id) {
  std::unique_ptr<Upload> upload;  // erased outside of the lock
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(upload, take(id));
  open_.erase(id);
  return {};
}

}  // namespace warifu::control
