// Retiring: the receiving end of a direction burns first, as it does when it grants.
#include <algorithm>

#include "base/log.h"
#include "kme/reconcile.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

bool fits(const RetireOrder& order, const keypool::SegmentEntry& entry) {
  return order.all || (order.older_than && entry.created < *order.older_than) ||
         (order.origin && entry.origin == *order.origin);
}

// Where the mark goes; where it is when there is nothing to burn.
Result<PadOffset> target(const keypool::Pool& pool, const RetireOrder& order) {
  const keypool::PoolStatus status = pool.status();
  PadOffset to = status.mark;
  const bool wanted = pool.direction() == keypool::Direction::kSend ? order.send : order.receive;
  if (!wanted) return to;
  if (order.bytes) {
    const std::uint64_t available = (status.synced_end - status.mark).value;
    const std::uint64_t free =
        available > limits::kControlFloorBytes ? available - limits::kControlFloorBytes : 0;
    if (*order.bytes <= free) return to + ByteCount{*order.bytes};
    return fail(Code::kOutOfKey,
                std::string(pool.direction() == keypool::Direction::kSend ? "the key to send"
                                                                          : "the key to receive") +
                    " is " + std::to_string(free) + " bytes above the floor, fewer than " +
                    std::to_string(*order.bytes));
  }
  for (const keypool::SegmentEntry& entry : pool.segments()) {
    if (entry.state == keypool::SegmentState::kSynced && fits(order, entry)) {
      to = std::max(to, entry.end());
    }
  }
  const std::uint64_t end = status.synced_end.value;
  const std::uint64_t most =
      end > limits::kControlFloorBytes ? end - limits::kControlFloorBytes : 0;
  return std::max(status.mark, std::min(to, PadOffset{most}));
}

}  // namespace

Result<Retirement> retire(Link& link, const RetireOrder& order, const AskPeer& ask, bool apply) {
  TRY_ASSIGN(const auto one_change, link.lock_sync());
  Retirement result;
  TRY_ASSIGN(result.send_to, target(link.send(), order));
  TRY_ASSIGN(result.receive_to, target(link.receive(), order));
  const auto bytes = [](const keypool::Pool& pool, PadOffset to) {
    const PadOffset mark = pool.status().mark;
    return to > mark ? (to - mark).value : 0;
  };
  result.send_bytes = bytes(link.send(), result.send_to);
  result.receive_bytes = bytes(link.receive(), result.receive_to);
  if (!apply) return result;
  TRY(link.receive().burn_to(result.receive_to));
  wire::Writer request;
  request.u64(result.send_to.value);
  request.u64(result.receive_to.value);
  TRY(ask(IntakeMethod::kRetire, request.take()));
  TRY(link.send().burn_to(result.send_to));
  log_warning("link to " + link.peer().text() + ": key retired, " +
              std::to_string(result.send_bytes) + " bytes sending, " +
              std::to_string(result.receive_bytes) + " bytes receiving");
  result.applied = true;
  return result;
}

Result<Bytes> answer_retire(Link& link, ByteView body) {
  wire::Reader reader(body, "retire request");
  const PadOffset send_to{reader.u64()};
  const PadOffset receive_to{reader.u64()};
  TRY(reader.finish());
  // New key comes to both ends, but not at one moment.
  if (send_to > link.receive().status().synced_end) {
    return fail(Code::kBusy, "key of the link is just coming in; try again");
  }
  TRY(link.receive().burn_to(send_to));
  TRY(link.send().burn_to(receive_to));
  log_warning("link to " + link.peer().text() + ": the far end retired key");
  return Bytes{};
}

}  // namespace warifu::kme
