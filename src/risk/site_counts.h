// What reads say at single positions of a genome: the input of everything that this component
// computes.
//
// One entry for each site asked for, without the reads themselves; a site that no read covers may
// be left out. Positions are 1-based. Values only; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "secret/wiped.h"

namespace warifu::risk {

struct Observation {
  char base = 'N';  // A, C, G, T as on the forward strand; N and '*' (deleted) count for nothing
  std::uint8_t base_quality = 0;     // Phred
  std::uint8_t mapping_quality = 0;  // Phred
  bool is_reverse = false;
};

struct SiteCounts {
  std::string chromosome;  // "20" or "chr20"
  std::uint32_t position = 0;
  char reference = 'N';  // of the assembly; N: not known
  secret::Wiped<Observation> observations;
};

// "20" of "chr20", "20"; "MT" of "chrM", "M", "MT".
[[nodiscard]] std::string plain_chromosome(std::string_view name);

inline constexpr std::size_t kMaxPileupDepth = 100'000;  // observations of one site
inline constexpr std::size_t kMaxPileupSites = 2'000'000;

// The text that `samtools mpileup -s` writes (with its column of mapping qualities), or without -s:
// the mapping qualities then count as `mapping_quality` each, which the reader of the reads has
// checked. Errors: kInvalidArgument with the line's number.
[[nodiscard]] Result<std::vector<SiteCounts>> parse_pileup(std::string_view text,
                                                           std::uint8_t mapping_quality);

}  // namespace warifu::risk
