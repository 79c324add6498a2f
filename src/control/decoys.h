// Decoys: chunks of other genes that are read beside a region, so that sites which keep shares
// cannot tell what a consent is about.
//
// Each region gets so many other genes of about its length, drawn from the table of genes by a
// secret of the site: a holder sees one candidate more for each, all of them genes. The same region
// of the same object always gets the same decoys; drawn anew each time, what two consents have in
// common would be the region. What decoys cannot hide: docs/threat-model.md, W39. Values; any
// thread.
#pragma once

#include "consent/scope.h"
#include "genome/lead.h"
#include "secret/secret.h"

namespace warifu::control {

inline constexpr std::uint32_t kMostDecoys = 16;  // for each region

struct Hiding {
  std::uint32_t decoys = 0;  // for each region, 1..kMostDecoys
  ObjectId object;           // whose chunks they are
  ByteView key;              // of the site, 32 bytes: outlives the call
};

// Which chunks of the object hold these bytes of the file; what the head has is left out, unless
// nothing would be left: a grant names a chunk at least. Not merged. Errors: kCorrupt.
[[nodiscard]] Result<std::vector<consent::ChunkRange>> ranges_of(const genome::Cut& cut,
                                                                 std::uint32_t lead_chunks,
                                                                 std::size_t head_bytes);

// For each of the regions, with whose chunks (scope.chunks, all regions') no decoy overlaps or
// touches, nor with another decoy: so each looks like what a region alone looks like. Errors:
// kInvalidArgument (an assembly without a table of genes; the file has no room for so many).
[[nodiscard]] Result<std::vector<consent::ChunkRanges>> draw_decoys(const Hiding& hiding,
                                                                    const genome::Index& index,
                                                                    const genome::Lead& lead,
                                                                    const consent::Scope& regions);

// The salt of the veil over these regions.
[[nodiscard]] Bytes salt_for(const Hiding& hiding, const consent::Scope& regions);

}  // namespace warifu::control
