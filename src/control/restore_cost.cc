// What a restore of some chunks would cost in key, and what one has cost.
#include "control/key_account.h"
#include "control/restore_stream.h"

namespace warifu::control {
namespace {

// Answers, frames around a request and the tag of each.
constexpr std::uint64_t kFrameBytes = 64;

std::uint64_t hops_of(const planner::Route& route) {
  return route.empty() ? 0 : route.size() - 1;
}

}  // namespace

std::uint64_t RestoreStream::cost_of(const planner::RestoreSource& source,
                                     const consent::ChunkRanges& chunks) const {
  const auto records = planner::records_at(policy_, sharing::RecordLayout(chunking_), source.path);
  std::uint64_t bytes = 0;
  for (const consent::ChunkRange& range : chunks) {
    const BulkUse use = bulk_use(records, range.first, range.count);
    bytes += use.payload_bytes + use.tag_bytes + kFrameBytes;
    if (const auto request = read_request(source.at, range.first, range.count)) {
      bytes += encode(*request).size();
    }
  }
  bytes *= hops_of(source.route);
  for (const std::vector<planner::RestoreSource>& cut : source.joined) {
    for (const planner::RestoreSource& other : cut) bytes += cost_of(other, chunks);
  }
  return bytes;
}

Result<std::uint64_t> RestoreStream::key_bytes(const consent::ChunkRanges& chunks) {
  chunks_left_ = consent::chunk_count(chunks);
  TRY_ASSIGN(const planner::RestorePlan plan, choose());
  std::uint64_t bytes = 0;
  for (const planner::RestoreSource& source : plan.sources) bytes += cost_of(source, chunks);
  return bytes;
}

Result<> RestoreStream::account(const planner::RestoreSource& source, std::uint64_t first,
                                std::uint64_t count) {
  const auto records = planner::records_at(policy_, sharing::RecordLayout(chunking_), source.path);
  TRY(record_route_use(catalog_, session_, source.route, snapshot_,
                       bulk_use(records, first, count)));
  for (const std::vector<planner::RestoreSource>& cut : source.joined) {
    for (const planner::RestoreSource& other : cut) TRY(account(other, first, count));
  }
  return {};
}

Result<> RestoreStream::account() {
  for (const Used& used : used_) {
    if (used.count == 0) continue;
    for (const planner::RestoreSource& source : used.plan.sources) {
      TRY(account(source, used.first, used.count));
    }
  }
  return {};
}

}  // namespace warifu::control
