// Records of a call, and the thread that reads ahead.
#include "control/record_source.h"

namespace warifu::control {
namespace {
constexpr std::size_t kAheadDepth = 8;
}

Result<secret::Buffer> CallRecords::next() {
  TRY_ASSIGN(secret::Buffer record, call_.receive());
  if (call_.ack_due()) TRY(call_.acknowledge());
  return record;
}

ReadAhead::ReadAhead(std::unique_ptr<RecordSource> source, std::uint64_t records)
    : source_(std::move(source)),
      queue_(kAheadDepth),
      thread_([this, records] { fetch_all(records); }) {}

ReadAhead::~ReadAhead() {
  cancel();
  thread_.join();
}

void ReadAhead::cancel() {
  queue_.abandon();
  source_->cancel();
}

Result<secret::Buffer> ReadAhead::next() {
  auto record = queue_.pop();
  if (record) return std::move(*record);
  return fail(Code::kCancelled, "nothing more is fetched from this share");
}

void ReadAhead::fetch_all(std::uint64_t records) {
  for (std::uint64_t i = 0; i < records; ++i) {
    auto record = source_->next();
    const bool failed = !record;
    if (!queue_.push(std::move(record)) || failed) break;
  }
  queue_.close();
}

}  // namespace warifu::control
