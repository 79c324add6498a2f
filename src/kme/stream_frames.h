// The frames of a key stream's local socket, in the manner of ETSI GS QKD 004 V2.1.1
// (docs/formats/key-stream.md): OPEN_CONNECT, GET_KEY, CLOSE.
//
//   frame := version:3 service:u8 length:u32 payload{length}      numbers big-endian
//
// Both ends use this file. A length beyond kMaxStreamRequest is refused before a byte of the
// payload is read, so a peer can make nobody hold more than that. No key passes through here: the
// key of an answer follows its head from secret memory.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/ids.h"

namespace warifu::kme {

using KeyStreamId = Id16<struct KeyStreamTag>;  // Key_stream_ID, a UUID

[[nodiscard]] std::string stream_id_text(const KeyStreamId& id);
// A UUID with or without dashes. Errors: kInvalidArgument.
[[nodiscard]] Result<KeyStreamId> parse_stream_id(std::string_view text);

enum class StreamService : std::uint8_t {
  kOpenRequest = 2,
  kOpenAnswer = 3,
  kGetRequest = 4,
  kGetAnswer = 5,
  kCloseRequest = 8,
  kCloseAnswer = 9,
};

// Status of clause 6 of the standard; from 256 on this project's own.
enum class StreamStatus : std::uint32_t {
  kOk = 0,
  kOkPeerNotConnected = 1,
  kInsufficientKey = 2,
  kPeerNotConnected = 3,
  kNoConnection = 4,  // the stream broke: a site or the link between them failed
  kIdInUse = 5,
  kTimeout = 6,
  kQosNotMet = 7,     // the answer carries what could be met
  kMetadataSize = 8,  // the answer carries the size that is needed
  kBadRequest = 256,  // and the connection is closed
  kNoStream = 257,
  kChunkGone = 258,  // that index was given, or passed over, before
  kNotAllowed = 259,
  kTooMany = 260,
};
[[nodiscard]] std::string stream_status_text(StreamStatus status);

inline constexpr std::size_t kStreamHeader = 8;
inline constexpr std::size_t kMimetypeBytes = 256;
inline constexpr std::size_t kMaxStreamName = 256;
inline constexpr std::size_t kMaxStreamRequest = 1024;
// Asks for whatever chunk comes next; the answer says which.
inline constexpr std::uint32_t kNextChunk = 0xFFFFFFFF;
inline constexpr std::string_view kStreamMetadata = "application/json";

// Clause 6.2 of the standard. 0 leaves the choice to the site.
struct StreamQos {
  std::uint32_t chunk_bytes = 0;
  std::uint32_t max_bps = 0;
  std::uint32_t min_bps = 0;
  std::uint32_t jitter = 0;    // answered with 0: not promised
  std::uint32_t priority = 0;  // answered with 0: there are none
  std::uint32_t timeout_ms = 0;
  std::uint32_t ttl_seconds = 0;
  std::string mimetype;  // of metadata: kStreamMetadata, or empty for none
  bool operator==(const StreamQos&) const = default;
};

struct StreamHeader {
  StreamService service = StreamService::kOpenRequest;
  std::uint32_t length = 0;
};

struct StreamOpenRequest {
  std::string source, destination;
  StreamQos qos;
  KeyStreamId id;  // zero: the site chooses
  bool operator==(const StreamOpenRequest&) const = default;
};
struct StreamOpenAnswer {
  StreamStatus status = StreamStatus::kOk;
  StreamQos qos;
  KeyStreamId id;
  bool operator==(const StreamOpenAnswer&) const = default;
};
struct StreamGetRequest {
  KeyStreamId id;
  std::uint32_t index = kNextChunk;
  std::uint32_t metadata_bytes = 0;  // most that the caller takes
  bool operator==(const StreamGetRequest&) const = default;
};
// Answer: status:u32 index:u32 key_bytes:u32 key{key_bytes} metadata_bytes:u32 metadata.
struct StreamGetHead {
  StreamStatus status = StreamStatus::kOk;
  std::uint32_t index = 0;
  std::uint32_t key_bytes = 0;
};
inline constexpr std::size_t kStreamGetHead = 12;

using StreamHeaderBytes = std::array<Byte, kStreamHeader>;
[[nodiscard]] StreamHeaderBytes encode(const StreamHeader& header);
// Errors of all decoders: kProtocol.
[[nodiscard]] Result<StreamHeader> decode_stream_header(ByteView bytes);

// Payloads.
[[nodiscard]] Bytes encode(const StreamOpenRequest& request);
[[nodiscard]] Result<StreamOpenRequest> decode_stream_open(ByteView payload);
[[nodiscard]] Bytes encode(const StreamOpenAnswer& answer);
[[nodiscard]] Result<StreamOpenAnswer> decode_stream_opened(ByteView payload);
[[nodiscard]] Bytes encode(const StreamGetRequest& request);
[[nodiscard]] Result<StreamGetRequest> decode_stream_get(ByteView payload);
[[nodiscard]] Bytes encode(const StreamGetHead& head);
[[nodiscard]] Result<StreamGetHead> decode_stream_get_head(ByteView head);
[[nodiscard]] Bytes encode_stream_close(const KeyStreamId& id);
[[nodiscard]] Result<KeyStreamId> decode_stream_close(ByteView payload);
[[nodiscard]] Bytes encode_u32(std::uint32_t number);
[[nodiscard]] Result<std::uint32_t> decode_u32(ByteView bytes);

}  // namespace warifu::kme
