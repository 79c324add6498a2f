// Scoring files of the PGS Catalog, format 2.0, as it publishes them: plain or gzip, formatted or
// harmonised (HmPOS).
//
//   file    := "###PGS CATALOG SCORING FILE ..." header{lines} names row{rows}
//   header  := "#" key "=" value        "##" comment
//   names   := the columns' names between tabs; row := as many fields, or fewer when the last are
//   empty
// Read as they are met: tabs behind header lines, doubled quotes, True and TRUE, fields in quotes,
// CR LF, positions that are missing. Columns that are not known are passed over.
//
// What cannot be computed from single bases is refused by name, never dropped: haplotypes,
// diplotypes and interactions make the whole file kRefused. Variants without a position, and
// alleles that are no single base, are counted and stand as missing sites.
//
// Pure functions, any thread. Input may be hostile: sizes are bounded.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "risk/genes.h"

namespace warifu::risk {

inline constexpr std::size_t kMaxScoringBytes = 256U << 20;  // unpacked
inline constexpr std::size_t kMaxScoringVariants = 2'000'000;
inline constexpr std::size_t kMaxScoringLine = 64 << 10;
inline constexpr double kMaxWeight = 1e9;  // either way: sums over all variants stay finite

struct ScoringHeader {
  std::string pgs_id, pgs_name, trait, trait_efo, citation, licence;
  std::string genome_build;      // as it stands there; may be NR
  std::string harmonised_build;  // empty: not harmonised
  std::string weight_type;       // NR, beta, OR, HR; weights are summed up as they stand
  std::uint64_t variants = 0;    // as the header claims; 0: it does not
};

enum class Effect : std::uint8_t { kAdditive, kDominant, kRecessive, kPerDosage };

struct ScoringVariant {
  std::string rs_id;           // may be empty
  std::string chromosome;      // "20"; empty: not known
  std::uint32_t position = 0;  // 0: not known
  char effect_allele = 'N';    // 'N': no single base
  char other_allele = 'N';     // 'N': not said, or no single base
  Effect effect = Effect::kAdditive;
  std::array<double, 3> weights{};  // what 0, 1 and 2 copies of the effect allele add
  std::optional<double> frequency;  // of the effect allele, in the study's population
  bool is_ambiguous = false;        // A/T or C/G: the strand cannot be told from the alleles
  std::size_t line = 0;
  [[nodiscard]] bool is_usable() const {
    return position != 0 && !chromosome.empty() && effect_allele != 'N';
  }
};

struct ScoringFile {
  ScoringHeader header;
  Assembly assembly = Assembly::kGrch38;  // of the positions
  std::vector<ScoringVariant> variants;
  std::size_t without_position = 0;
  std::size_t not_single_base = 0;
  std::size_t ambiguous = 0;
  std::size_t duplicates = 0;  // rows whose place and effect allele an earlier one has
};

// `assumed` is the assembly when the file does not say one (NR).
// Errors: kInvalidArgument with the line's number; kCorrupt (gzip); kRefused naming what cannot be
// computed.
[[nodiscard]] Result<ScoringFile> parse_scoring_file(ByteView bytes,
                                                     std::optional<Assembly> assumed);

}  // namespace warifu::risk
