// The kernels as the measurements call them: a name, the goal, and one call over all streams.
#pragma once

#include <span>
#include <string_view>

#include "bench_kernels/streams.h"
#include "kernels/kernels.h"

namespace warifu::bench_kernels {

// Keys and running sums that the calls need; the keys are fixed numbers, not secrets.
struct Sums {
  kernels::HashKey object_key;
  kernels::HashKey link_key_b;
  kernels::HashKey link_key_c;
  Sums();
};

// Which bytes of the streams a call works on.
struct Range {
  std::size_t from = 0;
  std::size_t bytes = 0;
};

struct Case {
  std::string_view name;
  double goal;
  std::size_t streams;  // how many it uses, from the first on
  void (*run)(const kernels::Kernels&, const Streams&, Range, const Sums&, kernels::Stores);
};

// All single-core cases, in the order of kernel_names().
[[nodiscard]] std::span<const Case> cases();

inline constexpr std::size_t kMostStreams = 8;
inline constexpr double kTwoCoresGoal = 1.8;

}  // namespace warifu::bench_kernels
