// A queue of fixed depth between two threads of a pipeline.
//
// A full queue holds the producer back, so a pipeline's memory is bounded by depth x item. Either
// end may close it: the consumer still gets what is in it after close(), nothing after abandon().
// Thread-safe; items are moved, never copied.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "base/result.h"

namespace warifu {

template <typename Item>
class BoundedQueue {
 public:
  // `depth` items at most; at least one.
  explicit BoundedQueue(std::size_t depth) : depth_(depth) { WARIFU_CHECK(depth > 0); }

  // Waits for room. False when the queue was closed or abandoned; the item is then dropped.
  [[nodiscard]] bool push(Item item) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || items_.size() < depth_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  // Waits for an item. None when the queue is closed and empty, or abandoned.
  [[nodiscard]] std::optional<Item> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    std::optional<Item> item(std::move(items_.front()));
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  // Waits up to `limit` until pop() would not wait; false when it still would.
  [[nodiscard]] bool wait_item(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [this] { return closed_ || !items_.empty(); });
  }

  // Nothing more comes; what is in the queue is still handed out.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  // Nothing more comes, and what is in the queue is dropped.
  void abandon() {
    std::deque<Item> dropped;  // destroyed after the lock is given back
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(items_);
    changed_.notify_all();
  }

 private:
  const std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  bool closed_ = false;
};

}  // namespace warifu
