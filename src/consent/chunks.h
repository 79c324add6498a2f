// Which chunks of a stored object, as ranges: what a holder can check that knows nothing of
// genomes.
//
//   chunks := count:u16 range{count}     range := first:u32 count:u32
//
// One set of chunks has one encoding: ranges ascend, are not empty, and neither overlap nor touch.
// Values only; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/wire.h"

namespace warifu::consent {

inline constexpr std::size_t kMaxChunkRanges = 400;

// The chunks [first, first + count).
struct ChunkRange {
  std::uint32_t first = 0;
  std::uint32_t count = 1;
  [[nodiscard]] std::uint64_t end() const { return std::uint64_t{first} + count; }
  bool operator==(const ChunkRange&) const = default;
};
using ChunkRanges = std::vector<ChunkRange>;

// Sorts, and merges what overlaps or touches. Errors: kInvalidArgument for a range that is none, or
// when more than kMaxChunkRanges remain.
[[nodiscard]] Result<ChunkRanges> make_chunks(std::vector<ChunkRange> ranges);
[[nodiscard]] std::uint64_t chunk_count(const ChunkRanges& chunks);
// "0-2, 7": first and last of each range, for logs.
[[nodiscard]] std::string chunks_text(const ChunkRanges& chunks);

// Whether every one of [first, first + count), which must not be empty, is among them.
[[nodiscard]] bool has_chunks(const ChunkRanges& chunks, std::uint64_t first, std::uint64_t count);

// Empty when it is canonical, else what is wrong with it.
[[nodiscard]] std::string flaw_of(const ChunkRanges& chunks);

void write_chunks(wire::Writer& writer, const ChunkRanges& chunks);
[[nodiscard]] ChunkRanges read_chunks(wire::Reader& reader);

}  // namespace warifu::consent
