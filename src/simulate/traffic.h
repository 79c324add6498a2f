// Random numbers of a simulation and what it draws from them: arrivals of persons, links that are
// down, objects that are restored.
//
// Every stream follows from one seed and its own number, so that one policy's decisions never
// change what another one meets. Repeatable on every machine: nothing here uses the distributions
// of the C++ library. Not for secrets. One thread.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace warifu::simulate {

class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t stream);
  // Uniform in [0, 1).
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  // Exponential with this mean.
  double waiting(double mean);
  // Poisson; mean at most a few thousand.
  std::size_t events(double mean);
  // Uniform below `limit`.
  std::size_t below(std::size_t limit) {
    return static_cast<std::size_t>(uniform() * static_cast<double>(limit));
  }

 private:
  std::mt19937_64 engine_;
};

// Arrival times in seconds of the persons of one site, one after another.
class Arrivals {
 public:
  // `per_day` may be 0: nobody ever comes.
  Arrivals(std::uint64_t seed, std::uint64_t site, double per_day);
  // The next arrival before `until`, or none.
  [[nodiscard]] bool next_before(double until, double& at);

 private:
  Dice dice_;
  double mean_seconds_;
  double next_;
};

}  // namespace warifu::simulate
