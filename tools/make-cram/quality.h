// QualityModel: base qualities of a 4-colour Illumina instrument (Q2 to Q41) as a Markov chain over
// the cycles. Its parameters depend on the cycle and on how well the cluster was read, so that a
// file compresses like real reads: constant or independent qualities would be far too small or
// too large.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "contig.h"
#include "random.h"

namespace warifu::make_cram {

struct Cycle {
  std::uint8_t quality = 0;
  bool error = false;
};

class QualityModel {
 public:
  QualityModel();

  // Fills `cycles` in the order of sequencing: qualities, and where the base was misread with
  // probability 0.5 * 10^(-Q/10).
  void draw(Random& random, bool second_read, std::array<Cycle, kReadLength>& cycles) const;

 private:
  static constexpr std::size_t kClasses = 3;  // good, mediocre and poor clusters
  static constexpr std::size_t kBands = 10;   // ranges of cycles with the same parameters
  static constexpr std::size_t kSlots = 64;   // power of two above the number of qualities
  static constexpr std::uint8_t kLowest = 2;
  static constexpr std::uint8_t kHighest = 41;
  static constexpr std::size_t kLevels = kHighest - kLowest + 1;

  // Walker's alias method: slot i yields i if a 16-bit draw is below `threshold`, else `alias`.
  struct Slot {
    std::uint32_t threshold = 0;
    std::uint8_t alias = 0;
  };
  using Row = std::array<Slot, kSlots>;

  static std::array<double, kLevels> weights(std::size_t cluster, std::size_t band,
                                             std::size_t previous);
  static Row make_row(const std::array<double, kLevels>& weights);
  [[nodiscard]] const Row& row(std::size_t cluster, std::size_t band, std::size_t previous) const {
    return rows_[(cluster * kBands + band) * kLevels + previous];
  }

  std::vector<Row> rows_;
  std::array<std::uint8_t, kReadLength> band_of_cycle_{};
  std::array<std::uint32_t, kLevels> error_threshold_{};
};

}  // namespace warifu::make_cram
