// Does what is granted identify the person? Japan's law on personal information counts genome data
// as a personal identification code from 40 mutually independent SNPs, or 9 four-base STR loci, on
// (Cabinet Order of the APPI, article 1; the commission's rules and guidelines name whole genomes,
// exomes and genome-wide SNPs).
//
// The rule by which this counts, stated because the law has none:
//   - SNPs: as many positions as can be chosen within the granted regions so that any two of one
//   chromosome
//     lie at least kIndependentDistance apart. 10 kb is below the mean length of haplotype blocks
//     (11 kb in Yoruba, 22 kb in Europeans and East Asians: Gabriel et al., Science 296:2225,
//     2002), so neighbours are called independent too often rather than too rarely: the meter warns
//     early. That a SNP lies near each position is taken for granted (common ones stand closer than
//     1 kb).
//   - STR loci: one for each kStrDistance of granted sequence, an assumption of ours on the safe
//   side of
//     the tens of thousands of four-base loci of a genome; a single site is none.
// Regions of two assemblies cannot be compared and are added. A whole genome identifies.
// It is an estimate, not legal advice.
//
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "risk/limits_text.h"

namespace warifu::risk {

inline constexpr std::uint32_t kIndependentDistance = 10'000;  // bases
inline constexpr std::uint32_t kStrDistance = 25'000;          // bases of sequence for each locus
inline constexpr std::uint64_t kSnpThreshold = 40;
inline constexpr std::uint64_t kStrThreshold = 9;

// 1-based, inclusive. A site is a region of one base.
struct GrantedRegion {
  std::string assembly;
  std::string chromosome;
  std::uint32_t start = 0;
  std::uint32_t end = 0;
};

// What one grantee has of one person, or would have.
struct Granted {
  bool whole = false;
  std::vector<GrantedRegion> regions;
};

struct Identification {
  bool whole = false;
  std::uint64_t independent_snps = 0;
  std::uint64_t str_loci = 0;
  std::uint64_t bases = 0;
  [[nodiscard]] bool identifies() const {
    return whole || independent_snps >= kSnpThreshold || str_loci >= kStrThreshold;
  }
};
[[nodiscard]] Identification measure(const Granted& granted);

// Before and after: what the grantee had, and has with this grant.
struct MeterReading {
  Identification before, after;
  [[nodiscard]] bool crosses() const { return after.identifies() && !before.identifies(); }
};
[[nodiscard]] MeterReading read_meter(const Granted& past, const Granted& asked);
// For the person, before signing.
[[nodiscard]] std::string meter_text(const MeterReading& reading, Language language);

}  // namespace warifu::risk
