// Bringing the two ends of a link together again, and retiring key, both over the channel.
//
//   reconcile request := 2                     the far end's intake pauses; the reply is empty
//                      | apply:u8 state state  of the asking end: sending, receiving pool
//   reconcile reply   := state state           of the far end, before it changed anything
//   state             := mark:u64 end:u64 next:u64 count:u32 run{count}
//   run               := base:u64 length:u32 origin:u8  synced, from the mark on, in order
//   retire request    := send_to:u64 receive_to:u64       as the asking end sees the directions
//
// First the far end's intake pauses, so that no segment is known at one end only because it comes
// in just now; this end's own intake waits as well. Both ends compute the same Alignment from the
// two states: the mark that is further, and the end of the run of segments that both hold. What
// lies beyond it was never granted by the receiving end, so it never was a pad; it is quarantined.
// Numbers of segments may differ at the two ends (preshared files), so places, lengths and origins
// are compared. Content is not: both ends agreed on it when it came in. Thread rule: any thread;
// each holds the link's sync_mutex().
#pragma once

#include "kme/intake.h"

namespace warifu::kme {

struct SyncedRun {
  PadOffset base;
  // Key that stood here before an earlier reconciling may have had the same place and length.
  SegmentNumber number;
  std::uint32_t length = 0;
  keypool::Origin origin = keypool::Origin::kRateModel;
  bool operator==(const SyncedRun&) const = default;
  [[nodiscard]] PadOffset end() const { return {base.value + length}; }
};

// A pool as one end tells it to the other.
struct EndState {
  PadOffset mark;
  PadOffset end;
  SegmentNumber next;
  std::vector<SyncedRun> runs;
};
[[nodiscard]] EndState end_state(const keypool::Pool& pool);

// How the two ends of one direction differ, and where both will stand.
struct Difference {
  EndState here, there;
  keypool::Alignment to;
  std::uint64_t burn_here = 0, burn_there = 0;              // bytes
  std::uint64_t quarantine_here = 0, quarantine_there = 0;  // bytes that only one end has

  // Nothing that the next greeting does not repair by itself: grants on their way, or lost ones.
  [[nodiscard]] bool in_step() const {
    constexpr std::uint64_t kGreetingsRepair = 1 << 20;
    return quarantine_here + quarantine_there == 0 && here.end == there.end &&
           burn_here <= kGreetingsRepair && burn_there <= kGreetingsRepair;
  }
};
[[nodiscard]] Difference compare(EndState here, EndState there);

struct Reconciliation {
  Difference send, receive;
  bool applied = false;
};
// Asks the far end and compares; with `apply` both ends take the alignment. Errors: kBusy,
// kRefused (see Pool::align), those of `ask`.
[[nodiscard]] Result<Reconciliation> reconcile(Link& link, const AskPeer& ask, bool apply);
// The far end's side.
[[nodiscard]] Result<Bytes> answer_reconcile(Link& link, ByteView body);

// Which key of a pool is to be burnt: everything up to the last segment that fits, or the next
// `bytes`. At least one must be set. The control floor is always left, because the channel lives on
// it.
struct RetireOrder {
  std::optional<os::UnixMs> older_than;  // taken in before
  std::optional<keypool::Origin> origin;
  bool all = false;
  std::optional<std::uint64_t> bytes;
  bool send = true, receive = true;  // which directions, as this end sees them
};
struct Retirement {
  PadOffset send_to, receive_to;
  std::uint64_t send_bytes = 0, receive_bytes = 0;
  bool applied = false;
};
// Says what would be burnt; with `apply` burns it, at the receiving end of each direction first.
// Errors: kBusy (also while some of it has come to this end alone), kOutOfKey (fewer than `bytes`
// above the floor), those of `ask`.
[[nodiscard]] Result<Retirement> retire(Link& link, const RetireOrder& order, const AskPeer& ask,
                                        bool apply);
[[nodiscard]] Result<Bytes> answer_retire(Link& link, ByteView body);

}  // namespace warifu::kme
