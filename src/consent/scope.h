// How much of an object: the whole, regions of a genome and the chunks that hold them, or the index
// alone: chunks without a region. Regions may be hidden: then holders see a veil in their place.
//
//   scope  := runs:u16 [assembly:short run{runs}] chunks      the second when there are runs
//           | 0xffff:u16 veil:32 chunks                        regions that are hidden: veil.h
//   run    := reference:short label:short places:u16 place{places}     short := length:u8 bytes
//   place  := start:u32 end:u32                                                chunks: chunks.h
//
// A run is all regions in a row of one reference with one label: the places of a score cost eight
// bytes each. Positions are 1-based and inclusive, as in SAM and HGVS. One scope has one
// encoding: regions are sorted by reference (bytes) and start, and neither overlap nor touch. The
// label (a gene's or a score's name) is shown and decides nothing. A grant holds the scope that is
// allowed, a request the one that is asked for; `covers` and `covers_chunks` are the whole rule. A
// wish has regions only: which chunks hold them is known once the index has been read. Values only;
// any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "consent/chunks.h"
#include "consent/values.h"
#include "crypto/crypto.h"
#include "wire/wire.h"

namespace warifu::consent {

inline constexpr std::size_t kMaxRegions = 400;
// In the place of their names where only the veil is known.
inline constexpr std::string_view kHiddenRegions = "hidden regions";
// More are told by their number in logs, and by places in a row in texts.
inline constexpr std::size_t kMostNamedRegions = 16;
inline constexpr std::size_t kAssemblyBytes = 32;
inline constexpr std::size_t kReferenceBytes = 32;
inline constexpr std::size_t kRegionLabelBytes = 48;
inline constexpr std::uint32_t kLastPosition = (1U << 31) - 1;  // as in SAM

struct Region {
  std::string reference;  // "chr17": a name as SAM allows it
  std::uint32_t start = 1;
  std::uint32_t end = 1;  // inclusive
  std::string label;      // "BRCA1"; may be empty
  bool operator==(const Region&) const = default;
};

// Regions in a row that share reference and label.
[[nodiscard]] std::vector<std::span<const Region>> runs_of(const std::vector<Region>& regions);

struct Scope {
  std::string assembly;         // "GRCh38"; empty without regions
  std::vector<Region> regions;  // none: the whole object, or its index
  ChunkRanges chunks = {};      // that may be read; none: all, or with regions not known yet
  // Of hidden regions. Who has the opening has the regions beside it; on the wire they never are.
  std::optional<crypto::Digest> veil = {};
  [[nodiscard]] bool is_whole() const { return regions.empty() && chunks.empty(); }
  [[nodiscard]] bool is_index() const { return regions.empty() && !chunks.empty() && !veil; }
  [[nodiscard]] bool is_of_regions() const { return !regions.empty() || veil; }
  bool operator==(const Scope&) const = default;
};

// Sorts and merges what overlaps or touches; labels of merged regions are joined.
// Errors: kInvalidArgument naming the region that cannot be one, or that there are too many.
[[nodiscard]] Result<Scope> make_scope(std::string assembly, std::vector<Region> regions);
// Out of "ASSEMBLY:REFERENCE:START-END[=LABEL]" each, all of one assembly; none: the whole object.
[[nodiscard]] Result<Scope> parse_scope(std::span<const std::string> texts);
// The same texts again.
[[nodiscard]] std::vector<std::string> region_texts(const Scope& scope);
// "whole", "index", or the texts with ", " between; behind it the chunks, " [chunks 0-2, 7]": for
// logs. Of many only how many, and the labels: the grant has them all.
[[nodiscard]] std::string scope_text(const Scope& scope);

// Whether everything of `asked` lies within `allowed`, chunks left aside. Never true of the whole
// under regions or the index, nor of the index under regions, nor the other way round. Of what is
// hidden only the same.
[[nodiscard]] bool covers(const Scope& allowed, const Scope& asked);
// Whether the chunks that are asked for are allowed; where not all are, some must be named.
[[nodiscard]] bool covers_chunks(const Scope& allowed, const Scope& asked);

// Empty when it is canonical, else what is wrong with it.
[[nodiscard]] std::string flaw_of(const Scope& scope);

void write_scope(wire::Writer& writer, const Scope& scope);
[[nodiscard]] Scope read_scope(wire::Reader& reader);

}  // namespace warifu::consent
