// Measures the data kernels on this machine: memory to memory, one core, against libc memcpy.
//
// Every figure is the median over rounds; a round times memcpy and the kernel one after the other
// on streams of the same size, so that a noisy neighbour hits both. Time is processor time of the
// thread (wall time for two_cores..). Streams lie on huge pages where the system gives them and are
// staggered, so that no two start at the same place within 4 KiB. Streams hold no secrets. One
// thread at a time may measure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace warifu::bench_kernels {

struct KernelFigure {
  std::string name;                     // one of kernel_names()
  double bytes_per_second = 0;          // of secret (of message, for hashes and pads)
  double against_bytes_per_second = 0;  // the same of `against`, in the same rounds
  std::string against;                  // "memcpy", or "one core" for two_cores..
  double ratio = 0;                     // median of the rounds' ratios
  double goal = 0;                      // the ratio that this project wants; 0: only stated
};

struct MeasureOptions {
  std::size_t stream_bytes = 128U << 20;  // a multiple of 4096
  int rounds = 15;                        // at least 1
  std::string variant;                    // a name of kernels::runnable(); empty: the best
};

// All names, in the order of measurement: xor, combine, split_key_as_share, split_three, hash,
// hash_two_lanes, seal, split_tag, full_sender, full_receiver, repair, refresh, two_cores,
// two_cores_chunks, two_cores_memcpy, shamir_3_5_split, shamir_3_5_combine.
[[nodiscard]] const std::vector<std::string_view>& kernel_names();

// Measures the kernels that `wanted` accepts. Pins the calling thread to the processor on which it
// runs and gives its old mask back. Memory: nine streams. Empty result: no such variant, no such
// name, or no memory for the streams. two_cores.. are left out on a machine with one processor.
[[nodiscard]] std::vector<KernelFigure> measure_kernels(
    const std::function<bool(std::string_view)>& wanted, const MeasureOptions& options = {});

}  // namespace warifu::bench_kernels
