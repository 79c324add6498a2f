// Random: xoshiro256** with its own distributions. The standard library's distributions are not
// specified bit by bit, and the same seed must give the same person and the same reads everywhere.
// Each use has its own stream, so that changing the coverage does not change the person.
// Not a source of secrets: this is for synthetic test data only.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace warifu::make_cram {

enum class Stream : std::uint64_t { kPerson = 1, kPlacement = 2, kPair = 3, kName = 4 };

// splitmix64's finaliser: a bijection on 64 bits that spreads every input bit.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

class Random {
 public:
  Random(std::uint64_t seed, Stream stream, std::uint64_t index = 0) {
    std::uint64_t x = mix64(mix64(seed) ^ static_cast<std::uint64_t>(stream)) ^ mix64(index);
    for (auto& word : state_) word = x = mix64(x);
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // In (0, 1]: never zero, so that its logarithm is finite.
  double uniform() { return (static_cast<double>(next() >> 11U) + 1.0) * 0x1p-53; }

  // In [0, bound), bound < 2^32. The bias of at most 2^-32 does not matter for test data.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

  double exponential(double mean) { return -mean * std::log(uniform()); }

  double normal(double mean, double deviation) {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return mean + deviation * radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace warifu::make_cram
