// Names: INSTRUMENT:RUN:FLOWCELL:LANE:TILE:X:Y, the place from a Feistel permutation with cycle
// walking (a permutation of a power of two, repeated until the value falls inside the domain).
#include "read_names.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "random.h"

namespace warifu::make_cram {
namespace {

constexpr std::uint64_t kLanes = 8;
constexpr std::uint64_t kTiles = 96;  // 2 surfaces, 3 swaths, 16 tiles
constexpr std::uint64_t kWidth = 20000;
constexpr std::uint64_t kHeight = 100000;
constexpr std::uint64_t kPlaces = kLanes * kTiles * kWidth * kHeight;
constexpr unsigned kHalfBits = 21;
constexpr std::uint64_t kHalfMask = (std::uint64_t{1} << kHalfBits) - 1;
static_assert(kPlaces <= std::uint64_t{1} << (2 * kHalfBits));

std::uint64_t permute(std::uint64_t value, std::uint64_t seed) {
  std::uint64_t left = value >> kHalfBits;
  std::uint64_t right = value & kHalfMask;
  for (std::uint64_t round = 0; round < 4; ++round) {
    const std::uint64_t next = left ^ (mix64(seed ^ (right << 8U) ^ round) & kHalfMask);
    left = right;
    right = next;
  }
  return (left << kHalfBits) | right;
}

std::string make_prefix(std::uint64_t seed) {
  Random random(seed, Stream::kName, 1);
  std::string flow_cell = "C";
  constexpr std::string_view kLetters = "ABCDEFGHJKLMNPRSTUVWXYZ23456789";
  for (int i = 0; i < 4; ++i) {
    flow_cell += kLetters[random.below(static_cast<std::uint32_t>(kLetters.size()))];
  }
  return fmt::format("D{:05}:{}:{}ANXX:", 100 + random.below(900), 10 + random.below(490),
                     flow_cell);
}

}  // namespace

ReadNames::ReadNames(std::uint64_t seed)
    : seed_(Random(seed, Stream::kName).next()), prefix_(make_prefix(seed)) {}

void ReadNames::write(std::uint64_t index, std::string& name) const {
  std::uint64_t place = permute(index, seed_);
  while (place >= kPlaces) place = permute(place, seed_);
  const std::uint64_t y = place % kHeight;
  const std::uint64_t x = place / kHeight % kWidth;
  const std::uint64_t tile = place / (kHeight * kWidth) % kTiles;
  const std::uint64_t lane = place / (kHeight * kWidth * kTiles);
  name.assign(prefix_);
  fmt::format_to(std::back_inserter(name), "{}:{}{}{:02}:{}:{}", lane + 1, 1 + tile / 48,
                 1 + tile / 16 % 3, 1 + tile % 16, 1000 + x, 1000 + y);
}

}  // namespace warifu::make_cram
