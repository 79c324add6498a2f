// Chunk ranges: canonical form, text form, codec, and what lies within them.
#include "consent/chunks.h"

#include <algorithm>
#include <numeric>

namespace warifu::consent {

Result<ChunkRanges> make_chunks(std::vector<ChunkRange> ranges) {
  std::ranges::sort(ranges, {}, &ChunkRange::first);
  ChunkRanges chunks;
  for (const ChunkRange& range : ranges) {
    if (range.count == 0 || range.end() > UINT32_MAX) {
      return fail(Code::kInvalidArgument, "a range of chunks must hold some, below 2^32 - 1");
    }
    if (!chunks.empty() && range.first <= chunks.back().end()) {
      ChunkRange& last = chunks.back();
      last.count = static_cast<std::uint32_t>(std::max(last.end(), range.end()) - last.first);
      continue;
    }
    chunks.push_back(range);
  }
  if (const std::string flaw = flaw_of(chunks); !flaw.empty()) {
    return fail(Code::kInvalidArgument, flaw);
  }
  return chunks;
}

std::uint64_t chunk_count(const ChunkRanges& chunks) {
  return std::accumulate(
      chunks.begin(), chunks.end(), std::uint64_t{0},
      [](std::uint64_t sum, const ChunkRange& range) { return sum + range.count; });
}

std::string chunks_text(const ChunkRanges& chunks) {
  std::string text;
  for (const ChunkRange& range : chunks) {
    text += (text.empty() ? "" : ", ") + std::to_string(range.first);
    if (range.count > 1) text += "-" + std::to_string(range.end() - 1);
  }
  return text;
}

bool has_chunks(const ChunkRanges& chunks, std::uint64_t first, std::uint64_t count) {
  // Ranges do not touch each other, so what is asked for lies within one of them.
  return count > 0 && std::ranges::any_of(chunks, [&](const ChunkRange& range) {
           return range.first <= first && first < range.end() && count <= range.end() - first;
         });
}

std::string flaw_of(const ChunkRanges& chunks) {
  if (chunks.size() > kMaxChunkRanges) {
    return "what is asked for lies in " + std::to_string(chunks.size()) +
           " places of the stored data, at most " + std::to_string(kMaxChunkRanges) +
           " fit in one consent; name fewer regions";
  }
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i].count == 0 || chunks[i].end() > UINT32_MAX) {
      return "a range of chunks holds none, or ends too high";
    }
    if (i > 0 && chunks[i - 1].end() >= chunks[i].first) {
      return "ranges of chunks must be sorted and merged";
    }
  }
  return {};
}

void write_chunks(wire::Writer& writer, const ChunkRanges& chunks) {
  writer.u16(static_cast<std::uint16_t>(chunks.size()));
  for (const ChunkRange& range : chunks) {
    writer.u32(range.first);
    writer.u32(range.count);
  }
}

ChunkRanges read_chunks(wire::Reader& reader) {
  ChunkRanges chunks;
  const std::size_t count = reader.u16();
  if (count > kMaxChunkRanges) reader.reject("there are too many ranges of chunks");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    const std::uint32_t first = reader.u32();
    chunks.push_back({first, reader.u32()});
  }
  if (!reader.good()) return {};
  if (const std::string flaw = flaw_of(chunks); !flaw.empty()) reader.reject(flaw);
  return chunks;
}

}  // namespace warifu::consent
