// Encoding and strict decoding of requests, replies and errors.
#include "channel/message.h"

#include <algorithm>

#include "base/reason.h"
#include "mac/mac.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {

void write_shape(wire::Writer& writer, const StreamShape& shape) {
  writer.u64(shape.frames);
  writer.u64(shape.bytes);
  writer.u32(shape.frame_bytes);
  writer.u8(shape.drawn ? (shape.application ? 2 : 1) : 0);
}

StreamShape read_shape(wire::Reader& reader) {
  StreamShape shape;
  shape.frames = reader.u64();
  shape.bytes = reader.u64();
  shape.frame_bytes = reader.u32();
  const std::uint8_t drawn = reader.u8();
  if (drawn > 2) reader.reject("unknown kind of data frames");
  shape.drawn = drawn != 0;
  shape.application = drawn == 2;
  if (shape.frames == 0) {
    if (shape.bytes != 0) reader.reject("bytes without frames");
    return shape;
  }
  const bool sane = shape.frame_bytes > 0 && shape.frame_bytes <= limits::kMaxFramePayload &&
                    shape.frames <= limits::kMaxObjectBytes / shape.frame_bytes &&
                    shape.bytes > (shape.frames - 1) * shape.frame_bytes &&
                    shape.bytes <= shape.frames * shape.frame_bytes;
  if (!sane) reader.reject("the announced data frames make no sense");
  if (shape.drawn && shape.frame_bytes % mac::kBlockBytes != 0) {
    reader.reject("drawn frames must be whole blocks");
  }
  return shape;
}

}  // namespace

std::uint64_t StreamShape::frame_length(std::uint64_t index) const {
  WARIFU_CHECK(index < frames);
  return index + 1 < frames ? frame_bytes : bytes - (frames - 1) * frame_bytes;
}

std::uint64_t StreamShape::window_frames(std::uint64_t first) const {
  WARIFU_CHECK(first < frames);
  return std::min<std::uint64_t>(limits::kWindowFrames, frames - first);
}

std::uint64_t StreamShape::window_bytes(std::uint64_t first) const {
  const std::uint64_t count = window_frames(first);
  return (count - 1) * frame_bytes + frame_length(first + count - 1);
}

Bytes encode(const Request& request) {
  wire::Writer writer;
  writer.site(request.from);
  writer.site(request.to);
  writer.u8(request.hops);
  writer.sites(request.way);
  writer.sites(request.passed);
  writer.u16(request.method);
  writer.id(request.job);
  write_shape(writer, request.upload);
  writer.blob(request.body);
  return writer.take();
}

Result<Request> decode_request(ByteView bytes) {
  wire::Reader reader(bytes, "request");
  Request request;
  request.from = reader.site();
  request.to = reader.site();
  request.hops = reader.u8();
  request.way = reader.sites(0, limits::kMaxHops);
  if (!request.way.empty() && request.way.back() != request.to) {
    reader.reject("the way does not end at its destination");
  }
  request.passed = reader.sites(0, limits::kMaxHops + 1);
  request.method = reader.u16();
  request.job = reader.id<JobId>();
  request.upload = read_shape(reader);
  const ByteView body = reader.blob(limits::kMaxFramePayload);
  request.body.assign(body.begin(), body.end());
  TRY(reader.finish());
  return request;
}

Bytes encode(const Reply& reply) {
  wire::Writer writer;
  write_shape(writer, reply.download);
  writer.blob(reply.body);
  return writer.take();
}

Result<Reply> decode_reply(ByteView bytes) {
  wire::Reader reader(bytes, "reply");
  Reply reply;
  reply.download = read_shape(reader);
  if (reply.download.drawn) reader.reject("a download cannot be drawn");
  const ByteView body = reader.blob(limits::kMaxFramePayload);
  reply.body.assign(body.begin(), body.end());
  TRY(reader.finish());
  return reply;
}

Bytes encode(const Error& error) {
  wire::Writer writer;
  writer.u8(static_cast<std::uint8_t>(error.code));
  writer.text(error_text(error));
  return writer.take();
}

Error decode_error(ByteView bytes, const SiteName& peer) {
  wire::Reader reader(bytes, "error");
  const Code code = code_from_number(reader.u8());
  Error error = error_of_text(code, reader.text(4000));
  std::string& text = error.message;
  text.resize(std::min<std::size_t>(text.size(), 1000));
  // It goes to logs and terminals: no control characters from afar.
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!reader.finish()) return {Code::kProtocol, peer.text() + " sent a malformed error"};
  const std::string prefix = peer.text() + ": ";
  if (!text.starts_with(prefix)) text.insert(0, prefix);
  return error;
}

}  // namespace warifu::channel
