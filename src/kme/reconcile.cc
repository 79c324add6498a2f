// States, their comparison, and the two sides of the request.
#include "kme/reconcile.h"

#include <algorithm>

#include "base/log.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

// One message carries both pools of an end.
constexpr std::size_t kMaxRuns = 10'000;
enum Order : std::uint8_t { kLook = 0, kApply = 1, kPause = 2 };
constexpr std::chrono::seconds kPauseLength(10);
void write(wire::Writer& writer, const EndState& state) {
  writer.u64(state.mark.value);
  writer.u64(state.end.value);
  writer.u64(state.next.value);
  writer.u32(static_cast<std::uint32_t>(state.runs.size()));
  for (const SyncedRun& run : state.runs) {
    writer.u64(run.base.value);
    writer.u64(run.number.value);
    writer.u32(run.length);
    writer.u8(static_cast<std::uint8_t>(run.origin));
  }
}

Result<EndState> read_state(wire::Reader& reader) {
  EndState state;
  state.mark = {reader.u64()};
  state.end = {reader.u64()};
  state.next = {reader.u64()};
  const std::uint32_t count = reader.u32();
  if (count > kMaxRuns) reader.reject("too many segments");
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    SyncedRun run{.base = {reader.u64()}, .number = {reader.u64()}, .length = reader.u32()};
    const std::uint8_t origin = reader.u8();
    if (!reader.good()) break;
    TRY_ASSIGN(run.origin, keypool::origin_from_number(origin));
    if (run.end() < run.base || run.end() > state.end) reader.reject("a segment out of range");
    state.runs.push_back(run);
  }
  TRY(reader.check());
  if (state.mark > state.end) reader.reject("a mark beyond the stream");
  TRY(reader.check());
  return state;
}

Result<Bytes> states_of(Link& link) {
  wire::Writer writer;
  for (keypool::Pool* pool : {&link.send(), &link.receive()}) {
    const EndState state = end_state(*pool);
    if (state.runs.size() > kMaxRuns / 2) {
      return fail(Code::kRefused, "link to " + link.peer().text() + ": " +
                                      std::to_string(state.runs.size()) +
                                      " segments are too many for one message");
    }
    write(writer, state);
  }
  return writer.take();
}

// Segments of `state` that the alignment takes away.
std::uint64_t beyond(const EndState& state, PadOffset end) {
  std::uint64_t bytes = 0;
  for (const SyncedRun& run : state.runs) {
    if (run.end() > end) bytes += (run.end() - std::max(run.base, end)).value;
  }
  return bytes;
}

Result<> apply_both(Link& link, const keypool::Alignment& send, const keypool::Alignment& receive) {
  TRY(link.send().align(send));
  TRY(link.receive().align(receive));
  log_warning("link to " + link.peer().text() + ": reconciled; sending stands at " +
              std::to_string(send.mark.value) + " of " + std::to_string(send.end.value) +
              ", receiving at " + std::to_string(receive.mark.value) + " of " +
              std::to_string(receive.end.value));
  return {};
}

class CatchUpAllowed {
 public:
  CatchUpAllowed(Link& link, bool allowed) : link_(link) { link_.allow_catch_up(allowed); }
  ~CatchUpAllowed() { link_.allow_catch_up(false); }

 private:
  Link& link_;
};

}  // namespace

EndState end_state(const keypool::Pool& pool) {
  const keypool::PoolStatus status = pool.status();
  EndState state{.mark = status.mark, .end = status.synced_end, .next = pool.next_segment()};
  for (const keypool::SegmentEntry& entry : pool.segments()) {
    if (entry.state != keypool::SegmentState::kSynced || entry.end() <= state.mark) continue;
    if (entry.end() > state.end) continue;  // synced since the status was taken
    state.runs.push_back({entry.base, entry.number, entry.length, entry.origin});
  }
  std::ranges::sort(state.runs, {}, &SyncedRun::base);
  return state;
}

Difference compare(EndState here, EndState there) {
  Difference difference;
  const PadOffset mark = std::max(here.mark, there.mark);
  const auto from_mark = [&](const EndState& state) {
    return std::ranges::find_if(state.runs, [&](const SyncedRun& run) { return run.end() > mark; });
  };
  PadOffset common = mark;
  auto a = from_mark(here);
  auto b = from_mark(there);
  while (a != here.runs.end() && b != there.runs.end() && *a == *b && a->base <= common) {
    common = a->end();
    ++a;
    ++b;
  }
  difference.to = {mark, common, std::max(here.next, there.next)};
  difference.burn_here = (mark - here.mark).value;
  difference.burn_there = (mark - there.mark).value;
  difference.quarantine_here = beyond(here, common);
  difference.quarantine_there = beyond(there, common);
  difference.here = std::move(here);
  difference.there = std::move(there);
  return difference;
}

Result<Reconciliation> reconcile(Link& link, const AskPeer& ask, bool apply) {
  TRY_ASSIGN(const auto one_change, link.lock_sync());
  // Whoever reconciles has said that key may be burnt; a greeting must not stop at its own bound.
  const CatchUpAllowed allowed(link, apply);
  // The greeting before the first question may burn already: that is told with the rest.
  const PadOffset send_mark = link.send().status().mark;
  const PadOffset receive_mark = link.receive().status().mark;
  TRY(ask(IntakeMethod::kReconcile, Bytes{kPause}));
  wire::Writer request;
  request.u8(apply ? kApply : kLook);
  TRY_ASSIGN(const Bytes own, states_of(link));
  request.raw(own);
  TRY_ASSIGN(const Bytes reply, ask(IntakeMethod::kReconcile, request.take()));
  wire::Reader reader(reply, "reconcile reply");
  TRY_ASSIGN(EndState their_send, read_state(reader));
  TRY_ASSIGN(EndState their_receive, read_state(reader));
  TRY(reader.finish());
  // What the far end computed from the request, not what has changed here since.
  wire::Reader asked(own, "own state");
  TRY_ASSIGN(EndState own_send, read_state(asked));
  TRY_ASSIGN(EndState own_receive, read_state(asked));
  Reconciliation result{.send = compare(std::move(own_send), std::move(their_receive)),
                        .receive = compare(std::move(own_receive), std::move(their_send))};
  const auto since = [](Difference& difference, PadOffset mark) {
    difference.here.mark = mark;
    difference.burn_here = (difference.to.mark - mark).value;
  };
  since(result.send, send_mark);
  since(result.receive, receive_mark);
  if (apply) {
    TRY(apply_both(link, result.send.to, result.receive.to));
    result.applied = true;
  }
  return result;
}

Result<Bytes> answer_reconcile(Link& link, ByteView body) {
  TRY_ASSIGN(const auto one_change, link.lock_sync());
  wire::Reader reader(body, "reconcile request");
  const std::uint8_t order = reader.u8();
  if (order == kPause) {
    TRY(reader.finish());
    link.pause_sync(kPauseLength);
    return Bytes{};
  }
  if (order > kApply) reader.reject("the order must be 0, 1 or 2");
  TRY_ASSIGN(EndState their_send, read_state(reader));
  TRY_ASSIGN(EndState their_receive, read_state(reader));
  TRY(reader.finish());
  link.pause_sync({});
  TRY_ASSIGN(Bytes reply, states_of(link));
  if (order == kLook) return reply;
  wire::Reader own(reply, "own state");
  TRY_ASSIGN(EndState send, read_state(own));
  TRY_ASSIGN(EndState receive, read_state(own));
  const Difference sending = compare(std::move(send), std::move(their_receive));
  const Difference receiving = compare(std::move(receive), std::move(their_send));
  TRY(apply_both(link, sending.to, receiving.to));
  return reply;
}

}  // namespace warifu::kme
