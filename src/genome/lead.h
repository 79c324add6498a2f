// The lead of a genome object: manifest and index, before the file itself, padded to whole chunks,
// so that what tells where things are is shared, tagged and released exactly as the data is.
//
//   lead := "WGO1" version:u16=1 kind:u8 index_kind:u8 lead_chunks:u32 chunk_bytes:u32
//           file_bytes:u64 trailer_bytes:u64 records_digest:32 manifest_bytes:u32 index_bytes:u64
//           head_bytes:u32 manifest index head crc32c:u32 zeros              (little-endian)
//   manifest := gzip of: assembly:text references:u32 reference{references}
//   reference := name:text length:u64 md5:text                       text := length:u16 bytes
//   index := gzip of the index file          head := the file's own header, as it stands there
//
// With the head in the lead no chunk of the file is read for its header alone. The fixed part, 80
// bytes, lies in the first chunk, so a lead's length can be learnt from that
// alone. docs/formats/genome-object.md. Values; any thread.
#pragma once

#include "base/limits.h"
#include "genome/header.h"
#include "genome/index.h"

namespace warifu::genome {

inline constexpr std::size_t kMaxAssemblyName = 32;
inline constexpr std::size_t kMaxHead = 64 * 1024;  // a longer header stays in the file alone

struct Lead {
  FileKind kind = FileKind::kCram;
  IndexKind index_kind = IndexKind::kCrai;
  WholeFile file;
  // Of all records in canonical form, where the file was rewritten: the same before and after.
  // Zero: it is as it was, or was not read for that.
  std::array<Byte, 32> records_digest{};
  std::string assembly;  // "GRCh38"
  std::vector<Reference> references;
  Bytes index;               // the index file, as its tool wrote it
  Bytes head;                // the file's first bytes, all of its header; may be empty
  std::uint32_t chunks = 0;  // set by parse_lead()

  // What header.h makes of a file's own header, as far as names and lengths go.
  [[nodiscard]] Header header() const;
};

// Errors: kInvalidArgument when a field is longer than the format allows.
[[nodiscard]] Result<Bytes> encode_lead(const Lead& lead,
                                        std::uint32_t chunk_bytes = limits::kChunkBytes);
// All of it. Errors: kCorrupt naming what is wrong.
[[nodiscard]] Result<Lead> parse_lead(ByteView bytes);

// GRCh37, GRCh38 or T2T-CHM13v2 by the lengths of chromosomes 1 and 20; nothing when neither is
// there or they fit none.
[[nodiscard]] std::optional<std::string> guess_assembly(const std::vector<Reference>& references);

}  // namespace warifu::genome
