// What a restore of some chunks would cost in key.
#include "control/key_account.h"
#include "control/restore_stream.h"

namespace warifu::control {
namespace {

// Answers, frames around a request and the tag of each.
constexpr std::uint64_t kFrameBytes = 64;

std::uint64_t hops_of(const Route& route) {
  return route.empty() ? 0 : route.size() - 1;
}

}  // namespace

std::uint64_t RestoreStream::cost_of(const RestoreSource& source,
                                     const consent::ChunkRanges& chunks) const {
  const auto records = records_at(policy_, sharing::RecordLayout(chunking_), source.path);
  std::uint64_t bytes = 0;
  for (const consent::ChunkRange& range : chunks) {
    const BulkUse use = bulk_use(records, range.first, range.count);
    bytes += use.payload_bytes + use.tag_bytes + kFrameBytes;
    if (const auto request = read_request(source.at, range.first, range.count)) {
      bytes += encode(*request).size();
    }
  }
  bytes *= hops_of(source.route);
  for (const std::vector<RestoreSource>& cut : source.joined) {
    for (const RestoreSource& other : cut) bytes += cost_of(other, chunks);
  }
  return bytes;
}

Result<std::uint64_t> RestoreStream::key_bytes(const consent::ChunkRanges& chunks) {
  chunks_left_ = consent::chunk_count(chunks);
  TRY_ASSIGN(const RestorePlan plan, choose());
  std::uint64_t bytes = 0;
  for (const RestoreSource& source : plan.sources) bytes += cost_of(source, chunks);
  return bytes;
}

}  // namespace warifu::control
