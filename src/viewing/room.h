// How much locked memory a view needs, told before a use of the consent is taken.
//
// What is known then is how many bytes of the object's file hold the regions. How far they inflate
// is not: the bound here is what sequencing data take in practice, generous on purpose, since
// asking for too much costs a look at the settings and asking for too little a restore. Pure; any
// thread.
#pragma once

#include <cstdint>

#include "genome/header.h"

namespace warifu::viewing {

// BAM of the reads of a CRAM: twice the size with all qualities kept, up to four times where these
// are binned into a few values (docs/htsget.md).
inline constexpr std::uint64_t kBamOfCram = 4;
// The index, and the header of the file.
inline constexpr std::uint64_t kBesideRecords = 1ULL << 20U;

// Bytes that the records of `bytes` of such a file may take.
[[nodiscard]] std::uint64_t records_bound(genome::FileKind kind, std::uint64_t bytes);

}  // namespace warifu::viewing
