// The local record: what a person's card would hold about an object, in a file.
//
//   file := "WRFLREC1" object:16 length:u64 chunk_bytes:u32 hash_key:16 tag:16 crc32c:u32   72
//   bytes
//
// Numbers are little-endian; the checksum covers all that stands before it and is against accidents
// only. The hash key is secret: whoever has it can change a share so that nobody notices. Values
// only, any thread; callers keep the encoded form in locked memory.
#pragma once

#include "base/ids.h"
#include "mac/mac.h"
#include "secret/secret.h"
#include "sharing/chunk.h"

namespace warifu::localshare {

inline constexpr std::size_t kLocalRecordBytes = 72;

struct LocalRecord {
  ObjectId object;
  sharing::Chunking chunking;
  secret::Buffer hash_key;  // 16 bytes
  mac::Tag tag{};           // over all tags
};

[[nodiscard]] secret::Buffer encode_record(const LocalRecord& record);
// Errors: kCorrupt naming `path` and what is wrong.
[[nodiscard]] Result<LocalRecord> parse_record(ByteView bytes, const std::string& path);

}  // namespace warifu::localshare
