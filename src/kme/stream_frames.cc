// Encoding and strict decoding; the project's readers are little-endian, so numbers are turned.
#include "kme/stream_frames.h"

#include <algorithm>

#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr Byte kVersion[3] = {1, 0, 1};

void put(wire::Writer& writer, std::uint32_t number) {
  writer.u32(__builtin_bswap32(number));
}

std::uint32_t get(wire::Reader& reader) {
  return __builtin_bswap32(reader.u32());
}

void put(wire::Writer& writer, const StreamQos& qos) {
  for (const std::uint32_t number : {qos.chunk_bytes, qos.max_bps, qos.min_bps, qos.jitter,
                                     qos.priority, qos.timeout_ms, qos.ttl_seconds}) {
    put(writer, number);
  }
  Bytes mimetype(kMimetypeBytes);
  copy_bytes(mimetype,
             as_bytes(qos.mimetype).first(std::min(qos.mimetype.size(), kMimetypeBytes - 1)));
  writer.raw(mimetype);
}

// Text up to the first zero byte, which must come before the end of `bytes`.
std::string text_until_zero(wire::Reader& reader, ByteView bytes) {
  const auto end = std::ranges::find(bytes, Byte{0});
  if (end == bytes.end() && !bytes.empty()) reader.reject("a text without an end");
  return std::string(bytes.begin(), end);
}

StreamQos get_qos(wire::Reader& reader) {
  StreamQos qos;
  for (std::uint32_t* number : {&qos.chunk_bytes, &qos.max_bps, &qos.min_bps, &qos.jitter,
                                &qos.priority, &qos.timeout_ms, &qos.ttl_seconds}) {
    *number = get(reader);
  }
  qos.mimetype = text_until_zero(reader, reader.raw(kMimetypeBytes));
  return qos;
}

}  // namespace

std::string stream_id_text(const KeyStreamId& id) {
  std::string text = id.text();
  for (const std::size_t at : {8UL, 13UL, 18UL, 23UL}) text.insert(at, 1, '-');
  return text;
}

Result<KeyStreamId> parse_stream_id(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '-');
  return KeyStreamId::parse(digits);
}

std::string stream_status_text(StreamStatus status) {
  switch (status) {
    case StreamStatus::kOk: return "ok";
    case StreamStatus::kOkPeerNotConnected: return "ok, the peer application is not connected yet";
    case StreamStatus::kInsufficientKey: return "not enough key in time";
    case StreamStatus::kPeerNotConnected: return "the peer application is not connected";
    case StreamStatus::kNoConnection: return "the stream broke between the sites";
    case StreamStatus::kIdInUse: return "the key stream id is in use";
    case StreamStatus::kTimeout: return "not in time";
    case StreamStatus::kQosNotMet: return "the quality of service cannot be met";
    case StreamStatus::kMetadataSize: return "the room for metadata is too small";
    case StreamStatus::kBadRequest: return "the request is malformed";
    case StreamStatus::kNoStream: return "no such key stream";
    case StreamStatus::kChunkGone: return "that chunk was given or passed over before";
    case StreamStatus::kNotAllowed:
      return "not allowed for this user, application or pair of sites";
    case StreamStatus::kTooMany: return "too many key streams";
  }
  return "status " + std::to_string(static_cast<std::uint32_t>(status));
}

StreamHeaderBytes encode(const StreamHeader& header) {
  wire::Writer writer;
  writer.raw(kVersion);
  writer.u8(static_cast<std::uint8_t>(header.service));
  put(writer, header.length);
  StreamHeaderBytes bytes{};
  copy_bytes(bytes, writer.bytes());
  return bytes;
}

Result<StreamHeader> decode_stream_header(ByteView bytes) {
  wire::Reader reader(bytes, "frame of a key stream");
  const ByteView version = reader.raw(sizeof kVersion);
  if (!std::ranges::equal(version, kVersion)) reader.reject("version must be 1.0.1");
  StreamHeader header;
  header.service = static_cast<StreamService>(reader.u8());
  header.length = get(reader);
  switch (header.service) {
    case StreamService::kOpenRequest:
    case StreamService::kOpenAnswer:
    case StreamService::kGetRequest:
    case StreamService::kGetAnswer:
    case StreamService::kCloseRequest:
    case StreamService::kCloseAnswer: break;
    default: reader.reject("no such service");
  }
  if (header.service != StreamService::kGetAnswer && header.length > kMaxStreamRequest) {
    reader.reject("longer than a request may be");
  }
  TRY(reader.finish());
  return header;
}

Bytes encode(const StreamOpenRequest& request) {
  wire::Writer writer;
  for (const std::string* name : {&request.source, &request.destination}) {
    writer.raw(as_bytes(*name));
    writer.u8(0);
  }
  put(writer, request.qos);
  writer.id(request.id);
  return writer.take();
}

Result<StreamOpenRequest> decode_stream_open(ByteView payload) {
  StreamOpenRequest request;
  for (std::string* name : {&request.source, &request.destination}) {
    const auto end = std::ranges::find(payload, Byte{0});
    const auto size = static_cast<std::size_t>(end - payload.begin());
    if (end == payload.end() || size > kMaxStreamName) {
      return fail(Code::kProtocol,
                  "OPEN_CONNECT: source and destination must end with a zero "
                  "byte and be at most 256 bytes long");
    }
    name->assign(payload.begin(), end);
    payload = payload.subspan(size + 1);
  }
  wire::Reader reader(payload, "OPEN_CONNECT");
  request.qos = get_qos(reader);
  request.id = reader.id<KeyStreamId>();
  TRY(reader.finish());
  return request;
}

Bytes encode(const StreamOpenAnswer& answer) {
  wire::Writer writer;
  put(writer, static_cast<std::uint32_t>(answer.status));
  put(writer, answer.qos);
  writer.id(answer.id);
  return writer.take();
}

Result<StreamOpenAnswer> decode_stream_opened(ByteView payload) {
  wire::Reader reader(payload, "answer to OPEN_CONNECT");
  StreamOpenAnswer answer;
  answer.status = static_cast<StreamStatus>(get(reader));
  answer.qos = get_qos(reader);
  answer.id = reader.id<KeyStreamId>();
  TRY(reader.finish());
  return answer;
}

Bytes encode(const StreamGetRequest& request) {
  wire::Writer writer;
  writer.id(request.id);
  put(writer, request.index);
  put(writer, request.metadata_bytes);
  return writer.take();
}

Result<StreamGetRequest> decode_stream_get(ByteView payload) {
  wire::Reader reader(payload, "GET_KEY");
  StreamGetRequest request;
  request.id = reader.id<KeyStreamId>();
  request.index = get(reader);
  request.metadata_bytes = get(reader);
  TRY(reader.finish());
  return request;
}

Bytes encode(const StreamGetHead& head) {
  wire::Writer writer;
  put(writer, static_cast<std::uint32_t>(head.status));
  put(writer, head.index);
  put(writer, head.key_bytes);
  return writer.take();
}

Result<StreamGetHead> decode_stream_get_head(ByteView bytes) {
  wire::Reader reader(bytes, "answer to GET_KEY");
  StreamGetHead head;
  head.status = static_cast<StreamStatus>(get(reader));
  head.index = get(reader);
  head.key_bytes = get(reader);
  TRY(reader.finish());
  return head;
}

Bytes encode_stream_close(const KeyStreamId& id) {
  return {id.bytes.begin(), id.bytes.end()};
}

Result<KeyStreamId> decode_stream_close(ByteView payload) {
  wire::Reader reader(payload, "CLOSE");
  const auto id = reader.id<KeyStreamId>();
  TRY(reader.finish());
  return id;
}

Bytes encode_u32(std::uint32_t number) {
  wire::Writer writer;
  put(writer, number);
  return writer.take();
}

Result<std::uint32_t> decode_u32(ByteView bytes) {
  wire::Reader reader(bytes, "number");
  const std::uint32_t number = get(reader);
  TRY(reader.finish());
  return number;
}

}  // namespace warifu::kme
