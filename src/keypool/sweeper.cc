// The thread that removes.
#include "keypool/sweeper.h"

#include <utility>

#include "base/log.h"

namespace warifu::keypool {
namespace {
// Space that a waiting file must not be missed in.
constexpr std::uint64_t kShortBytes = 16ULL << 30;
}  // namespace

Sweeper::~Sweeper() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<> Sweeper::take(std::string path) {
  if (quiet_ == std::chrono::milliseconds::zero()) return files_.remove(path);
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(path));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
  return {};
}

bool Sweeper::is_short(const std::string& path) {
  const auto free = files_.free_bytes(os::parent_of(path));
  return !free || *free < kShortBytes;
}

void Sweeper::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    const std::size_t count = waiting_.size();
    const bool more =
        changed_.wait_for(lock, quiet_, [&] { return ending_ || waiting_.size() > count; });
    if (ending_) return;
    if (more && !is_short(waiting_.front())) continue;
    const std::vector<std::string> paths = std::exchange(waiting_, {});
    for (const std::string& path : paths) {
      if (ending_) return;
      lock.unlock();
      if (const auto removed = files_.remove(path); !removed) {
        log_warning("a used key segment stays on disk: " + removed.error().message);
      }
      lock.lock();
    }
  }
}

}  // namespace warifu::keypool
