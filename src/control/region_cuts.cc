// From regions to chunks, and the record that is kept.
#include "control/region_cuts.h"

#include <algorithm>

#include "base/limits.h"

namespace warifu::control {
namespace {

// Ascending, as a cut's ranges are; what lies so close that asking anew would cost more than
// reading on becomes one.
consent::ChunkRanges joined(const std::vector<consent::ChunkRange>& ranges) {
  constexpr std::uint64_t kNear = 2;
  consent::ChunkRanges all;
  for (const consent::ChunkRange& one : ranges) {
    if (all.empty() || one.first > all.back().end() + kNear) {
      all.push_back(one);
      continue;
    }
    const std::uint64_t end = std::max(all.back().end(), one.end());
    all.back().count = static_cast<std::uint32_t>(end - all.back().first);
  }
  return all;
}

void write_cut(wire::Writer& writer, const RegionCut& one) {
  consent::write_scope(writer, one.scope);
  const genome::Cut& cut = one.cut;
  writer.u64(cut.header.begin);
  writer.u64(cut.header.end);
  writer.u32(static_cast<std::uint32_t>(cut.body.size()));
  for (const genome::ByteRange& range : cut.body) {
    writer.u64(range.begin);
    writer.u64(range.end);
  }
  writer.u32(static_cast<std::uint32_t>(cut.pieces.size()));
  for (const genome::VirtualRange& piece : cut.pieces) {
    writer.u64(piece.begin);
    writer.u64(piece.end);
  }
  writer.blob(cut.trailer);
}

constexpr std::uint32_t kMaxPieces = 1U << 20U;

RegionCut read_cut(wire::Reader& reader) {
  RegionCut one;
  one.scope = consent::read_scope(reader);
  genome::Cut& cut = one.cut;
  cut.header.begin = reader.u64();
  cut.header.end = reader.u64();
  const std::uint32_t ranges = reader.u32();
  if (ranges > kMaxPieces) reader.reject("it has too many ranges");
  for (std::uint32_t i = 0; i < ranges && reader.good(); ++i) {
    const std::uint64_t begin = reader.u64();
    cut.body.push_back({begin, reader.u64()});
  }
  const std::uint32_t pieces = reader.u32();
  if (pieces > kMaxPieces) reader.reject("it has too many pieces");
  for (std::uint32_t i = 0; i < pieces && reader.good(); ++i) {
    const std::uint64_t begin = reader.u64();
    cut.pieces.push_back({begin, reader.u64()});
  }
  const ByteView trailer = reader.blob(genome::kEndsBytes);
  cut.trailer.assign(trailer.begin(), trailer.end());
  return one;
}

}  // namespace

const RegionCut* RegionCuts::find(const consent::Scope& asked) const {
  const RegionCut* best = nullptr;
  for (const RegionCut& one : cuts) {
    if (!consent::covers(one.scope, asked)) continue;
    if (best == nullptr || one.cut.bytes() < best->cut.bytes()) best = &one;
  }
  return best;
}

Result<std::vector<genome::Region>> genome_regions(const genome::Index& index,
                                                   const genome::Header& header,
                                                   const consent::Scope& regions) {
  std::vector<genome::Region> found;
  for (const consent::Region& region : regions.regions) {
    TRY_ASSIGN(const std::int32_t id, genome::reference_id(index, header, region.reference));
    found.push_back({id, std::int64_t{region.start} - 1, region.end});
  }
  return found;
}

namespace {

// Each region's decoys stand beside it, alone and with the others.
Result<> hide(const Hiding& hiding, const genome::Index& index, const genome::Lead& lead,
              RegionCuts& cuts) {
  const consent::Scope& regions = cuts.cuts.front().scope;
  TRY_ASSIGN(const std::vector<consent::ChunkRanges> decoys,
             draw_decoys(hiding, index, lead, regions));
  std::vector<consent::ChunkRange> all = regions.chunks;
  for (std::size_t i = 0; i < decoys.size(); ++i) {
    all.insert(all.end(), decoys[i].begin(), decoys[i].end());
    if (decoys.size() == 1) continue;
    consent::Scope& alone = cuts.cuts[i + 1].scope;
    std::vector<consent::ChunkRange> both = alone.chunks;
    both.insert(both.end(), decoys[i].begin(), decoys[i].end());
    TRY_ASSIGN(alone.chunks, consent::make_chunks(std::move(both)));
  }
  cuts.salt = salt_for(hiding, regions);
  TRY_ASSIGN(cuts.cuts.front().scope.chunks, consent::make_chunks(std::move(all)));
  return {};
}

Result<genome::Index> index_for(const genome::Lead& lead, const consent::Scope& regions) {
  if (regions.assembly != lead.assembly) {
    return fail(Code::kInvalidArgument, "the genome is of assembly " + lead.assembly +
                                            ", the regions are of " + regions.assembly);
  }
  return genome::parse_index(lead.index, "index of the genome");
}

}  // namespace

Result<RegionCuts> find_places(const genome::Lead& lead, const consent::Scope& places) {
  TRY_ASSIGN(const genome::Index index, index_for(lead, places));
  const genome::Header header = lead.header();
  std::vector<genome::Region> there;
  for (const consent::Region& place : places.regions) {
    const auto id = genome::reference_id(index, header, place.reference);
    if (id) there.push_back({*id, std::int64_t{place.start} - 1, place.end});
  }
  RegionCut one{places, {}};
  TRY_ASSIGN(one.cut, genome::cut(index, there, lead.file));
  TRY_ASSIGN(const auto ranges, ranges_of(one.cut, lead.chunks, lead.head.size()));
  one.scope.chunks = joined(ranges);
  RegionCuts cuts{.kind = lead.kind, .lead_chunks = lead.chunks, .head = lead.head, .cuts = {}};
  cuts.cuts.push_back(std::move(one));
  return cuts;
}

Result<RegionCuts> find_cuts(const genome::Lead& lead, const consent::Scope& regions,
                             const std::optional<Hiding>& hiding) {
  TRY_ASSIGN(const genome::Index index, index_for(lead, regions));
  TRY_ASSIGN(const auto all, genome_regions(index, lead.header(), regions));
  RegionCuts cuts{.kind = lead.kind, .lead_chunks = lead.chunks, .head = lead.head, .cuts = {}};
  std::vector<consent::Scope> scopes = {regions};
  std::vector<std::vector<genome::Region>> wishes = {all};
  for (std::size_t i = 0; all.size() > 1 && i < all.size(); ++i) {
    scopes.push_back({regions.assembly, {regions.regions[i]}});
    wishes.push_back({all[i]});
  }
  TRY_ASSIGN(std::vector<genome::Cut> made, genome::cuts(index, wishes, lead.file));
  for (std::size_t i = 0; i < made.size(); ++i) {
    RegionCut one{std::move(scopes[i]), std::move(made[i])};
    TRY_ASSIGN(auto ranges, ranges_of(one.cut, lead.chunks, lead.head.size()));
    TRY_ASSIGN(one.scope.chunks, consent::make_chunks(std::move(ranges)));
    cuts.cuts.push_back(std::move(one));
  }
  if (hiding) TRY(hide(*hiding, index, lead, cuts));
  return cuts;
}

consent::Scope RegionCuts::allowed() const {
  return salt.empty() ? cuts.front().scope : consent::veiled(cuts.front().scope, salt);
}

Bytes RegionCuts::opening() const {
  return salt.empty() ? Bytes() : consent::opening_of(cuts.front().scope, salt);
}

Bytes encode_cuts(const RegionCuts& cuts) {
  wire::Writer writer;
  writer.u8(static_cast<std::uint8_t>(cuts.kind));
  writer.u32(cuts.lead_chunks);
  writer.blob(cuts.head);
  writer.u16(static_cast<std::uint16_t>(cuts.cuts.size()));
  for (const RegionCut& one : cuts.cuts) write_cut(writer, one);
  writer.blob(cuts.salt);
  return writer.take();
}

Result<RegionCuts> decode_cuts(ByteView bytes) {
  wire::Reader reader(bytes, "cuts of a consent");
  RegionCuts cuts;
  cuts.kind = static_cast<genome::FileKind>(reader.u8());
  if (cuts.kind > genome::FileKind::kBcf) reader.reject("its format is unknown");
  cuts.lead_chunks = reader.u32();
  const ByteView head = reader.blob(genome::kMaxHead);
  cuts.head.assign(head.begin(), head.end());
  const std::size_t count = reader.u16();
  if (count == 0) reader.reject("it has no cut");
  for (std::size_t i = 0; i < count && reader.good(); ++i) cuts.cuts.push_back(read_cut(reader));
  const ByteView salt = reader.blob(consent::kSaltBytes);
  cuts.salt.assign(salt.begin(), salt.end());
  if (!salt.empty() && salt.size() != consent::kSaltBytes)
    reader.reject("a salt of its own length");
  if (const auto good = reader.finish(); !good) return fail(Code::kCorrupt, good.error().message);
  return cuts;
}

}  // namespace warifu::control
