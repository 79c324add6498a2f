// BAM, VCF.gz, BCF: from bins to virtual ranges to bytes, and back to a complete file.
//
// Sound for every sorted file, whoever wrote its index: records of a bin start within it, so what
// lies behind a bin beyond the region can be left out; and no record that overlaps a window lies
// before the window's linear offset.
#include <algorithm>

#include "genome/bgzf.h"
#include "genome/index_parts.h"

namespace warifu::genome {
namespace {

constexpr std::uint64_t kMaxHeaderUnknown = 64ULL << 20U;

struct Interval {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

Interval interval_of(const Binning& binning, std::uint32_t bin) {
  std::uint64_t first = 0;
  unsigned level = 0;
  while (bin >= first + (1ULL << (3 * level))) first += 1ULL << (3 * level++);
  const unsigned shift = binning.min_shift + 3 * (binning.depth - level);
  const auto start = static_cast<std::int64_t>((bin - first) << shift);
  return {start, start + (1LL << shift)};
}

const Bin* find_bin(const BinnedReference& reference, std::uint64_t number) {
  const auto at = std::ranges::lower_bound(reference.bins, number, {}, &Bin::number);
  return at == reference.bins.end() || at->number != number ? nullptr : &*at;
}

// No record that overlaps `start` or anything behind it lies before this place.
VirtualOffset first_offset(const Binning& binning, const BinnedReference& reference,
                           std::int64_t start) {
  const unsigned whole = binning.min_shift + 3 * binning.depth;
  if (start >> whole != 0) return 0;
  if (!reference.linear.empty()) {
    auto window = std::min<std::size_t>(static_cast<std::size_t>(start >> binning.min_shift),
                                        reference.linear.size() - 1);
    while (window > 0 && reference.linear[window] == 0) --window;
    return reference.linear[window];
  }
  const std::uint64_t smallest = ((1ULL << (3 * binning.depth)) - 1) / 7;
  std::uint64_t bin = smallest + (static_cast<std::uint64_t>(start) >> binning.min_shift);
  // The bin, its elder siblings, its parent, its elder siblings, and so on.
  for (;;) {
    if (const Bin* found = find_bin(reference, bin)) return found->first;
    if (bin == 0) return 0;
    const std::uint64_t parent = (bin - 1) >> 3U;
    bin = bin > (parent << 3U) + 1 ? bin - 1 : parent;
  }
}

void add_region(const Binning& binning, const Region& region, std::vector<VirtualRange>& pieces) {
  const auto id = static_cast<std::size_t>(region.reference);
  if (id >= binning.references.size()) return;
  const BinnedReference& reference = binning.references[id];
  const VirtualOffset first = first_offset(binning, reference, region.start);
  VirtualOffset last = UINT64_MAX;
  std::vector<VirtualRange> found;
  for (const Bin& bin : reference.bins) {
    const Interval where = interval_of(binning, bin.number);
    for (const VirtualRange& chunk : bin.chunks) {
      if (where.start >= region.end) {
        last = std::min(last, chunk.begin);
      } else if (where.end > region.start) {
        found.push_back(chunk);
      }
    }
  }
  for (VirtualRange chunk : found) {
    chunk.begin = std::max(chunk.begin, first);
    chunk.end = std::min(chunk.end, last);
    if (chunk.begin < chunk.end) pieces.push_back(chunk);
  }
}

// Neighbours that touch or share a block become one.
std::vector<VirtualRange> merged(std::vector<VirtualRange> pieces) {
  std::ranges::sort(pieces);
  std::vector<VirtualRange> out;
  for (const VirtualRange& piece : pieces) {
    if (!out.empty() && block_of(piece.begin) <= block_of(out.back().end)) {
      out.back().end = std::max(out.back().end, piece.end);
    } else {
      out.push_back(piece);
    }
  }
  return out;
}

struct Extent {
  VirtualOffset first = UINT64_MAX;
  VirtualOffset last = 0;
  std::vector<std::uint64_t> blocks;  // known starts, ascending
};

Extent extent_of(const Binning& binning) {
  Extent extent;
  for (const BinnedReference& reference : binning.references) {
    for (const Bin& bin : reference.bins) {
      for (const VirtualRange& chunk : bin.chunks) {
        extent.first = std::min(extent.first, chunk.begin);
        extent.last = std::max(extent.last, chunk.end);
        extent.blocks.push_back(block_of(chunk.begin));
        extent.blocks.push_back(block_of(chunk.end));
      }
    }
  }
  std::ranges::sort(extent.blocks);
  extent.blocks.erase(std::unique(extent.blocks.begin(), extent.blocks.end()), extent.blocks.end());
  return extent;
}

// The end in bytes of what has to be read up to a virtual offset. Lengths of blocks are not in an
// index: where it names no later block, the longest possible one is read.
std::uint64_t end_bytes(const Extent& extent, VirtualOffset at, std::uint64_t end) {
  const std::uint64_t block = block_of(at);
  if (within_of(at) == 0) return block;
  const auto next = std::ranges::upper_bound(extent.blocks, block);
  return std::min({block + kMaxBgzfBlock, end, next == extent.blocks.end() ? end : *next});
}

class PieceCopier {
 public:
  PieceCopier(const Cut& cut, const ReadAt& read, const Sink& sink, std::string_view what)
      : ranges_(cut.ranges()), read_(read), sink_(sink), what_(what), buffer_(kMaxBgzfBlock) {}

  Result<> copy(const VirtualRange& piece) {
    std::uint64_t at = block_of(piece.begin);
    while (at < block_of(piece.end) || (at == block_of(piece.end) && within_of(piece.end) > 0)) {
      TRY_ASSIGN(const std::size_t bytes, load(at));
      const bool is_first = at == block_of(piece.begin);
      const bool is_last = at == block_of(piece.end);
      if (is_last || (is_first && within_of(piece.begin) > 0)) {
        TRY(write_part(bytes, is_first ? within_of(piece.begin) : 0,
                       is_last ? within_of(piece.end) : kMaxBgzfBlock));
      } else {
        TRY(sink_(buffer_.bytes().first(bytes)));
      }
      at += bytes;
    }
    return {};
  }

 private:
  std::unexpected<Error> bad(std::uint64_t at, const char* why) const {
    return fail(Code::kCorrupt, std::string(what_) + ", byte " + std::to_string(at) + ": " + why);
  }

  // Only what the cut names may be asked for.
  Result<> read_within(std::uint64_t at, MutableBytes out) {
    std::uint64_t reached = at;  // ranges may touch
    for (const ByteRange& range : ranges_) {
      if (range.begin <= reached && reached < range.end) reached = range.end;
    }
    if (reached < at + out.size()) return bad(at, "the index does not fit this file");
    return read_(at, out);
  }

  Result<std::size_t> load(std::uint64_t at) {
    TRY(read_within(at, buffer_.bytes().first(kBgzfHeadBytes)));
    TRY_ASSIGN(const std::size_t bytes,
               bgzf_block_bytes(buffer_.bytes().first(kBgzfHeadBytes),
                                std::string(what_) + ", byte " + std::to_string(at)));
    TRY(read_within(at + kBgzfHeadBytes,
                    buffer_.bytes().subspan(kBgzfHeadBytes, bytes - kBgzfHeadBytes)));
    return bytes;
  }

  Result<> write_part(std::size_t bytes, std::size_t begin, std::size_t end) {
    TRY_ASSIGN(const secret::Buffer plain, inflate_block(buffer_.bytes().first(bytes), what_));
    if (begin > plain.size() || (end != kMaxBgzfBlock && end > plain.size())) {
      return fail(Code::kCorrupt, std::string(what_) + ": the index points behind a block's end");
    }
    for (std::size_t at = begin; at < std::min(end, plain.size());) {
      const std::size_t part = std::min(kBgzfFillBytes, std::min(end, plain.size()) - at);
      TRY(sink_(deflate_block(plain.bytes().subspan(at, part)).bytes()));
      at += part;
    }
    return {};
  }

  std::vector<ByteRange> ranges_;
  const ReadAt& read_;
  const Sink& sink_;
  std::string_view what_;
  secret::Buffer buffer_;
};

}  // namespace

namespace {

Cut cut_out(const Index& index, const std::vector<Region>& regions, const Extent& extent,
            std::uint64_t end) {
  Cut made;
  made.trailer = Bytes(kBgzfEnd.begin(), kBgzfEnd.end());
  std::vector<VirtualRange> pieces = {{0, extent.first}};
  for (const Region& region : regions) {
    if (region.reference == kUnplaced) {
      if (extent.last < end << 16U) pieces.push_back({extent.last, end << 16U});
    } else {
      add_region(index.binning, region, pieces);
    }
  }
  made.pieces = merged(std::move(pieces));
  made.header = {0, end_bytes(extent, extent.first, end)};
  for (const VirtualRange& piece : made.pieces) {
    const std::uint64_t begin = std::max(block_of(piece.begin), made.header.end);
    const std::uint64_t stop = end_bytes(extent, piece.end, end);
    if (begin >= stop) continue;
    if (!made.body.empty() && made.body.back().end >= begin) {
      made.body.back().end = std::max(made.body.back().end, stop);
    } else {
      made.body.push_back({begin, stop});
    }
  }
  return made;
}

}  // namespace

Result<std::vector<Cut>> cuts_bgzf(const Index& index, std::span<const std::vector<Region>> wishes,
                                   const WholeFile& file) {
  const std::uint64_t end = file.bytes - file.trailer_bytes;
  const Extent extent = extent_of(index.binning);
  if (extent.blocks.empty()) {
    if (end > kMaxHeaderUnknown) {
      return fail(Code::kNotFound,
                  "no record of this file has a position, so its index tells nothing of it");
    }
    const Cut whole = {.header = {0, end},
                       .body = {},
                       .pieces = {{0, end << 16U}},
                       .trailer = Bytes(kBgzfEnd.begin(), kBgzfEnd.end())};
    return std::vector<Cut>(wishes.size(), whole);
  }
  if (extent.blocks.back() > end || block_of(extent.last) >= end + kMaxBgzfBlock) {
    return fail(Code::kCorrupt, "the index does not belong to a file of " +
                                    std::to_string(file.bytes) + " bytes: it names one at " +
                                    std::to_string(extent.blocks.back()));
  }
  std::vector<Cut> made;
  for (const std::vector<Region>& regions : wishes) {
    made.push_back(cut_out(index, regions, extent, end));
  }
  return made;
}

Result<> copy_pieces(const Cut& cut, const ReadAt& read, const Sink& sink, std::string_view what) {
  PieceCopier copier(cut, read, sink, what);
  for (const VirtualRange& piece : cut.pieces) TRY(copier.copy(piece));
  return {};
}

}  // namespace warifu::genome
