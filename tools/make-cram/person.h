// Person: a synthetic diploid person as differences from the reference. The variants depend on the
// seed and the chromosome only, so that files of any coverage, region or size show the same person.
// Invariant: variants are sorted by position, at most one at each, never on an unknown base.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "contig.h"

namespace warifu::make_cram {

inline constexpr const char* kSampleName = "SYNTHETIC";

struct Variant {
  std::int64_t position = 0;
  char reference = 'N';
  char alternative = 'N';
  std::uint8_t haplotypes = 0;  // bit 0: on the first, bit 1: on the second
};

using Person = std::vector<Variant>;

Person make_person(const Contig& contig, std::uint64_t seed);

// Writes the variants inside the layout as phased VCF to `path` (bgzip if compress is set) and
// returns how many there were.
std::uint64_t write_sites(const Person& person, const Contig& contig, const Layout& layout,
                          const std::string& path, bool compress);

}  // namespace warifu::make_cram
