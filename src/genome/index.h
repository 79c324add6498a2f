// Indexes of genome files, parsed by ourselves: .crai of CRAM, .bai of BAM, .csi of BAM, VCF.gz and
// BCF, .tbi of VCF.gz; and which bytes of a file hold a region.
//
// Positions are 0-based and half open everywhere. Reference ids are the index's own: the order of
// @SQ lines (CRAM, BAM), of contigs (BCF), or Index::names (a text VCF); genome/header.h turns
// names into ids. Indexes are as secret as the file: they tell coverage and copy numbers.
//
// Invariants: a parsed index holds no more than the limits below and all its offsets are below
// 2^48; nothing here opens a file. Values; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::genome {

inline constexpr std::uint64_t kMaxIndexBytes = 256ULL << 20U;  // of the file, and inflated
inline constexpr std::uint64_t kMaxBinnedBytes = 64ULL << 20U;  // of all but .crai
inline constexpr std::size_t kMaxIndexLines = 8'000'000;        // slices in a .crai
inline constexpr std::size_t kMaxIndexReferences = 4'000'000;
inline constexpr std::size_t kMaxIndexName = 1024;
inline constexpr std::int32_t kUnplaced = -1;  // reads without a position
inline constexpr std::int64_t kEndOfReference = INT64_MAX;

enum class IndexKind : std::uint8_t { kCrai, kBai, kCsi, kTbi };
[[nodiscard]] std::string_view index_kind_name(IndexKind kind);  // "crai"

// What the other half of the world calls that sequence: "20" for "chr20" and "chr20" for "20", "MT"
// for "chrM" and back. Files of one assembly have either names.
[[nodiscard]] std::string other_name(std::string_view name);

// One line of a .crai: what a slice holds of one reference (CRAMv3 section 12).
struct SliceEntry {
  std::int32_t reference = 0;  // kUnplaced: reads without a position
  std::int64_t start = 0;      // may be -1 where the file has 0
  std::int64_t end = 0;
  std::uint64_t container = 0;     // byte offset in the file
  std::uint64_t slice_offset = 0;  // behind the container's header
  std::uint64_t slice_bytes = 0;
  auto operator<=>(const SliceEntry&) const = default;
};

// A place in a BGZF file: offset of a block << 16 | offset in its plain bytes.
using VirtualOffset = std::uint64_t;
struct VirtualRange {
  VirtualOffset begin = 0;
  VirtualOffset end = 0;
  auto operator<=>(const VirtualRange&) const = default;
};
[[nodiscard]] constexpr std::uint64_t block_of(VirtualOffset at) {
  return at >> 16U;
}
[[nodiscard]] constexpr std::uint64_t within_of(VirtualOffset at) {
  return at & 0xffffU;
}

struct Bin {
  std::uint32_t number = 0;
  VirtualOffset first = 0;  // CSI only: no record that overlaps the bin's start lies before it
  std::vector<VirtualRange> chunks;
};
struct BinnedReference {
  std::vector<Bin> bins;              // by number
  std::vector<VirtualOffset> linear;  // BAI and TBI: for every 16,384 bases
};
struct Binning {
  unsigned min_shift = 14;
  unsigned depth = 5;
  std::vector<BinnedReference> references;
};

struct Index {
  IndexKind kind = IndexKind::kCrai;
  std::vector<SliceEntry> slices;  // CRAM, in the order of the file
  Binning binning;                 // the others
  std::vector<std::string> names;  // only of text files: reference names by id

  // The id of a name among `names`.
  // By its name, or else by other_name().
  [[nodiscard]] std::optional<std::int32_t> id_of(std::string_view name) const;
};

// Recognises the kind by its content; `what` names the file in messages. Errors: kCorrupt with what
// is wrong and where (line of a .crai, reference of the others).
[[nodiscard]] Result<Index> parse_index(ByteView file, std::string_view what);

// What a file ends with. CRAM 2.1 ends differently from 3.x, and old files may lack an end.
struct WholeFile {
  std::uint64_t bytes = 0;
  std::uint64_t trailer_bytes = 38;  // of `bytes`
};
inline constexpr std::size_t kEndsBytes = 64;  // as much of either end as describe_file() wants
// From the first and last kEndsBytes of a CRAM or BGZF file (all, of a smaller one). Errors:
// kCorrupt when it is neither, or does not end as it must.
[[nodiscard]] Result<WholeFile> describe_file(ByteView first, ByteView last, std::uint64_t bytes,
                                              std::string_view what);

struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  auto operator<=>(const ByteRange&) const = default;
  [[nodiscard]] std::uint64_t size() const { return end - begin; }
};

struct Region {
  std::int32_t reference = 0;  // kUnplaced: all reads without a position; start and end are ignored
  std::int64_t start = 0;
  std::int64_t end = kEndOfReference;
};

// What to read of a file for some regions, and how to make a complete file of it.
struct Cut {
  ByteRange header;
  std::vector<ByteRange> body;       // ascending, disjoint, behind the header
  std::vector<VirtualRange> pieces;  // BGZF: what of these bytes counts, header included, ascending
  Bytes trailer;                     // constant, not read from the file

  // The header's range, then the body's.
  [[nodiscard]] std::vector<ByteRange> ranges() const;
  [[nodiscard]] std::uint64_t bytes() const;  // to read
};

// The linear filter over a .crai, which handles nested containers and slices of many references;
// bins and linear index for the others. A region that holds nothing gives an empty body. Errors:
// kInvalidArgument for a region that is none; kCorrupt when the index does not fit a file of that
// size; kNotFound when it tells nothing of where the header ends (no record has a position).
[[nodiscard]] Result<Cut> cut(const Index& index, const std::vector<Region>& regions,
                              const WholeFile& file);
// A cut for each of `wishes`, in one pass over the index: of a million slices it is a tenth of a
// second for 400 of them; one by one 15. Errors: as cut().
[[nodiscard]] Result<std::vector<Cut>> cuts(const Index& index,
                                            std::span<const std::vector<Region>> wishes,
                                            const WholeFile& file);
// The header alone, as a complete file without records.
[[nodiscard]] Result<Cut> cut_header(const Index& index, const WholeFile& file);

// Reads all of `out` at that offset of the original file; only bytes of ranges() are asked for.
using ReadAt = std::function<Result<>(std::uint64_t offset, MutableBytes out)>;
using Sink = std::function<Result<>(ByteView bytes)>;

// Writes the complete file: header, body, trailer. A BGZF block of which only a part counts is
// inflated, cut and written anew. It may hold records outside the regions: trim() removes those.
// Errors: of the two functions; kCorrupt naming `what`.
[[nodiscard]] Result<> join(const Cut& cut, const ReadAt& read, const Sink& sink,
                            std::string_view what);

}  // namespace warifu::genome
