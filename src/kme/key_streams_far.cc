// What other sites ask of a site's key streams.
#include "base/log.h"
#include "kme/key_streams.h"

namespace warifu::kme {

// Both sites must agree on who lives where, as for keys by id.
Result<> KeyStreams::take_opening(const SiteName& from, const StreamOpening& opening) {
  const SaeEntry* source = settings_.find(opening.source);
  const SaeEntry* destination = settings_.find(opening.destination);
  if (keys_.link_to(from) == nullptr || source == nullptr || source->site != from) {
    return fail(Code::kRefused,
                self_.text() + " does not know SAE " + opening.source + " at site " + from.text());
  }
  if (destination == nullptr || destination->site != self_) {
    return fail(Code::kRefused, "SAE " + opening.destination + " is not at " + self_.text());
  }
  // An opening that is told twice, because its answer was lost.
  if (const EntryPtr known = find(opening.id)) {
    const KeyStream::Terms& terms = known->stream.terms();
    const bool same = !terms.at_source && terms.peer == from && terms.source == source->id &&
                      terms.destination == destination->id &&
                      known->stream.progress().received == 0;
    if (same) return {};
  }
  const auto now = system_.clock.monotonic();
  const auto life = std::min<std::chrono::nanoseconds>(std::chrono::milliseconds(opening.life_ms),
                                                       settings_.streams.life);
  TRY_ASSIGN(const EntryPtr entry, add({opening.id, source->id, destination->id, from, false,
                                        opening.chunk_bytes, 0, now, now + life}));
  start_thread(entry);
  return {};
}

// The source draws two blocks at once, so one may come before its turn; it waits for the other.
// After anything else the two ends might give different key under one index, so the stream breaks.
Result<> KeyStreams::take_block(const SiteName& from, const StreamBlockHead& head,
                                DrawnFrames drawn) {
  const EntryPtr entry = find(head.id);
  if (entry == nullptr || entry->stream.terms().peer != from || entry->stream.terms().at_source) {
    return fail(Code::kNotFound, "no such key stream at " + self_.text());
  }
  const std::lock_guard lock(entry->block_mutex);
  const bool early = head.block == entry->block + 1 && !entry->early;
  bool whole = (head.block == entry->block || early) && !drawn.frames.empty();
  for (const secret::Buffer& frame : drawn.frames) {
    whole = whole && !frame.empty() && frame.size() % entry->stream.terms().chunk_bytes == 0;
  }
  if (!whole) {
    entry->stream.break_off();
    return fail(Code::kRefused, "that is not the block of the key stream that is due");
  }
  const auto state = entry->stream.progress().state;
  if (state == KeyStream::State::kBroken || state == KeyStream::State::kPeerClosed) {
    return fail(Code::kNotFound, "the key stream has ended at " + self_.text());
  }
  if (early) {
    entry->early = std::move(drawn);
    return {};
  }
  ++entry->block;
  entry->stream.put(std::move(drawn), system_.clock.now());
  if (!entry->early) return {};
  ++entry->block;
  entry->stream.put(*std::exchange(entry->early, std::nullopt), system_.clock.now());
  return {};
}

Result<> KeyStreams::take_note(const SiteName& from, const StreamNote& note) {
  const EntryPtr entry = find(note.id);
  if (entry == nullptr || entry->stream.terms().peer != from) {
    return fail(Code::kNotFound, "no such key stream at " + self_.text());
  }
  KeyStream& stream = entry->stream;
  const auto state = stream.progress().state;
  switch (note.kind) {
    case StreamNote::Kind::kJoined:
    case StreamNote::Kind::kRead:
      if (!stream.terms().at_source) return fail(Code::kRefused, "that is for the source's site");
      if (state == KeyStream::State::kBroken) {
        return fail(Code::kNotFound, "the key stream has ended at " + self_.text());
      }
      // Word of it is on its way; what the far end still holds is its application's.
      if (state == KeyStream::State::kClosed) {
        return fail(Code::kCancelled, "the key stream has been closed at " + self_.text());
      }
      stream.join();
      stream.note_far_next(note.next);
      return {};
    case StreamNote::Kind::kAsk:
      if (state != KeyStream::State::kBroken) return {};
      return fail(Code::kNotFound, "the key stream has ended at " + self_.text());
    case StreamNote::Kind::kClosed: stream.peer_closed(); return {};
    case StreamNote::Kind::kBroken: stream.break_off(); return {};
  }
  return fail(Code::kProtocol, "no such note");
}

}  // namespace warifu::kme
