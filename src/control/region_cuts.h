// What share control keeps of a consent to regions: which bytes of the stored file hold them, and
// how a whole file is made of these. Found once, in the index, before the person consents; sealed
// with the grant's secrets, so the index need not be read again. Values; any thread.
#pragma once

#include "consent/veil.h"
#include "control/decoys.h"

namespace warifu::control {

struct RegionCut {
  // The regions, and the chunks of the object that hold them and their decoys.
  consent::Scope scope;
  genome::Cut cut;  // in bytes of the file, which begins behind the lead
};

struct RegionCuts {
  genome::FileKind kind = genome::FileKind::kCram;
  std::uint32_t lead_chunks = 0;
  Bytes head;                   // the file's header, where the lead has it: then not read again
  std::vector<RegionCut> cuts;  // all regions first, then each alone if there are several
  Bytes salt;                   // of the veil, where the regions are hidden; else empty

  // What a grant is to allow: the first of them, veiled where the regions are hidden.
  [[nodiscard]] consent::Scope allowed() const;
  [[nodiscard]] Bytes opening() const;  // of that veil; empty without one

  // The smallest one that holds all of `asked`; nullptr when none does.
  [[nodiscard]] const RegionCut* find(const consent::Scope& asked) const;
};

// Out of an object's index. With `hiding` each region gets decoys, and the whole a veil. Errors:
// kInvalidArgument (another assembly, a reference that the genome does not have, too many places,
// no room for decoys), kCorrupt (index and file do not fit).
[[nodiscard]] Result<RegionCuts> find_cuts(const genome::Lead& lead, const consent::Scope& regions,
                                           const std::optional<Hiding>& hiding = {});

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
