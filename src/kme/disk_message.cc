// Encoding and strict decoding.
#include "kme/disk_message.h"

#include "wire/wire.h"

namespace warifu::kme {

Bytes encode(const DiskQuestion& question) {
  wire::Writer writer;
  writer.u8(static_cast<std::uint8_t>(question.order));
  writer.id(question.set);
  if (question.order == DiskTalk::kNote) {
    writer.u32(question.held);
    writer.u32(question.agreed);
    return writer.take();
  }
  writer.u32(question.piece);
  if (question.order == DiskTalk::kCompare) {
    writer.u32(question.first);
    writer.u32(question.count);
    writer.raw(question.key.bytes());
  }
  return writer.take();
}

Result<DiskQuestion> decode_disk_question(ByteView body) {
  wire::Reader reader(body, "request about a disk set");
  DiskQuestion question;
  const std::uint8_t order = reader.u8();
  if (order < 1 || order > 4) reader.reject("the order must be 1 to 4");
  question.order = static_cast<DiskTalk>(order);
  question.set = reader.id<DiskSetId>();
  if (question.order == DiskTalk::kNote) {
    question.held = reader.u32();
    question.agreed = reader.u32();
    if (question.held > kMaxDiskPieces || question.agreed > question.held) {
      reader.reject("impossible number of pieces");
    }
  } else {
    question.piece = reader.u32();
    if (question.piece >= kMaxDiskPieces) reader.reject("impossible piece");
  }
  if (question.order == DiskTalk::kCompare) {
    question.first = reader.u32();
    question.count = reader.u32();
    question.key = secret::Buffer::copy_of(reader.raw(mac::kBlockBytes));
    if (question.count == 0 || question.count > DiskQuestion::kMostUnits) {
      reader.reject("number of units out of range");
    }
  }
  TRY(reader.finish());
  return question;
}

Bytes encode(const DiskNote& note) {
  wire::Writer writer;
  writer.u32(note.held);
  writer.u32(note.agreed);
  return writer.take();
}

Result<DiskNote> decode_disk_note(ByteView body) {
  wire::Reader reader(body, "answer about a disk set");
  DiskNote note;
  note.held = reader.u32();
  note.agreed = reader.u32();
  if (note.held > kMaxDiskPieces || note.agreed > note.held) {
    reader.reject("impossible number of pieces");
  }
  TRY(reader.finish());
  return note;
}

}  // namespace warifu::kme
