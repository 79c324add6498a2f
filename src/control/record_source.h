// Where the records of one share come from during a restore, in order; and reading ahead of whoever
// combines them.
//
// Thread rule: next() belongs to one thread; cancel() may be called by any and makes a next() that
// waits fail soon.
#pragma once

#include <memory>
#include <thread>

#include "base/bounded_queue.h"
#include "channel/caller.h"
#include "secret/secret.h"

namespace warifu::control {

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // The next record. Errors: whatever its holder, or the way from it, met.
  [[nodiscard]] virtual Result<secret::Buffer> next() = 0;
  virtual void cancel() = 0;
};

// From another site, over a call that has been answered; acknowledges what it hands on.
class CallRecords final : public RecordSource {
 public:
  explicit CallRecords(channel::Call call) : call_(std::move(call)) {}
  Result<secret::Buffer> next() override;
  void cancel() override { call_.cancel(); }

 private:
  channel::Call call_;
};

// Fetches the records of another source in a thread of its own, a few ahead of next(), so that
// several holders, this site's disk and the reader all work at once.
class ReadAhead final : public RecordSource {
 public:
  // `records` are what `source` still has to give.
  ReadAhead(std::unique_ptr<RecordSource> source, std::uint64_t records);
  ~ReadAhead() override;

  Result<secret::Buffer> next() override;
  void cancel() override;

 private:
  void fetch_all(std::uint64_t records);

  std::unique_ptr<RecordSource> source_;
  BoundedQueue<Result<secret::Buffer>> queue_;
  std::thread thread_;
};

}  // namespace warifu::control
