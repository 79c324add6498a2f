// Encoding and strict parsing of the local record.
#include "localshare/record.h"

#include "base/limits.h"
#include "wire/wire.h"

namespace warifu::localshare {
namespace {

constexpr std::string_view kMagic = "WRFLREC1";
constexpr std::size_t kKeyAt = 36;
constexpr std::size_t kTagAt = kKeyAt + mac::kBlockBytes;
constexpr std::size_t kChecksumAt = kLocalRecordBytes - 4;
static_assert(kTagAt + mac::kBlockBytes == kChecksumAt);

std::unexpected<Error> damaged(const std::string& path, std::string_view why) {
  return fail(Code::kCorrupt, "record '" + path + "' is damaged: " + std::string(why));
}

}  // namespace

secret::Buffer encode_record(const LocalRecord& record) {
  WARIFU_CHECK(record.hash_key.size() == mac::kBlockBytes);
  wire::Writer head;
  head.raw(as_bytes(kMagic));
  head.id(record.object);
  head.u64(record.chunking.object_length.value);
  head.u32(record.chunking.chunk_bytes);
  secret::Buffer out(kLocalRecordBytes);
  const MutableBytes bytes = out.bytes();
  copy_bytes(bytes, head.bytes());
  copy_bytes(bytes.subspan(kKeyAt), record.hash_key.bytes());
  copy_bytes(bytes.subspan(kTagAt), record.tag);
  wire::Writer checksum;
  checksum.u32(wire::crc32c(bytes.first(kChecksumAt)));
  copy_bytes(bytes.subspan(kChecksumAt), checksum.bytes());
  return out;
}

Result<LocalRecord> parse_record(ByteView bytes, const std::string& path) {
  if (bytes.size() != kLocalRecordBytes) {
    return damaged(path, std::to_string(bytes.size()) + " bytes instead of 72");
  }
  if (as_text(bytes.first(kMagic.size())) != kMagic) return damaged(path, "it is no local record");
  if (!wire::before_checksum(bytes)) return damaged(path, "wrong checksum");
  wire::Reader reader(bytes.subspan(kMagic.size()), "record");
  LocalRecord record;
  record.object = reader.id<ObjectId>();
  record.chunking.object_length = {reader.u64()};
  record.chunking.chunk_bytes = reader.u32();
  const sharing::Chunking& chunking = record.chunking;
  if (record.object.is_zero()) return damaged(path, "it names no object");
  if (chunking.object_length.value == 0 || chunking.object_length.value > limits::kMaxObjectBytes ||
      chunking.chunk_bytes == 0 || chunking.chunk_bytes > limits::kChunkBytes ||
      chunking.chunk_bytes % sharing::kWordBytes != 0) {
    return damaged(path, "its lengths make no sense");
  }
  record.hash_key = secret::Buffer::copy_of(bytes.subspan(kKeyAt, mac::kBlockBytes));
  copy_bytes(record.tag, bytes.subspan(kTagAt, mac::kBlockBytes));
  return record;
}

}  // namespace warifu::localshare
