// Google Benchmark over every kernel and every variant that this machine runs: streams in memory
// (128 MiB) and in the second-level cache, with memcpy in the same run.
//
//   build/release/bench/kernels_bench --benchmark_filter='hash.*/L2'
//   build/release/bench/kernels_bench --benchmark_repetitions=9 --benchmark_report_aggregates_only
//
// Bytes per second are of secret (of message for hashes and pads).
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <string>

#include "bench_kernels/cases.h"
#include "kernels/kernels.h"

namespace {

using namespace warifu::bench_kernels;
using warifu::kernels::Stores;

struct Place {
  const char* name;
  std::size_t bytes;  // of each stream; all streams together must fit the place
  Stores stores;
};

constexpr Place kPlaces[] = {
    {"memory", 128U << 20, Stores::kStreaming},
    {"L2", 32U << 10, Stores::kCached},
};

// Made when the first benchmark of a place runs, so that a filter need not pay for the others.
const Streams& streams_of(std::size_t place) {
  static std::unique_ptr<Streams> made[std::size(kPlaces)];
  if (!made[place]) made[place] = std::make_unique<Streams>(kMostStreams, kPlaces[place].bytes);
  return *made[place];
}

const Sums& sums() {
  static const Sums instance;
  return instance;
}

template <class Work>
void repeat(benchmark::State& state, std::size_t place, Work work) {
  const Streams& streams = streams_of(place);
  if (!streams.ok()) return state.SkipWithError("no memory for the streams");
  for (auto _ : state) work(streams);
  state.SetBytesProcessed(static_cast<std::int64_t>(streams.bytes()) *
                          static_cast<std::int64_t>(state.iterations()));
}

void register_all() {
  for (std::size_t place = 0; place < std::size(kPlaces); ++place) {
    const std::string where = std::string("/") + kPlaces[place].name;
    benchmark::RegisterBenchmark(("memcpy" + where).c_str(), [place](benchmark::State& state) {
      repeat(state, place, [](const Streams& streams) {
        std::memcpy(streams[1], streams[0], streams.bytes());
        benchmark::ClobberMemory();
      });
    });
    for (const Case& one : cases()) {
      for (const auto* kernels : warifu::kernels::runnable()) {
        const std::string name = std::string(one.name) + where + "/" + kernels->name;
        benchmark::RegisterBenchmark(name.c_str(), [&one, kernels, place](benchmark::State& state) {
          repeat(state, place, [&](const Streams& streams) {
            one.run(*kernels, streams, {0, streams.bytes()}, sums(), kPlaces[place].stores);
          });
        });
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
