// The thread of a stream: at the source it draws blocks, at the destination it tells how far its
// application has read.
#include <algorithm>

#include "base/log.h"
#include "kme/key_streams.h"

namespace warifu::kme {
namespace {

// How far a stream is drawn ahead of its slower application: as far as that one has read, within
// these.
constexpr std::uint64_t kLeastAhead = 64 << 10;
constexpr std::uint64_t kMostAhead = 24 << 20;
constexpr std::uint64_t kLargestBlock = 8 << 20;
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
    }
    tell_end(entry);
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
std::uint64_t KeyStreams::room(const KeyStream& stream, std::uint64_t drawn_bytes) const {
  const KeyStream::Terms& terms = stream.terms();
  const KeyStream::Progress progress = stream.progress();
  if (!progress.joined || progress.state != KeyStream::State::kOpen) return 0;
  const std::uint64_t slower = std::min(progress.next, progress.far_next);
  const std::uint64_t limit = ahead_of(terms, slower);
  const std::uint64_t ahead = (progress.received - slower) * terms.chunk_bytes;
  std::uint64_t room = limit > ahead ? limit - ahead : 0;
  if (room < limit / 3) return 0;
  if (terms.max_bps > 0) {
    const auto open = std::chrono::duration<double>(system_.clock.monotonic() - terms.opened);
    const auto due =
        static_cast<std::uint64_t>((open.count() + 1) * static_cast<double>(terms.max_bps) / 8);
    room = std::min(room, due > drawn_bytes ? due - drawn_bytes : 0);
  }
  const std::uint64_t left = (std::uint64_t{kNextChunk} - progress.received) * terms.chunk_bytes;
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
  } else if (heard.error().code == Code::kNotFound) {
    log_info("key stream " + stream_id_text(entry.stream.terms().id) +
             " breaks: the other site knows it no more");
    entry.stream.break_off();
  } else {
    entry.stream.wait(kStep);
  }
}

void KeyStreams::feed(Entry& entry) {
  KeyStream& stream = entry.stream;
  std::uint64_t drawn = 0;
  std::string waits_for;
  Asked asked{.last = system_.clock.monotonic()};
  while (is_running(entry)) {
    const std::uint64_t bytes = room(stream, drawn);
    if (bytes == 0) {
      stream.wait(kStep);
      probe(entry, StreamNote::Kind::kAsk, asked);
      continue;
    }
    Result<> ready = gate_.check_sae(stream.own());
    if (ready) ready = gate_.check_link(stream.terms().peer);
    if (ready) ready = draw_block(entry, bytes, drawn);
    const std::string problem = ready ? "" : ready.error().message;
    if (!problem.empty() && problem != waits_for) {
      log_info("key stream " + stream_id_text(stream.terms().id) + ": " + problem);
    }
    waits_for = problem;
    if (!ready) stream.wait(kStep);
  }
}

// Draws a block of at most `bytes`. Errors are what more of the stream waits for; what else goes
// wrong breaks it off.
Result<> KeyStreams::draw_block(Entry& entry, std::uint64_t bytes, std::uint64_t& drawn) {
  const KeyStream::Terms& terms = entry.stream.terms();
  const std::uint64_t there = keys_.link_to(terms.peer)->drawable(job_);
  const std::uint64_t most = there > kDrawOverhead ? there - kDrawOverhead : 0;
  bytes = std::min(bytes, most / terms.chunk_bytes * terms.chunk_bytes);
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
  const std::uint64_t frames = bytes / frame;
  TRY(gate_.charge(terms.source, frame * frames));
  auto block = carrier_.draw(terms.peer, {terms.id, entry.block}, frames, frame);
  if (block) {
    ++entry.block;
    drawn += frame * frames;
    entry.stream.put(std::move(*block), system_.clock.now());
    return {};
  }
  if (block.error().code == Code::kOutOfKey) {
    gate_.refund(terms.source, frame * frames);
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
