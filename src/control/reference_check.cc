// A CRAM's sequences against a FASTA file.
#include "control/reference_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/running_digest.h"
#include "genome/cram_slice.h"
#include "genome/fasta.h"
#include "secret/wiped.h"

namespace warifu::control {
namespace {

// Index, header and list of references, each as long as they may be, packed.
constexpr std::uint64_t kMaxLeadBytes = genome::kMaxIndexBytes + 2 * genome::kMaxHeaderText;

enum class Fit : std::uint8_t { kGood, kMissing, kDiffers };

// What is known of one sequence with reads.
struct Wanted {
  const genome::Reference* reference = nullptr;
  std::optional<genome::SliceReference> slice;  // of it alone
};

std::uint64_t data_end(const genome::Lead& lead) {
  return lead.file.bytes - std::min(lead.file.bytes, lead.file.trailer_bytes);
}

Result<genome::SliceReference> look_at(const genome::Lead& lead, const genome::ReadAt& read,
                                       unsigned major, std::uint64_t container) {
  const std::uint64_t end = data_end(lead);
  if (container >= end) return fail(Code::kCorrupt, "the index names a slice behind the file");
  secret::Buffer head(std::min(genome::kMostSliceHeads, end - container));
  TRY(read(container, head.bytes()));
  return genome::parse_slice_reference(head.bytes(), major, "the file");
}

// Those that need a reference. A slice that was not looked at is as the last one that was: files
// are written in one way.
Result<std::vector<Wanted>> find_wanted(const genome::Lead& lead, const genome::Index& index,
                                        const genome::ReadAt& read) {
  Bytes start(5);
  TRY(read(0, start));
  const unsigned major = start[4];
  std::vector<Wanted> wanted;
  std::size_t looked_at = 0;
  bool is_needed = true;
  for (const genome::FirstSlice& first : genome::first_slices(index)) {
    if (first.reference < 0 || static_cast<std::size_t>(first.reference) >= lead.references.size())
      return fail(Code::kCorrupt, "the index names a sequence that the header does not");
    Wanted one{.reference = &lead.references[static_cast<std::size_t>(first.reference)],
               .slice = {}};
    if (looked_at < kMostSlicesLookedAt) {
      ++looked_at;
      TRY_ASSIGN(const genome::SliceReference slice, look_at(lead, read, major, first.container));
      is_needed = slice.is_needed;
      if (slice.reference == first.reference) one.slice = slice;
    }
    if (is_needed) wanted.push_back(one);
  }
  return wanted;
}

// As decoders judge it: by the MD5 in the slice.
Result<bool> has_other_bases(const genome::ReferenceFile& fasta, const std::string& name,
                             const genome::SliceReference& slice) {
  const bool is_said = std::ranges::any_of(slice.md5, [](Byte byte) { return byte != 0; });
  if (!is_said || slice.start < 0 || slice.end <= slice.start) return false;
  auto md5 = crypto::RunningDigest::md5();
  if (!md5) return false;
  auto at = static_cast<std::uint64_t>(slice.start);
  const auto end = static_cast<std::uint64_t>(slice.end);
  while (at < end) {
    const std::uint64_t stop = std::min(end, at + genome::kMaxReferencePiece);
    TRY_ASSIGN(const std::string bases, fasta.bases(name, at, stop));
    if (bases.empty()) break;
    md5->add(as_bytes(bases));
    at = stop;
  }
  return md5->finish() != to_hex(slice.md5);
}

Result<Fit> fit_of(const genome::ReferenceFile& fasta, const Wanted& wanted) {
  const genome::Reference& reference = *wanted.reference;
  const auto length = fasta.length_of(reference.name);
  if (!length) return Fit::kMissing;
  if (reference.length > 0 && *length != static_cast<std::uint64_t>(reference.length)) {
    return Fit::kDiffers;
  }
  if (!wanted.slice) return Fit::kGood;
  TRY_ASSIGN(const bool differs, has_other_bases(fasta, reference.name, *wanted.slice));
  return differs ? Fit::kDiffers : Fit::kGood;
}

void add(LackingReference& lacking, const Wanted& wanted, Fit fit) {
  if (fit == Fit::kGood) return;
  ++lacking.lacking;
  if (fit == Fit::kDiffers) ++lacking.differing;
  if (lacking.names.size() < kMostNamedSequences) lacking.names.push_back(wanted.reference->name);
}

void lack_all(LackingReference& lacking, const std::vector<Wanted>& wanted) {
  lacking.lacking = lacking.differing = 0;
  lacking.names.clear();
  for (const Wanted& one : wanted) add(lacking, one, Fit::kMissing);
}

}  // namespace

std::string LackingReference::text() const {
  std::string named = fmt::format("{}", fmt::join(names, ", "));
  if (names.size() < lacking) named += ", ...";
  const std::string entry = fmt::format("[genome] references = [\"{}=FILE.fa\"]", assembly);
  std::string why;
  if (file.empty()) {
    why = fmt::format("{} names no reference for {}", site, assembly);
  } else if (!trouble.empty()) {
    why = fmt::format("the reference for {} at {} cannot be read ({})", assembly, site, trouble);
  } else {
    why = fmt::format("'{}' at {} does not have them{}", file, site,
                      differing == 0
                          ? ""
                          : fmt::format(", or with another length or other bases ({})", differing));
  }
  return fmt::format(
      "{} of the {} sequences with reads need a reference that is not there ({}): {}. The file is "
      "whole and can be restored whole, but its regions, views by htsget and scores cannot be read "
      "until it is. To mend it, name the FASTA file that the CRAM was written against in site.toml "
      "of {}: {}, with FILE.fa.fai beside it (samtools faidx FILE.fa); then start that site again",
      lacking, sequences, named, why, site, entry);
}

Result<std::optional<LackingReference>> find_lacking_reference(const genome::Lead& lead,
                                                               const genome::ReadAt& read,
                                                               const RestoringSite& site,
                                                               os::FileSystem& files) {
  if (lead.kind != genome::FileKind::kCram) return std::optional<LackingReference>();
  TRY_ASSIGN(const genome::Index index, genome::parse_index(lead.index, "the index in the lead"));
  TRY_ASSIGN(const std::vector<Wanted> wanted, find_wanted(lead, index, read));
  LackingReference lacking{.site = site.name,
                           .assembly = lead.assembly,
                           .file = {},
                           .sequences = wanted.size(),
                           .names = {},
                           .trouble = {}};
  const auto named = site.reference_files.find(lead.assembly);
  if (named == site.reference_files.end()) {
    lack_all(lacking, wanted);
  } else {
    lacking.file = named->second;
    const auto compared = [&]() -> Result<> {
      TRY_ASSIGN(const auto fasta, genome::ReferenceFile::open(files, named->second));
      for (const Wanted& one : wanted) {
        TRY_ASSIGN(const Fit fit, fit_of(fasta, one));
        add(lacking, one, fit);
      }
      return {};
    }();
    if (!compared) {
      lack_all(lacking, wanted);
      lacking.trouble = compared.error().message;
    }
  }
  if (lacking.lacking == 0) return std::optional<LackingReference>();
  return std::optional(std::move(lacking));
}

namespace {

// Any bytes of a staged object, chunk by chunk; the last one that was opened is kept.
class StagedBytes {
 public:
  StagedBytes(StagingReader reader, ByteCount length)
      : reader_(std::move(reader)), chunking_{length} {}

  Result<> read(std::uint64_t from, MutableBytes out) {
    const std::uint64_t length = chunking_.object_length.value;
    if (from > length || out.size() > length - from) {
      return fail(Code::kCorrupt, "the index names bytes behind the file's end");
    }
    while (!out.empty()) {
      const ChunkIndex index{from / limits::kChunkBytes};
      if (!opened_ || opened_->value != index.value) {
        opened_.reset();
        record_ = secret::Buffer(chunking_.record_length(index));
        TRY(reader_.read(index, record_.bytes()));
        opened_ = index;
      }
      const std::uint64_t skip = from % limits::kChunkBytes;
      const auto part =
          static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), limits::kChunkBytes - skip));
      copy_bytes(out, ByteView(record_.bytes()).subspan(skip, part));
      out = out.subspan(part);
      from += part;
    }
    return {};
  }

 private:
  StagingReader reader_;
  sharing::Chunking chunking_;
  secret::Buffer record_;
  std::optional<ChunkIndex> opened_;
};

}  // namespace

Result<std::optional<LackingReference>> find_lacking_reference(
    os::System system, const std::string& staging_path, ByteView staging_key, ByteCount length,
    std::uint32_t lead_chunks, const RestoringSite& site) {
  if (lead_chunks == 0) return std::optional<LackingReference>();
  TRY_ASSIGN(StagingReader reader,
             StagingReader::open(system, staging_path, staging_key, sharing::Chunking{length}));
  StagedBytes staged(std::move(reader), length);
  const std::uint64_t lead_bytes = std::uint64_t{lead_chunks} * limits::kChunkBytes;
  if (lead_bytes >= length.value || lead_bytes > kMaxLeadBytes) {
    return fail(Code::kCorrupt, "a lead of an impossible length");
  }
  secret::Wiped<Byte> bytes(lead_bytes);
  TRY(staged.read(0, bytes));
  TRY_ASSIGN(const genome::Lead lead, genome::parse_lead(bytes));
  const auto read = [&](std::uint64_t at, MutableBytes out) {
    return staged.read(lead_bytes + at, out);
  };
  return find_lacking_reference(lead, read, site, system.files);
}

}  // namespace warifu::control
