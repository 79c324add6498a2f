// Seeded randomness for simulations: the same seed gives the same run. Never for production.
//
// Not thread-safe: a simulated site runs in one thread.
#pragma once

#include <algorithm>

#include "os/system.h"

namespace warifu::sim {

// splitmix64: small, quick, and good enough to draw faults and workloads.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // Uniform in [0, count), up to a bias of count / 2^64; count > 0.
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  // Uniform in [first, last].
  std::uint64_t between(std::uint64_t first, std::uint64_t last) {
    return first + below(last - first + 1);
  }
  // True once in `count` times.
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  void fill(MutableBytes out) {
    for (std::size_t at = 0; at < out.size(); at += 8) {
      const std::uint64_t word = next();
      std::memcpy(out.data() + at, &word, std::min<std::size_t>(8, out.size() - at));
    }
  }

 private:
  std::uint64_t state_;
};

class SimRandom final : public os::Random {
 public:
  explicit SimRandom(std::uint64_t seed) : dice_(seed) {}
  void fill(MutableBytes out) override { dice_.fill(out); }

 private:
  Dice dice_;
};

}  // namespace warifu::sim
