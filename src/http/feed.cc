// A bounded buffer, and the bell of the thread that empties it.
#include "http/feed.h"

#include <utility>

namespace warifu::http {

void FeedBell::ring() {
  {
    const std::lock_guard lock(mutex);
    rung = true;
  }
  ready.notify_one();
}

bool FeedBell::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex);
  const bool heard = ready.wait_for(lock, limit, [this] { return rung; });
  rung = false;
  return heard;
}

bool Feed::push(std::string_view text) {
  std::shared_ptr<FeedBell> bell;
  bool taken = true;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (waiting_.size() + text.size() > most_) {
      taken = false;  // a part of an event would be worse than none
      closed_ = true;
      waiting_.clear();
    } else {
      waiting_ += text;
    }
    bell = bell_;
  }
  if (bell != nullptr) bell->ring();
  return taken;
}

void Feed::close() {
  std::shared_ptr<FeedBell> bell;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    bell = bell_;
  }
  if (bell != nullptr) bell->ring();
}

bool Feed::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Feed::attach(std::shared_ptr<FeedBell> bell) {
  {
    const std::lock_guard lock(mutex_);
    bell_ = bell;
  }
  bell->ring();
}

std::string Feed::take(std::size_t most) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() <= most) return std::exchange(waiting_, {});
  std::string part = waiting_.substr(0, most);
  waiting_.erase(0, most);
  return part;
}

bool Feed::drained() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

void Feed::abandon() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  waiting_.clear();
}

}  // namespace warifu::http
