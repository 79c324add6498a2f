// Rounds, medians, and two threads on two processors.
#include "bench_kernels/bench_kernels.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstring>
#include <thread>

#include "bench_kernels/cases.h"

namespace warifu::bench_kernels {
namespace {

using kernels::Kernels;
using kernels::Stores;

// The full sender over long streams; over one chunk at a time, again and again, as the data path
// does it; and what the memory behind both processors allows a plain copy.
constexpr std::string_view kTwoCores = "two_cores";
constexpr std::string_view kTwoCoresChunks = "two_cores_chunks";
constexpr std::string_view kTwoCoresMemcpy = "two_cores_memcpy";
constexpr std::size_t kChunkBytes = 256U << 10;
constexpr std::string_view kSender = "full_sender";

double wall_seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double thread_seconds() {
  timespec now{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Processor time of this thread: on an idle machine the same as wall time, on a busy one without
// the turns of others.
double core_seconds_of(const std::function<void()>& work) {
  const double start = thread_seconds();
  work();
  return thread_seconds() - start;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

void pin_to(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  (void)::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

// Keeps the calling thread on one processor while it lives.
class Pinned {
 public:
  Pinned() {
    CPU_ZERO(&before_);
    known_ = ::pthread_getaffinity_np(::pthread_self(), sizeof before_, &before_) == 0;
    if (known_) pin_to(::sched_getcpu());
  }
  ~Pinned() {
    if (known_) (void)::pthread_setaffinity_np(::pthread_self(), sizeof before_, &before_);
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

  // The processors that the thread may use when it is not pinned.
  [[nodiscard]] std::vector<int> processors() const {
    std::vector<int> all;
    for (std::size_t i = 0; known_ && i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &before_)) all.push_back(static_cast<int>(i));
    }
    return all;
  }

 private:
  cpu_set_t before_;
  bool known_ = false;
};

// The medians of `rounds` rounds of (reference, measured); both give bytes per second.
KernelFigure figure(std::string_view name, double goal, int rounds,
                    const std::function<double()>& reference,
                    const std::function<double()>& measured) {
  std::vector<double> against;
  std::vector<double> rates;
  std::vector<double> ratios;
  (void)measured();  // page tables, caches and clock are warm afterwards
  for (int round = 0; round < rounds; ++round) {
    against.push_back(reference());
    rates.push_back(measured());
    ratios.push_back(rates.back() / against.back());
  }
  return {.name = std::string(name),
          .bytes_per_second = median(rates),
          .against_bytes_per_second = median(against),
          .against = "memcpy",
          .ratio = median(ratios),
          .goal = goal};
}

KernelFigure single_core(const Case& one, const Kernels& kernels, const Streams& streams,
                         const Sums& sums, int rounds) {
  const auto bytes = static_cast<double>(streams.bytes());
  const auto copy = [&] {
    return bytes / core_seconds_of([&] {
             std::memcpy(streams[streams.count() - 1], streams[0], streams.bytes());
           });
  };
  const auto run = [&] {
    return bytes / core_seconds_of([&] {
             one.run(kernels, streams, {0, streams.bytes()}, sums, Stores::kStreaming);
           });
  };
  return figure(one.name, one.goal, rounds, copy, run);
}

// The same work by one core and by two, each on its own part of the streams; `bytes` of one part.
KernelFigure two_cores(std::string_view name, double goal, std::size_t bytes,
                       const std::function<void(std::size_t part)>& work,
                       const std::vector<int>& processors, int rounds) {
  const auto on = [&](int threads) {
    std::barrier start(threads + 1);
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        const auto part = static_cast<std::size_t>(i);
        pin_to(processors[part]);
        start.arrive_and_wait();
        work(part);
      });
    }
    const double seconds = wall_seconds_of([&] {
      start.arrive_and_wait();
      workers.clear();
    });
    return static_cast<double>(bytes) * threads / seconds;
  };
  KernelFigure result = figure(name, goal, rounds, [&] { return on(1); }, [&] { return on(2); });
  result.against = "one core";
  return result;
}

KernelFigure two_cores_of(std::string_view name, const Kernels& kernels, const Streams& streams,
                          const Sums& sums, const std::vector<int>& processors, int rounds) {
  const Case& sender = *std::ranges::find(cases(), kSender, &Case::name);
  const std::size_t half = streams.bytes() / 2;
  if (name == kTwoCoresMemcpy) {
    const auto copy = [&](std::size_t part) {
      std::memcpy(streams[streams.count() - 1] + part * half, streams[0] + part * half, half);
    };
    return two_cores(name, 0, half, copy, processors, rounds);
  }
  if (name == kTwoCores) {
    const auto long_streams = [&](std::size_t part) {
      sender.run(kernels, streams, {part * half, half}, sums, Stores::kStreaming);
    };
    return two_cores(name, kTwoCoresGoal, half, long_streams, processors, rounds);
  }
  const std::size_t chunk = std::min(kChunkBytes, half);
  const std::size_t times = half / chunk;
  const auto chunks = [&](std::size_t part) {
    for (std::size_t i = 0; i < times; ++i) {
      sender.run(kernels, streams, {part * chunk, chunk}, sums, Stores::kCached);
    }
  };
  return two_cores(name, kTwoCoresGoal, times * chunk, chunks, processors, rounds);
}

}  // namespace

const std::vector<std::string_view>& kernel_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Case& one : cases()) {
      if (one.name == "shamir_3_5_split") {
        all.insert(all.end(), {kTwoCores, kTwoCoresChunks, kTwoCoresMemcpy});
      }
      all.push_back(one.name);
    }
    return all;
  }();
  return names;
}

std::vector<KernelFigure> measure_kernels(const std::function<bool(std::string_view)>& wanted,
                                          const MeasureOptions& options) {
  const Kernels* kernels = options.variant.empty() ? &kernels::best() : nullptr;
  for (const Kernels* one : kernels::runnable()) {
    if (options.variant == one->name) kernels = one;
  }
  const int rounds = std::max(options.rounds, 1);
  const bool any = std::ranges::any_of(kernel_names(), wanted);
  if (kernels == nullptr || !any) return {};
  const Pinned pinned;
  const Streams streams(kMostStreams + 1, options.stream_bytes);
  if (!streams.ok()) return {};
  const Sums sums;
  std::vector<KernelFigure> figures;
  for (const std::string_view name : kernel_names()) {
    if (!wanted(name)) continue;
    if (!name.starts_with(kTwoCores)) {
      const Case& one = *std::ranges::find(cases(), name, &Case::name);
      figures.push_back(single_core(one, *kernels, streams, sums, rounds));
    } else if (const auto processors = pinned.processors(); processors.size() >= 2) {
      figures.push_back(two_cores_of(name, *kernels, streams, sums, processors, rounds));
    }
  }
  return figures;
}

}  // namespace warifu::bench_kernels
