// Piece by piece.
#include "viewing/reference.h"

#include <algorithm>

#include "genome/fasta.h"

namespace warifu::viewing {
namespace {

using genome::NamedRegion;

std::uint64_t length_of(const htsget::Consented& consented, const std::string& name) {
  const auto found = std::ranges::find(consented.references, name, &genome::Reference::name);
  return found == consented.references.end() ? 0 : static_cast<std::uint64_t>(found->length);
}

std::string piece(const std::string& name, std::uint64_t start, const std::string& bases,
                  std::uint64_t length) {
  return ">" + name + ":" + std::to_string(start + 1) + "-" + std::to_string(start + bases.size()) +
         " @len=" + std::to_string(length) + "\n" + bases + "\n";
}

}  // namespace

Result<std::string> reference_text(os::FileSystem& files, const std::string& fasta,
                                   const htsget::Consented& consented) {
  std::uint64_t wanted = 0;
  for (const NamedRegion& region : consented.regions) {
    wanted += static_cast<std::uint64_t>(std::max<std::int64_t>(0, region.end - region.start));
  }
  std::optional<genome::ReferenceFile> reference;
  if (!fasta.empty() && wanted <= kMostReferenceBases) {
    TRY_ASSIGN(reference, genome::ReferenceFile::open(files, fasta));
  }
  std::string text;
  for (const NamedRegion& region : consented.regions) {
    const std::uint64_t length = length_of(consented, region.reference);
    if (length == 0) continue;  // a name of the consent that the data do not have
    const auto start = static_cast<std::uint64_t>(region.start);
    std::string bases;
    if (const auto known = reference ? reference->length_of(region.reference) : std::nullopt) {
      if (*known != length) {
        return fail(Code::kCorrupt, "'" + fasta + "' has another length of '" + region.reference +
                                        "' than the data: it is of another assembly");
      }
      TRY_ASSIGN(bases,
                 reference->bases(region.reference, start, static_cast<std::uint64_t>(region.end)));
    }
    text += piece(region.reference, start, bases.empty() ? "N" : bases, length);
  }
  return text;
}

}  // namespace warifu::viewing
