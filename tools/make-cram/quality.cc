// Tables of the quality model. The shape follows what such instruments show: the first cycles are
// capped, a plateau near Q40, a slow decline, short dips, and Q2 tails in poor clusters.
#include "quality.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace warifu::make_cram {
namespace {

struct Band {
  std::int64_t end;  // first cycle behind it
  int cap;
  std::array<double, 3> mean;   // by class of cluster
  std::array<double, 3> scale;  // of the two-sided exponential around the mean
};

constexpr std::array<Band, 10> kBandTable{{
    {3, 34, {34.5, 32.0, 29.0}, {0.6, 1.6, 3.0}},
    {8, 37, {37.5, 35.0, 31.0}, {0.7, 1.8, 3.4}},
    {13, 39, {39.5, 36.5, 31.5}, {0.8, 2.0, 3.6}},
    {30, 41, {41.0, 37.5, 31.0}, {0.9, 2.2, 3.8}},
    {50, 41, {41.0, 37.5, 29.0}, {1.0, 2.3, 4.0}},
    {70, 41, {40.5, 37.0, 26.0}, {1.1, 2.4, 4.0}},
    {90, 41, {40.0, 36.0, 23.0}, {1.2, 2.5, 4.0}},
    {110, 41, {39.5, 34.5, 20.0}, {1.3, 2.6, 4.0}},
    {130, 41, {38.5, 32.5, 17.0}, {1.5, 2.8, 4.0}},
    {kReadLength, 41, {37.0, 30.0, 14.0}, {1.8, 3.0, 4.0}},
}};

constexpr std::array<double, 3> kDip{0.012, 0.025, 0.05};
constexpr double kMemory = 0.7;  // how strongly a quality follows the one before
constexpr double kStay = 0.30;   // chance of an exact repetition besides that
constexpr int kDipHighest = 30;
constexpr double kTailStays = 0.995;  // a poor cluster that has reached Q2 ends in Q2

// Probability of a good, and of a good or mediocre cluster. Second reads are worse.
constexpr std::array<std::array<double, 2>, 2> kClusterLimits{{{0.83, 0.975}, {0.74, 0.955}}};

}  // namespace

std::array<double, QualityModel::kLevels> QualityModel::weights(std::size_t cluster,
                                                                std::size_t band,
                                                                std::size_t previous) {
  const Band& shape = kBandTable[band];
  const double center = shape.mean[cluster] +
                        kMemory * (static_cast<double>(previous) + kLowest - shape.mean[cluster]);
  std::array<double, kLevels> result{};
  double total = 0;
  for (int quality = kLowest; quality <= 50; ++quality) {  // what lies above the cap is cut to it
    const double weight = std::exp(-std::abs(quality - center) / shape.scale[cluster]);
    result[static_cast<std::size_t>(std::min(quality, shape.cap) - kLowest)] += weight;
    total += weight;
  }
  constexpr double kDipLevels = kDipHighest - kLowest + 1;
  for (std::size_t level = 0; level < kLevels; ++level) {
    result[level] *= (1.0 - kStay - kDip[cluster]) / total;
    if (static_cast<int>(level) + kLowest <= kDipHighest) {
      result[level] += kDip[cluster] / kDipLevels;
    }
  }
  const auto cap_level = static_cast<std::size_t>(shape.cap - kLowest);
  result[std::min(previous, cap_level)] += kStay;
  if (cluster == 2 && previous == 0) {
    for (double& weight : result) weight *= 1.0 - kTailStays;
    result[0] += kTailStays;
  }
  return result;
}

QualityModel::Row QualityModel::make_row(const std::array<double, kLevels>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::array<double, kSlots> share{};
  for (std::size_t i = 0; i < kLevels; ++i) share[i] = weights[i] / total * kSlots;
  std::vector<std::size_t> small;
  std::vector<std::size_t> large;
  for (std::size_t i = 0; i < kSlots; ++i) (share[i] < 1.0 ? small : large).push_back(i);
  Row row{};
  while (!small.empty() && !large.empty()) {
    const std::size_t poor = small.back();
    const std::size_t rich = large.back();
    small.pop_back();
    row[poor] = {static_cast<std::uint32_t>(share[poor] * 65536.0),
                 static_cast<std::uint8_t>(rich)};
    share[rich] -= 1.0 - share[poor];
    if (share[rich] < 1.0) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  // What is left has a share of one, up to rounding. A slot without a quality must never yield.
  for (const auto* rest : {&small, &large}) {
    for (const std::size_t i : *rest) {
      row[i] = i < kLevels ? Slot{65536, 0} : Slot{0, static_cast<std::uint8_t>(kLevels - 1)};
    }
  }
  return row;
}

QualityModel::QualityModel() {
  rows_.reserve(kClasses * kBands * kLevels);
  for (std::size_t cluster = 0; cluster < kClasses; ++cluster) {
    for (std::size_t band = 0; band < kBands; ++band) {
      for (std::size_t previous = 0; previous < kLevels; ++previous) {
        rows_.push_back(make_row(weights(cluster, band, previous)));
      }
    }
  }
  std::uint8_t band = 0;
  for (std::size_t cycle = 0; cycle < band_of_cycle_.size(); ++cycle) {
    if (static_cast<std::int64_t>(cycle) >= kBandTable[band].end) ++band;
    band_of_cycle_[cycle] = band;
  }
  for (std::size_t level = 0; level < kLevels; ++level) {
    const double chance = 0.5 * std::pow(10.0, -static_cast<double>(level + kLowest) / 10.0);
    error_threshold_[level] = static_cast<std::uint32_t>(chance * 0x1p32);
  }
}

void QualityModel::draw(Random& random, bool second_read,
                        std::array<Cycle, kReadLength>& cycles) const {
  const double luck = random.uniform();
  const auto& limits = kClusterLimits[second_read ? 1 : 0];
  const std::size_t cluster = luck <= limits[0] ? 0 : (luck <= limits[1] ? 1 : 2);
  std::size_t level = static_cast<std::size_t>(kBandTable[0].mean[cluster]) - kLowest;
  for (std::size_t cycle = 0; cycle < cycles.size(); ++cycle) {
    // One draw serves three purposes: 6 bits slot, 16 bits alias, 32 bits misreading.
    const std::uint64_t bits = random.next();
    const std::size_t slot = bits & (kSlots - 1);
    const Slot& entry = row(cluster, band_of_cycle_[cycle], level)[slot];
    level = ((bits >> 6U) & 0xffffU) < entry.threshold ? slot : entry.alias;
    cycles[cycle].quality = static_cast<std::uint8_t>(level + kLowest);
    cycles[cycle].error = (bits >> 32U) < error_threshold_[level];
  }
}

}  // namespace warifu::make_cram
