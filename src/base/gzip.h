// gzip (RFC 1952) and bare deflate (RFC 1951) in bounded memory: the one place that calls zlib.
//
// Invariant: no function gives more bytes than its caller's limit, whatever the input says of
// itself. Stateless; any thread. What is secret stays secret only in buffers that the caller gives:
// gunzip() and gzip() work in ordinary memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace warifu {

[[nodiscard]] inline bool is_gzip(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

// All members of a gzip file, as bgzip too writes them. `what` names it. Errors: kCorrupt, also
// when it would inflate to more than `most` bytes, is cut short, or is followed by something else.
[[nodiscard]] Result<Bytes> gunzip(ByteView file, std::uint64_t most, std::string_view what);
// One member, as small as zlib makes it.
[[nodiscard]] Bytes gzip(ByteView plain);

// All of `deflated`, which must be one whole stream and fit; how many bytes it gave, or nothing.
[[nodiscard]] std::optional<std::size_t> inflate_bare(ByteView deflated, MutableBytes out);
// Fast, for what is read once. `out` must have room for `plain` and 1 % and 16 bytes more.
[[nodiscard]] std::size_t deflate_bare(ByteView plain, MutableBytes out);
// CRC-32 of IEEE 802.3, as gzip has it: finds accidents, not people.
[[nodiscard]] std::uint32_t gzip_crc(ByteView bytes);

}  // namespace warifu
