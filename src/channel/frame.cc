// Header encoding and strict decoding.
#include "channel/frame.h"

#include "base/limits.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {
constexpr std::uint8_t kVersion = 2;

bool known(std::uint8_t type) {
  return (type >= 1 && type <= 5) || (type >= 16 && type <= 18) || (type >= 32 && type <= 38);
}
}  // namespace

HeaderBytes encode(const FrameHeader& header) {
  wire::Writer writer;
  writer.raw(as_bytes("WF"));
  writer.u8(kVersion);
  writer.u8(static_cast<std::uint8_t>(header.type));
  writer.u32(header.length);
  writer.u64(header.pad_offset.value);
  writer.u64(header.sequence);
  HeaderBytes bytes{};
  copy_bytes(bytes, writer.bytes());
  return bytes;
}

Result<FrameHeader> decode_header(ByteView bytes) {
  wire::Reader reader(bytes, "frame header");
  if (as_text(reader.raw(2)) != "WF") reader.reject("this is not a Warifu frame");
  if (reader.u8() != kVersion) reader.reject("unknown version");
  const std::uint8_t type = reader.u8();
  if (!known(type)) reader.reject("unknown type " + std::to_string(type));
  FrameHeader header;
  header.type = static_cast<FrameType>(type);
  header.length = reader.u32();
  if (header.length > limits::kMaxFramePayload) reader.reject("payload is too long");
  header.pad_offset = {reader.u64()};
  header.sequence = reader.u64();
  for (const Byte b : reader.raw(8)) {
    if (b != 0) reader.reject("reserved bytes are not zero");
  }
  TRY(reader.finish());
  return header;
}

}  // namespace warifu::channel
