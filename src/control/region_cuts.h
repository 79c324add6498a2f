// What share control keeps of a consent to regions: which bytes of the stored file hold them, and
// how a whole file is made of these. Found once, in the index, before the person consents; sealed
// with the grant's secrets, so the index need not be read again. Values; any thread.
#pragma once

#include "consent/scope.h"
#include "genome/lead.h"

namespace warifu::control {

struct RegionCut {
  consent::Scope scope;  // the regions, and the chunks of the object that hold them
  genome::Cut cut;       // in bytes of the file, which begins behind the lead
};

struct RegionCuts {
  genome::FileKind kind = genome::FileKind::kCram;
  std::uint32_t lead_chunks = 0;
  Bytes head;                   // the file's header, where the lead has it: then not read again
  std::vector<RegionCut> cuts;  // all regions first, then each alone if there are several

  // The smallest one that holds all of `asked`; nullptr when none does.
  [[nodiscard]] const RegionCut* find(const consent::Scope& asked) const;
};

// Out of an object's index. Errors: kInvalidArgument (another assembly, a reference that the genome
// does not have, too many places), kCorrupt (index and file do not fit).
[[nodiscard]] Result<RegionCuts> find_cuts(const genome::Lead& lead, const consent::Scope& regions);

// Any number of places at once, in as many ranges of chunks as it takes: under a consent to all of
// the object, where no grant has to name them. One cut; places on references that the genome does
// not have are left out. Errors: kInvalidArgument (another assembly), kCorrupt.
[[nodiscard]] Result<RegionCuts> find_places(const genome::Lead& lead,
                                             const consent::Scope& places);

// Regions by the ids that a file of this header uses. Errors: kNotFound naming the reference.
[[nodiscard]] Result<std::vector<genome::Region>> genome_regions(const genome::Index& index,
                                                                 const genome::Header& header,
                                                                 const consent::Scope& regions);

[[nodiscard]] Bytes encode_cuts(const RegionCuts& cuts);
// Errors: kCorrupt.
[[nodiscard]] Result<RegionCuts> decode_cuts(ByteView bytes);

}  // namespace warifu::control
