// The thread behind a share being written.
#include "control/share_sink.h"

#include "base/limits.h"

namespace warifu::control {
namespace {
constexpr std::size_t kSinkDepth = 16;
}

ShareSink::ShareSink(store::ShareWriter& writer, std::uint64_t records)
    : writer_(writer), records_(records), queue_(kSinkDepth), thread_([this] { write_all(); }) {}

ShareSink::~ShareSink() {
  queue_.abandon();
  thread_.join();
}

Result<> ShareSink::failure() {
  const std::lock_guard lock(mutex_);
  if (error_) return std::unexpected(*error_);
  return {};
}

Result<> ShareSink::put(secret::Buffer record) {
  if (queue_.push(std::move(record))) return {};
  TRY(failure());
  return fail(Code::kCancelled, "the share is not written any more");
}

Result<> ShareSink::wait_durable(std::uint64_t records) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return error_ || durable_ >= records; });
  if (durable_ >= records) return {};
  return std::unexpected(*error_);
}

void ShareSink::write_all() {
  while (const auto record = queue_.pop()) {
    const Result<> written = write(*record);
    const std::lock_guard lock(mutex_);
    if (!written) {
      error_ = written.error();
      queue_.abandon();
    }
    moved_.notify_all();
  }
}

Result<> ShareSink::write(const secret::Buffer& record) {
  TRY(writer_.append(record.bytes()));
  ++written_;
  if (written_ % limits::kWindowFrames != 0 && written_ != records_) return {};
  TRY(writer_.sync());
  durable_ = written_;
  return {};
}

}  // namespace warifu::control
