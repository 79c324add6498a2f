// Rounds, medians, and two threads on two processors.
#include "bench_kernels/bench_kernels.h"

#include <pthread.h>
#include <sched.h>

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

constexpr std::string_view kTwoCores = "two_cores";
constexpr std::string_view kSender = "full_sender";

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
    return bytes / seconds_of([&] {
             std::memcpy(streams[streams.count() - 1], streams[0], streams.bytes());
           });
  };
  const auto run = [&] {
    return bytes / seconds_of([&] {
             one.run(kernels, streams, {0, streams.bytes()}, sums, Stores::kStreaming);
           });
  };
  return figure(one.name, one.goal, rounds, copy, run);
}

// The full sender over two halves of the streams: one half by one core against both by two.
KernelFigure two_cores(const Kernels& kernels, const Streams& streams, const Sums& sums,
                       const std::vector<int>& processors, int rounds) {
  const Case& sender = *std::ranges::find(cases(), kSender, &Case::name);
  const std::size_t half = streams.bytes() / 2;
  const auto on = [&](int threads) {
    std::barrier start(threads + 1);
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&, i] {
        const auto index = static_cast<std::size_t>(i);
        pin_to(processors[index]);
        start.arrive_and_wait();
        sender.run(kernels, streams, {index * half, half}, sums, Stores::kStreaming);
      });
    }
    const double seconds = seconds_of([&] {
      start.arrive_and_wait();
      workers.clear();
    });
    return static_cast<double>(half) * threads / seconds;
  };
  KernelFigure result =
      figure(kTwoCores, kTwoCoresGoal, rounds, [&] { return on(1); }, [&] { return on(2); });
  result.against = "one core";
  return result;
}

}  // namespace

const std::vector<std::string_view>& kernel_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Case& one : cases()) {
      if (one.name == "shamir_3_5_split") all.push_back(kTwoCores);
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
    if (name != kTwoCores) {
      const Case& one = *std::ranges::find(cases(), name, &Case::name);
      figures.push_back(single_core(one, *kernels, streams, sums, rounds));
    } else if (const auto processors = pinned.processors(); processors.size() >= 2) {
      figures.push_back(two_cores(*kernels, streams, sums, processors, rounds));
    }
  }
  return figures;
}

}  // namespace warifu::bench_kernels
