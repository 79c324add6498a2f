// Encoding and strict decoding.
#include "kme/stream_message.h"

#include "kme/key_stream.h"
#include "wire/wire.h"

namespace warifu::kme {

Bytes encode(const StreamOpening& opening) {
  wire::Writer writer;
  writer.id(opening.id);
  writer.text(opening.source);
  writer.text(opening.destination);
  writer.u32(opening.chunk_bytes);
  writer.u32(opening.life_ms);
  return writer.take();
}

Result<StreamOpening> decode_stream_opening(ByteView bytes) {
  wire::Reader reader(bytes, "opening of a key stream");
  StreamOpening opening;
  opening.id = reader.id<KeyStreamId>();
  opening.source = reader.text(kMaxStreamName);
  opening.destination = reader.text(kMaxStreamName);
  opening.chunk_bytes = reader.u32();
  opening.life_ms = reader.u32();
  if (!is_chunk_size(opening.chunk_bytes)) reader.reject("size of chunks out of range");
  TRY(reader.finish());
  return opening;
}

Bytes encode(const StreamBlockHead& head) {
  wire::Writer writer;
  writer.id(head.id);
  writer.u64(head.block);
  return writer.take();
}

Result<StreamBlockHead> decode_stream_block(ByteView bytes) {
  wire::Reader reader(bytes, "block of a key stream");
  StreamBlockHead head{reader.id<KeyStreamId>(), reader.u64()};
  TRY(reader.finish());
  return head;
}

Bytes encode(const StreamNote& note) {
  wire::Writer writer;
  writer.id(note.id);
  writer.u8(static_cast<std::uint8_t>(note.kind));
  writer.u64(note.next);
  return writer.take();
}

Result<StreamNote> decode_stream_note(ByteView bytes) {
  wire::Reader reader(bytes, "note of a key stream");
  StreamNote note;
  note.id = reader.id<KeyStreamId>();
  const std::uint8_t kind = reader.u8();
  if (kind < 1 || kind > 5) reader.reject("no such kind");
  note.kind = static_cast<StreamNote::Kind>(kind);
  note.next = reader.u64();
  TRY(reader.finish());
  return note;
}

}  // namespace warifu::kme
