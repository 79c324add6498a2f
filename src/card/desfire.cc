// Texts, frames and headers of DESFire commands.
#include "card/desfire.h"

namespace warifu::card::desfire {
namespace {

std::string_view meaning(Status status) {
  switch (status) {
    case Status::kOk: return "done";
    case Status::kNoChanges: return "nothing to commit";
    case Status::kOutOfMemory: return "the card is full";
    case Status::kIllegalCommand: return "the card does not know this command";
    case Status::kIntegrity: return "wrong MAC, checksum or padding";
    case Status::kNoSuchKey: return "no such key";
    case Status::kLength: return "wrong length";
    case Status::kPermission: return "not allowed";
    case Status::kParameter: return "wrong parameter";
    case Status::kNoApplication: return "no such application";
    case Status::kAuthentication: return "authentication failed";
    case Status::kMore: return "more frames follow";
    case Status::kBoundary: return "beyond the end of the file";
    case Status::kAborted: return "aborted";
    case Status::kDuplicate: return "exists already";
    case Status::kNoFile: return "no such file";
    case Status::kMemory: return "the card could not store";
  }
  return "unknown";
}

}  // namespace

std::string status_text(Status status) {
  return to_hex(std::array<Byte, 2>{0x91, static_cast<Byte>(status)}) + " (" +
         std::string(meaning(status)) + ")";
}

std::optional<Status> status_of(StatusWord word) {
  if ((word.value & 0xFF00) != kStatusBase) return std::nullopt;
  return static_cast<Status>(word.value & 0xFF);
}

std::array<Byte, 7> Span::bytes() const {
  std::array<Byte, 7> out = {file.value};
  for (std::size_t i = 0; i < 3; ++i) {
    out[1 + i] = static_cast<Byte>(offset >> (8 * i));
    out[4 + i] = static_cast<Byte>(length >> (8 * i));
  }
  return out;
}

std::size_t header_bytes(Command command) {
  switch (command) {
    case Command::kReadData:
    case Command::kWriteData: return 7;
    case Command::kChangeKey:
    case Command::kGetFileSettings:
    case Command::kGetKeyVersion: return 1;
    case Command::kCreateStdDataFile:
    case Command::kCreateBackupDataFile: return 7;
    case Command::kDeleteApplication: return 3;
    default: return 0;
  }
}

Result<secret::Buffer> wrap(Command command, ByteView data) {
  return encode_command({0x90, static_cast<Byte>(command), 0, 0}, data, kShortExpected);
}

secret::Buffer joined(std::initializer_list<ByteView> pieces) {
  std::size_t size = 0;
  for (const ByteView piece : pieces) size += piece.size();
  secret::Buffer out(size);
  std::size_t at = 0;
  for (const ByteView piece : pieces) {
    copy_bytes(out.bytes().subspan(at), piece);
    at += piece.size();
  }
  return out;
}

}  // namespace warifu::card::desfire
