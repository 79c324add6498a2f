// What sites tell each other about key streams (docs/formats/site-requests.md). Bodies carry no
// key: a block of a stream is drawn at both ends.
#pragma once

#include "kme/stream_frames.h"

namespace warifu::kme {

// Numbers of the channel's methods.
enum class StreamMethod : std::uint16_t { kOpen = 120, kBlock = 121, kNote = 122 };

// The source's site registers a stream at the destination's.
struct StreamOpening {
  KeyStreamId id;
  std::string source, destination;
  std::uint32_t chunk_bytes = 0;
  std::uint32_t life_ms = 0;
};

// Head of a drawn upload: the block of the stream with this number, from 0.
struct StreamBlockHead {
  KeyStreamId id;
  std::uint64_t block = 0;
};

// From either end to the other.
struct StreamNote {
  enum class Kind : std::uint8_t {
    kJoined = 1,  // the destination's application is there
    kRead = 2,    // `next`: the chunk that the destination's application takes next
    kClosed = 3,  // the application closed its end: what is there may still be taken
    kBroken = 4,  // the stream ends at once
    kAsk = 5,     // whether the stream is still there
  };
  KeyStreamId id;
  Kind kind = Kind::kJoined;
  std::uint64_t next = 0;
};

[[nodiscard]] Bytes encode(const StreamOpening& opening);
// Errors of the decoders: kProtocol.
[[nodiscard]] Result<StreamOpening> decode_stream_opening(ByteView bytes);
[[nodiscard]] Bytes encode(const StreamBlockHead& head);
[[nodiscard]] Result<StreamBlockHead> decode_stream_block(ByteView bytes);
[[nodiscard]] Bytes encode(const StreamNote& note);
[[nodiscard]] Result<StreamNote> decode_stream_note(ByteView bytes);

}  // namespace warifu::kme
