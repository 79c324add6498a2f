// Threads over runs of chunks; drafts.
#include "localshare/work.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace warifu::localshare {
namespace {

constexpr std::uint64_t kRunChunks = 4;  // neighbours on disk go to one worker
constexpr unsigned kMostWorkers = 8;
constexpr auto kTick = std::chrono::milliseconds(100);

// What the threads share.
struct Common {
  std::uint64_t count;
  std::atomic<std::uint64_t> next = 0;
  std::atomic<std::uint64_t> done = 0;
  std::atomic<bool> ended = false;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Error> error;
  std::size_t running;

  void fail_with(Error problem) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(problem);
    ended = true;
  }
};

void run_one(Worker& worker, Common& common) {
  while (!common.ended) {
    const std::uint64_t first = common.next.fetch_add(kRunChunks);
    if (first >= common.count) break;
    const std::uint64_t end = std::min(first + kRunChunks, common.count);
    for (std::uint64_t i = first; i < end && !common.ended; ++i) {
      if (auto done = worker.work({i}); !done) common.fail_with(std::move(done).error());
      ++common.done;
    }
  }
  const std::lock_guard lock(common.mutex);
  --common.running;
  common.changed.notify_all();
}

}  // namespace

Result<> run_workers(std::vector<std::unique_ptr<Worker>>& workers, std::uint64_t count,
                     std::uint64_t bytes_total, const Watch& watch) {
  Common common{.count = count, .running = workers.size()};
  std::vector<std::jthread> threads;
  for (auto& worker : workers) {
    threads.emplace_back([&worker, &common] { run_one(*worker, common); });
  }
  std::unique_lock lock(common.mutex);
  while (common.running > 0) {
    common.changed.wait_for(lock, kTick);
    if (watch.stop != nullptr && *watch.stop && !common.error) {
      common.error = Error{Code::kCancelled, "stopped; nothing is left of the output"};
      common.ended = true;
    }
    lock.unlock();
    if (watch.progress) {
      // Chunks are of one size but for the last; 2^50 bytes of them keep the product in range.
      const double part = static_cast<double>(common.done) / static_cast<double>(count);
      watch.progress(static_cast<std::uint64_t>(part * static_cast<double>(bytes_total)),
                     bytes_total);
    }
    lock.lock();
  }
  if (common.error) return std::unexpected(*common.error);
  return {};
}

std::size_t worker_count(unsigned wanted, std::uint64_t chunks) {
  const unsigned most =
      wanted != 0 ? wanted : std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers);
  const std::uint64_t runs = (chunks + kRunChunks - 1) / kRunChunks;
  return static_cast<std::size_t>(std::min<std::uint64_t>(most, runs));
}

Buffers::Buffers(std::size_t count, std::size_t bytes_each)
    : bytes_each_(bytes_each),
      stride_((bytes_each + 63) / 64 * 64 + 640),
      memory_(count * stride_) {}

Result<Draft> Draft::create(os::FileSystem& files, const std::string& path, std::uint64_t bytes) {
  if (files.exists(path)) {
    return fail(Code::kAlreadyExists, "'" + path + "' is there already and is not replaced");
  }
  TRY_ASSIGN(auto file, files.open(path + ".part", os::OpenMode::kCreate));
  Draft draft(files, path, std::move(file));
  TRY(draft.file_->truncate(bytes));
  return draft;
}

Draft::Draft(Draft&& other) noexcept
    : files_(std::exchange(other.files_, nullptr)),
      path_(std::move(other.path_)),
      file_(std::move(other.file_)),
      published_(other.published_) {}

Draft::~Draft() {
  if (files_ == nullptr) return;
  // What cannot be removed stays under a name that says that it is not whole.
  (void)files_->remove(published_ ? path_ : draft_path());
}

std::string Draft::draft_path() const {
  return path_ + ".part";
}

Result<std::unique_ptr<os::File>> Draft::reopen() const {
  return files_->open(draft_path(), os::OpenMode::kReadWrite);
}

Result<> Draft::publish() {
  if (files_->exists(path_)) {
    return fail(Code::kAlreadyExists, "'" + path_ + "' has appeared meanwhile");
  }
  TRY(files_->rename(draft_path(), path_));
  published_ = true;
  return {};
}

}  // namespace warifu::localshare
