// Drawing genes until they fit.
#include "control/decoys.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/limits.h"
#include "consent/veil.h"
#include "risk/genes.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::uint64_t kMostDraws = 10'000;  // for one decoy

enum class Use : std::uint8_t { kDraw = 1, kSalt = 2 };

// One use of the site's key, for one object and these regions.
crypto::Digest drawn(const Hiding& hiding, Use use, const consent::Scope& regions,
                     std::uint64_t number) {
  wire::Writer writer;
  writer.raw(as_bytes("warifu decoys 1"));
  writer.u8(static_cast<std::uint8_t>(use));
  writer.id(hiding.object);
  writer.u64(number);
  consent::write_scope(writer, {regions.assembly, regions.regions});
  return crypto::hmac_sha256(hiding.key, writer.take());
}

std::uint64_t number_at(const crypto::Digest& digest, std::size_t offset) {
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data() + offset, sizeof value);
  return value;
}

bool is_near(const consent::ChunkRange& one, const consent::ChunkRange& other) {
  return one.first <= other.end() && other.first <= one.end();
}

// Where some gene lies in this file.
struct Gene {
  std::int32_t reference = 0;
  std::int64_t start = 0;
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t length() const { return end - start; }
};

std::set<std::int32_t> references_with_reads(const genome::Index& index) {
  std::set<std::int32_t> found;
  for (const genome::SliceEntry& slice : index.slices) found.insert(slice.reference);
  for (std::size_t i = 0; i < index.binning.references.size(); ++i) {
    if (!index.binning.references[i].bins.empty()) found.insert(static_cast<std::int32_t>(i));
  }
  return found;
}

// Files name chromosomes with "chr" before them or without.
std::vector<Gene> genes_in(const genome::Index& index, const genome::Lead& lead,
                           risk::Assembly assembly) {
  const genome::Header header = lead.header();
  const std::set<std::int32_t> has_reads = references_with_reads(index);
  std::map<std::string, std::optional<std::int32_t>> ids;
  std::vector<Gene> genes;
  for (const risk::GeneRegion& one : risk::all_genes(assembly)) {
    const auto [id, is_new] = ids.emplace(one.chromosome, std::nullopt);
    if (is_new) {
      const std::string other = "chr" + (one.chromosome == "MT" ? "M" : one.chromosome);
      for (const std::string& name : {one.chromosome, other}) {
        const auto found = genome::reference_id(index, header, name);
        if (found && has_reads.contains(*found)) id->second = *found;
      }
    }
    if (id->second) genes.push_back({*id->second, std::int64_t{one.start} - 1, one.end});
  }
  return genes;
}

// The decoys of one region, as far as they are found.
class Draws {
 public:
  Draws(const Hiding& hiding, const std::vector<Gene>& genes, consent::Scope region)
      : hiding_(hiding), genes_(genes), region_(std::move(region)), missing_(hiding.decoys) {}

  [[nodiscard]] bool is_complete() const { return missing_ == 0; }
  [[nodiscard]] const consent::ChunkRanges& chunks() const { return chunks_; }

  // Places to look at next; none when all draws are used up.
  std::vector<genome::Region> more() {
    std::vector<genome::Region> places;
    while (number_ < kMostDraws && places.size() < 2 * missing_ + 4) {
      if (const auto place = draw()) places.push_back(*place);
    }
    return places;
  }

  // What holds one of these places, if it is missing still and near nothing that is taken.
  void consider(const consent::ChunkRanges& place, std::vector<consent::ChunkRange>& taken) {
    const bool is_free = std::ranges::none_of(place, [&](const consent::ChunkRange& one) {
      return std::ranges::any_of(taken, [&](const auto& other) { return is_near(one, other); });
    });
    if (is_complete() || place.empty() || !is_free) return;
    taken.insert(taken.end(), place.begin(), place.end());
    chunks_.insert(chunks_.end(), place.begin(), place.end());
    --missing_;
  }

 private:
  // A gene of about the region's length, or so long a part of one; none where the gene drawn is
  // neither, as most are.
  std::optional<genome::Region> draw() {
    const crypto::Digest digest = drawn(hiding_, Use::kDraw, region_, number_++);
    const Gene& gene = genes_[number_at(digest, 0) % genes_.size()];
    const consent::Region& own = region_.regions.front();
    const std::int64_t wanted = std::int64_t{own.end} - own.start + 1;
    if (gene.length() < wanted / 2) return std::nullopt;
    if (gene.length() <= 2 * wanted) return genome::Region{gene.reference, gene.start, gene.end};
    const auto places = static_cast<std::uint64_t>(gene.length() - wanted + 1);
    const std::int64_t first =
        gene.start + static_cast<std::int64_t>(number_at(digest, 8) % places);
    return genome::Region{gene.reference, first, first + wanted};
  }

  const Hiding& hiding_;
  const std::vector<Gene>& genes_;  // not empty
  const consent::Scope region_;     // one region
  std::uint32_t missing_;
  consent::ChunkRanges chunks_;
  std::uint64_t number_ = 0;  // of draws
};

std::unexpected<Error> no_room(std::uint32_t decoys) {
  return fail(Code::kInvalidArgument, "the file has no room for " + std::to_string(decoys) +
                                          (decoys == 1 ? " decoy" : " decoys") +
                                          " beside each region: ask for fewer");
}

// One pass over the index for some draws of every region that still misses decoys.
Result<> look(std::vector<Draws>& regions, const genome::Index& index, const genome::Lead& lead,
              std::uint32_t decoys, std::vector<consent::ChunkRange>& taken) {
  std::vector<std::vector<genome::Region>> places;
  std::vector<Draws*> whose;
  for (Draws& region : regions) {
    if (region.is_complete()) continue;
    const auto more = region.more();
    if (more.empty()) return no_room(decoys);
    for (const genome::Region& place : more) {
      places.push_back({place});
      whose.push_back(&region);
    }
  }
  TRY_ASSIGN(std::vector<genome::Cut> cuts, genome::cuts(index, places, lead.file));
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (cuts[i].body.empty()) continue;  // the file has nothing there
    cuts[i].header = {};                 // is read for the region itself
    TRY_ASSIGN(auto ranges, ranges_of(cuts[i], lead.chunks, lead.head.size()));
    TRY_ASSIGN(const consent::ChunkRanges chunks, consent::make_chunks(std::move(ranges)));
    whose[i]->consider(chunks, taken);
  }
  return {};
}

}  // namespace

Result<std::vector<consent::ChunkRange>> ranges_of(const genome::Cut& cut,
                                                   std::uint32_t lead_chunks,
                                                   std::size_t head_bytes) {
  std::vector<consent::ChunkRange> ranges;
  for (const genome::ByteRange& range : cut.ranges()) {
    if (range.size() == 0) continue;
    if (range.end <= head_bytes && !cut.body.empty()) continue;
    const std::uint64_t first = range.begin / limits::kChunkBytes;
    const std::uint64_t last = (range.end - 1) / limits::kChunkBytes;
    if (lead_chunks + last >= UINT32_MAX)
      return fail(Code::kCorrupt, "the index names bytes too far on");
    ranges.push_back({static_cast<std::uint32_t>(lead_chunks + first),
                      static_cast<std::uint32_t>(last - first + 1)});
  }
  return ranges;
}

Result<std::vector<consent::ChunkRanges>> draw_decoys(const Hiding& hiding,
                                                      const genome::Index& index,
                                                      const genome::Lead& lead,
                                                      const consent::Scope& regions) {
  if (hiding.decoys < 1 || hiding.decoys > kMostDecoys) {
    return fail(Code::kInvalidArgument,
                "decoys must be 1 to " + std::to_string(kMostDecoys) + " for each region");
  }
  TRY_ASSIGN(const risk::Assembly assembly, risk::parse_assembly(regions.assembly));
  const std::vector<Gene> genes = genes_in(index, lead, assembly);
  if (genes.empty()) return no_room(hiding.decoys);
  std::vector<consent::ChunkRange> taken = regions.chunks;
  std::vector<Draws> all;
  all.reserve(regions.regions.size());
  for (const consent::Region& region : regions.regions) {
    all.emplace_back(hiding, genes, consent::Scope{regions.assembly, {region}});
  }
  while (!std::ranges::all_of(all, &Draws::is_complete)) {
    TRY(look(all, index, lead, hiding.decoys, taken));
  }
  std::vector<consent::ChunkRanges> chunks;
  for (const Draws& one : all) chunks.push_back(one.chunks());
  return chunks;
}

Bytes salt_for(const Hiding& hiding, const consent::Scope& regions) {
  const crypto::Digest salt = drawn(hiding, Use::kSalt, regions, hiding.decoys);
  return {salt.begin(), salt.end()};
}

}  // namespace warifu::control
