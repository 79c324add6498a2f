// Encoding and bounded decoding of the devices' messages.
#include "kme/rate_model_wire.h"

#include "wire/wire.h"

namespace warifu::kme::rate_wire {
namespace {

constexpr std::size_t kMaxName = 256;

void put(wire::Writer& writer, const Hello& hello) {
  writer.u32(kVersion);
  writer.u8(static_cast<std::uint8_t>(hello.role));
  writer.u32(hello.key_bytes);
  writer.u32(hello.max_key_count);
  writer.u64(hello.rate);
  writer.raw(hello.instance);
  writer.raw(hello.known_instance);
  writer.text(hello.kme_id);
  writer.text(hello.local_sae);
  writer.text(hello.remote_sae);
  writer.u64(hello.received);
}
void put(wire::Writer& writer, const KeyHead& key) {
  writer.u64(key.sequence);
  writer.u8(static_cast<std::uint8_t>(key.direction));
  writer.text(key.id);
}
void put(wire::Writer& writer, const Ack& ack) {
  writer.u64(ack.sequence);
}
void put(wire::Writer& writer, const Taken& taken) {
  writer.u64(taken.first);
  writer.u32(static_cast<std::uint32_t>(taken.ids.size()));
  for (const std::string& id : taken.ids) writer.text(id);
}
void put(wire::Writer& writer, const State& state) {
  writer.u64(state.released);
  writer.u64(state.taken_heard);
  writer.u64(state.discarded_bits);
}

Instance instance(wire::Reader& reader) {
  Instance value{};
  const ByteView raw = reader.raw(value.size());
  if (raw.size() == value.size()) copy_bytes(value, raw);
  return value;
}

std::string key_id(wire::Reader& reader) {
  std::string id = reader.text(kMaxName);
  const auto normal = etsi014::normal_uuid(id);
  if (!normal || *normal != id) reader.reject("key id is not a UUID in lower case");
  return id;
}

Hello hello(wire::Reader& reader) {
  Hello hello;
  if (reader.u32() != kVersion) reader.reject("another version of the device protocol");
  const std::uint8_t role = reader.u8();
  if (role != 1 && role != 2) reader.reject("unknown role");
  hello.role = static_cast<RateModelRole>(role);
  hello.key_bytes = reader.u32();
  hello.max_key_count = reader.u32();
  hello.rate = reader.u64();
  hello.instance = instance(reader);
  hello.known_instance = instance(reader);
  hello.kme_id = reader.text(kMaxName);
  hello.local_sae = reader.text(kMaxName);
  hello.remote_sae = reader.text(kMaxName);
  hello.received = reader.u64();
  return hello;
}

KeyHead key_head(wire::Reader& reader) {
  KeyHead key;
  key.sequence = reader.u64();
  const std::uint8_t direction = reader.u8();
  if (direction != 1 && direction != 2) reader.reject("unknown direction");
  key.direction = static_cast<KeyDirection>(direction);
  key.id = key_id(reader);
  return key;
}

Taken taken(wire::Reader& reader) {
  Taken taken;
  taken.first = reader.u64();
  const std::uint32_t count = reader.u32();
  if (count > kIdsInTaken) reader.reject("too many ids");
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) taken.ids.push_back(key_id(reader));
  return taken;
}

}  // namespace

Bytes encode(const Message& message) {
  wire::Writer body;
  std::visit([&](const auto& value) { put(body, value); }, message);
  WARIFU_CHECK(body.bytes().size() <= kMaxBody);
  wire::Writer frame;
  frame.u8(static_cast<std::uint8_t>(message.index() + 1));
  frame.u32(static_cast<std::uint32_t>(body.bytes().size()));
  frame.raw(body.bytes());
  return frame.take();
}

Result<FrameHead> decode_head(ByteView head) {
  wire::Reader reader(head, "device frame");
  FrameHead result;
  result.type = reader.u8();
  result.length = reader.u32();
  if (result.length > kMaxBody) reader.reject("frame too long");
  TRY(reader.finish());
  return result;
}

Result<Message> decode(std::uint8_t type, ByteView body) {
  wire::Reader reader(body, "device message");
  Message message;
  switch (type) {
    case 1: message = hello(reader); break;
    case 2: message = key_head(reader); break;
    case 3: message = Ack{reader.u64()}; break;
    case 4: message = taken(reader); break;
    case 5: {
      State state;
      state.released = reader.u64();
      state.taken_heard = reader.u64();
      state.discarded_bits = reader.u64();
      message = state;
      break;
    }
    default: reader.reject("unknown message");
  }
  TRY(reader.finish());
  return message;
}

}  // namespace warifu::kme::rate_wire
