// What the desk does by itself: preparing one upload after the other, erasing abandoned ones.
#include <algorithm>

#include "base/log.h"
#include "control/upload_desk.h"

namespace warifu::control {
namespace {
constexpr std::chrono::seconds kSweepEvery{10};
}

void UploadDesk::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void UploadDesk::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, open] : open_) {
      if (open.preparing) open.preparing->stop = true;
    }
  }
  thread_.join();
}

Result<UploadState> UploadDesk::prepare(const JobId& id, const PrepareWish& wish) {
  const bool in_range =
      wish.reads_per_slice >= kLeastReadsPerSlice && wish.reads_per_slice <= kMostReadsPerSlice;
  if (wish.reads_per_slice != 0 && !in_range) {
    return fail(Code::kInvalidArgument, "reads per slice: 50 to 100000, or 0 for those it has");
  }
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Open * open, find_idle(id));
  const KeptUpload& kept = *open->kept;
  if (kept.facts().index != IndexFrom::kHere) {
    return fail(Code::kInvalidArgument,
                "upload " + id.text() + " was begun without index \"here\"");
  }
  if (!kept.has_all()) {
    return fail(Code::kInvalidArgument, "of " + std::to_string(kept.facts().length) + " bytes " +
                                            std::to_string(kept.received()) +
                                            " have come: send the rest first");
  }
  if (kept.facts().prepared) {
    return fail(Code::kAlreadyExists, "upload " + id.text() + " is prepared");
  }
  open->preparing = std::make_shared<Preparing>();
  open->preparing->wish = wish;
  open->preparing->shown.total = kept.facts().length;
  open->busy = true;
  open->state.trouble.reset();
  touch(*open);
  queue_.push_back(id);
  changed_.notify_all();
  return state_of(*open);
}

void UploadDesk::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (queue_.empty()) {
      changed_.wait_for(lock, stop, kSweepEvery, [&] { return !queue_.empty(); });
    }
    if (stop.stop_requested()) return;
    sweep();
    if (!queue_.empty()) prepare_next(lock);
  }
}

void UploadDesk::prepare_next(std::unique_lock<std::mutex>& lock) {
  const JobId id = queue_.front();
  queue_.erase(queue_.begin());
  const std::shared_ptr<KeptUpload> kept = open_.at(id).kept;
  const std::shared_ptr<Preparing> work = open_.at(id).preparing;
  lock.unlock();
  const auto progress = [&](const char* step, std::uint64_t done, std::uint64_t total) {
    const std::lock_guard shown(mutex_);
    work->shown = {.step = step, .done = done, .total = total};
  };
  const Result<> done = prepare_upload(
      *kept, work->wish, {.system = site_.system, .stop = work->stop, .progress = progress});
  lock.lock();
  const auto it = open_.find(id);
  it->second.busy = false;
  it->second.preparing.reset();
  if (!done) it->second.state.trouble = done.error();
  if (work->drop) return erase(it);
  note(it->second);
  touch(it->second);
}

}  // namespace warifu::control
