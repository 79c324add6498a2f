// The threads of a stream: at the source two of them draw blocks, at the destination one tells how
// far its application has read.
#include <algorithm>

#include "base/log.h"
#include "kme/key_streams.h"

namespace warifu::kme {
namespace {

// How far a stream is drawn ahead of its slower application: as far as that one has read, within
// these.
constexpr std::uint64_t kLeastAhead = 64 << 10;
constexpr std::uint64_t kMostAhead = 12 << 20;
constexpr std::uint64_t kLargestBlock = 4 << 20;
// Pad that a draw takes beyond its bytes, with some for the messages around it.
constexpr std::uint64_t kDrawOverhead = 1024;
constexpr std::chrono::milliseconds kStep(100);
constexpr std::chrono::seconds kAskAgain(2);
constexpr int kEndTries = 3;

std::uint64_t ahead_of(const KeyStream::Terms& terms, std::uint64_t next) {
  return std::clamp(next * terms.chunk_bytes,
                    std::max<std::uint64_t>(kLeastAhead, terms.chunk_bytes), kMostAhead);
}

}  // namespace

void KeyStreams::start_thread(const EntryPtr& entry) {
  entry->thread = std::jthread([this, &entry = *entry] {
    if (entry.stream.terms().at_source) {
      feed(entry);
    } else {
      follow(entry);
      tell_end(entry);
    }
    entry.over = true;
  });
}

// Until its application has closed the stream, it broke, it is over, or the site stops. Once the
// peer application has gone the stream stays while something is left to take.
bool KeyStreams::is_running(Entry& entry) {
  if (stopping_) return false;
  const KeyStream::Progress progress = entry.stream.progress();
  if (progress.state == KeyStream::State::kPeerClosed) {
    if (progress.next == progress.received) return false;
  } else if (progress.state != KeyStream::State::kOpen) {
    return false;
  }
  if (system_.clock.monotonic() < entry.stream.terms().ends) return true;
  log_info("key stream " + stream_id_text(entry.stream.terms().id) + ": its time is over");
  entry.stream.break_off();
  return false;
}

Result<> KeyStreams::tell(Entry& entry, StreamNote::Kind kind, std::uint64_t next) {
  const KeyStream::Terms& terms = entry.stream.terms();
  return carrier_.tell(terms.peer, StreamMethod::kNote, encode(StreamNote{terms.id, kind, next}));
}

void KeyStreams::tell_end(Entry& entry) {
  const auto state = entry.stream.progress().state;
  if (state == KeyStream::State::kOpen || state == KeyStream::State::kPeerClosed) return;
  const auto kind =
      state == KeyStream::State::kClosed ? StreamNote::Kind::kClosed : StreamNote::Kind::kBroken;
  for (int attempt = 0; attempt < kEndTries && !stopping_; ++attempt) {
    const auto told = tell(entry, kind, 0);
    if (told || told.error().code == Code::kNotFound) return;
    system_.clock.sleep(kStep);
  }
}

// Bytes that may be drawn now: 0, or a block worth its round trip.
std::uint64_t KeyStreams::room(const Entry& entry) const {
  const KeyStream::Terms& terms = entry.stream.terms();
  const KeyStream::Progress progress = entry.stream.progress();
  if (!progress.joined || progress.state != KeyStream::State::kOpen) return 0;
  const std::uint64_t slower = std::min(progress.next, progress.far_next);
  const std::uint64_t limit = ahead_of(terms, slower);
  const std::uint64_t ahead = entry.ordered_bytes - slower * terms.chunk_bytes;
  std::uint64_t room = limit > ahead ? limit - ahead : 0;
  if (room < limit / 3) return 0;
  room = std::min(room, std::max<std::uint64_t>(limit / 2, terms.chunk_bytes));  // two at once
  if (terms.max_bps > 0) {
    const auto open = std::chrono::duration<double>(system_.clock.monotonic() - terms.opened);
    const auto due =
        static_cast<std::uint64_t>((open.count() + 1) * static_cast<double>(terms.max_bps) / 8);
    room = std::min(room, due > entry.ordered_bytes ? due - entry.ordered_bytes : 0);
  }
  const std::uint64_t left = std::uint64_t{kNextChunk} * terms.chunk_bytes - entry.ordered_bytes;
  return std::min({room, kLargestBlock, left}) / terms.chunk_bytes * terms.chunk_bytes;
}

// Who gives nothing for some time finds out whether the stream is still there at the far end.
void KeyStreams::probe(Entry& entry, StreamNote::Kind kind, Asked& asked) {
  const KeyStream::Progress progress = entry.stream.progress();
  const auto now = system_.clock.monotonic();
  if (progress.starved == asked.starved || now - asked.last < kAskAgain ||
      progress.state != KeyStream::State::kOpen) {
    return;
  }
  asked.last = now;
  const auto heard = tell(entry, kind, progress.next);
  if (heard) {
    asked.starved = progress.starved;
    asked.told = progress.next;
  } else if (heard.error().code == Code::kCancelled) {
    entry.stream.peer_closed();
  } else if (heard.error().code == Code::kNotFound) {
    log_info("key stream " + stream_id_text(entry.stream.terms().id) +
             " breaks: the other site knows it no more");
    entry.stream.break_off();
  } else {
    entry.stream.wait(kStep);
  }
}

// Two lanes, so that this end draws a block while the far end draws the one before.
void KeyStreams::feed(Entry& entry) {
  const std::jthread second([&] { run_lane(entry, false); });
  run_lane(entry, true);
  tell_end(entry);  // the other lane may still be drawing
}

void KeyStreams::run_lane(Entry& entry, bool first) {
  KeyStream& stream = entry.stream;
  std::string waits_for;
  Asked asked{.last = system_.clock.monotonic()};
  while (is_running(entry)) {
    Result<> ready = gate_.check_sae(stream.own());
    if (ready) ready = gate_.check_link(stream.terms().peer);
    std::optional<BlockOrder> order;
    if (ready) ready = order_block(entry, order);
    if (ready && order) ready = draw_block(entry, *order);
    const std::string problem = ready ? "" : ready.error().message;
    if (first && !problem.empty() && problem != waits_for) {
      log_info("key stream " + stream_id_text(stream.terms().id) + ": " + problem);
    }
    waits_for = problem;
    if (order && ready) continue;
    stream.wait(kStep);
    if (first) probe(entry, StreamNote::Kind::kAsk, asked);
  }
}

// The next block, if there is room for one. Errors are what more of the stream waits for.
Result<> KeyStreams::order_block(Entry& entry, std::optional<BlockOrder>& order) {
  const std::lock_guard lock(entry.block_mutex);
  const KeyStream::Terms& terms = entry.stream.terms();
  const std::uint64_t wanted = room(entry);
  if (wanted == 0) return {};
  const std::uint64_t there = keys_.link_to(terms.peer)->drawable(job_);
  const std::uint64_t under_way = entry.ordered_bytes - entry.drawn_bytes;
  const std::uint64_t spent = kDrawOverhead + under_way;
  const std::uint64_t most = there > spent ? there - spent : 0;
  std::uint64_t bytes = std::min(wanted, most / terms.chunk_bytes * terms.chunk_bytes);
  if (bytes == 0 && under_way > 0) return {};
  if (const auto quota = gate_.quota(terms.source)) {
    bytes = std::min(bytes, quota->left_bytes / terms.chunk_bytes * terms.chunk_bytes);
    if (bytes == 0 && most >= terms.chunk_bytes) {
      return fail(Code::kOutOfKey, "the quota of " + terms.source + " is used up");
    }
  }
  if (bytes == 0) {
    return fail(Code::kOutOfKey, "the link to " + terms.peer.text() + " has " +
                                     std::to_string(there) + " bytes of key for applications");
  }
  const std::uint64_t frame_most = kMaxStreamChunk / terms.chunk_bytes * terms.chunk_bytes;
  const std::uint64_t frame = std::min(bytes, frame_most);
  order = BlockOrder{entry.given_up.value_or(entry.next_order), bytes / frame, frame};
  TRY(gate_.charge(terms.source, order->bytes()));
  if (!std::exchange(entry.given_up, std::nullopt)) ++entry.next_order;
  entry.ordered_bytes += order->bytes();
  return {};
}

// Draws a block and queues it in its turn; one that finds no key is ordered again. What else goes
// wrong breaks the stream off.
Result<> KeyStreams::draw_block(Entry& entry, const BlockOrder& order) {
  const KeyStream::Terms& terms = entry.stream.terms();
  auto block = carrier_.draw(terms.peer, {terms.id, order.number}, order.frames, order.frame_bytes);
  std::unique_lock lock(entry.block_mutex);
  if (block) {
    while (entry.block != order.number && is_running(entry)) entry.turn.wait_for(lock, kStep);
    if (entry.block != order.number) return {};
    ++entry.block;
    entry.drawn_bytes += order.bytes();
    entry.stream.put(std::move(*block), system_.clock.now());
    entry.turn.notify_all();
    return {};
  }
  if (block.error().code == Code::kOutOfKey) {
    gate_.refund(terms.source, order.bytes());
    entry.ordered_bytes -= order.bytes();
    entry.given_up = order.number;
  } else {
    log_warning("key stream " + stream_id_text(terms.id) + " breaks: " + block.error().message);
    entry.stream.break_off();
  }
  return std::unexpected(block.error());
}

void KeyStreams::follow(Entry& entry) {
  KeyStream& stream = entry.stream;
  Asked asked{.last = system_.clock.monotonic()};
  while (is_running(entry)) {
    const KeyStream::Progress progress = stream.progress();
    const std::uint64_t read = (progress.next - asked.told) * stream.terms().chunk_bytes;
    const std::uint64_t step =
        std::max<std::uint64_t>(ahead_of(stream.terms(), progress.next) / 4, 1);
    if (progress.state == KeyStream::State::kOpen && read >= step) {
      asked.starved = progress.starved - 1;  // tells at once
      asked.last -= kAskAgain;
    } else {
      stream.wait(kStep);
    }
    probe(entry, StreamNote::Kind::kRead, asked);
  }
}

}  // namespace warifu::kme
