// Writing a share while more of it arrives: records are appended and made durable by a thread of
// their own.
//
// The records of one window of the channel are synced together; durable() then moves on, and an
// acknowledgement may go out. At most kSinkDepth records wait in memory.
// Ownership: the writer must outlive the sink and is not touched by anybody else meanwhile. Thread
// rule: one thread calls put(), wait_durable() and finish(); durable() may be called by any.
#pragma once

#include <atomic>
#include <thread>

#include "base/bounded_queue.h"
#include "secret/secret.h"
#include "store/share_store.h"

namespace warifu::control {

class ShareSink {
 public:
  // `records` will be put in all; the last window may be short.
  ShareSink(store::ShareWriter& writer, std::uint64_t records);
  // What was put and is not durable yet may be lost.
  ~ShareSink();
  ShareSink(const ShareSink&) = delete;
  ShareSink& operator=(const ShareSink&) = delete;

  // Hands over the next record. Waits while the queue is full. Errors: what the writer met.
  [[nodiscard]] Result<> put(secret::Buffer record);
  // Waits until the first `records` of this sink are durable; they are after a full window, and
  // after the last record. Errors: what the writer met.
  [[nodiscard]] Result<> wait_durable(std::uint64_t records);
  // Records that are durable, counted from this sink's first.
  [[nodiscard]] std::uint64_t durable() const { return durable_; }

 private:
  void write_all();
  Result<> write(const secret::Buffer& record);
  Result<> failure();

  store::ShareWriter& writer_;
  const std::uint64_t records_;
  std::uint64_t written_ = 0;
  std::atomic<std::uint64_t> durable_ = 0;
  BoundedQueue<secret::Buffer> queue_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::optional<Error> error_;  // under mutex_
  std::thread thread_;
};

}  // namespace warifu::control
