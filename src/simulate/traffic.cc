// Inversion for exponential numbers; counts of exponential waits for Poisson numbers.
#include "simulate/traffic.h"

#include <cmath>
#include <limits>

#include "simulate/network.h"

namespace warifu::simulate {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;  // spreads the numbers of streams

}  // namespace

Dice::Dice(std::uint64_t seed, std::uint64_t stream) : engine_(seed ^ (stream * kGolden)) {}

double Dice::waiting(double mean) {
  return -mean * std::log1p(-uniform());
}

std::size_t Dice::events(double mean) {
  std::size_t count = 0;
  for (double at = waiting(1); at < mean; at += waiting(1)) ++count;
  return count;
}

Arrivals::Arrivals(std::uint64_t seed, std::uint64_t site, double per_day)
    : dice_(seed, site),
      mean_seconds_(per_day > 0 ? kSecondsPerDay / per_day : kNever),
      next_(per_day > 0 ? dice_.waiting(mean_seconds_) : kNever) {}

bool Arrivals::next_before(double until, double& at) {
  if (next_ >= until) return false;
  at = next_;
  next_ += dice_.waiting(mean_seconds_);
  return true;
}

}  // namespace warifu::simulate
