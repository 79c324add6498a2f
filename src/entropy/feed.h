// One source under its health tests: raw bytes in, uniform bytes out, or the reason why not.
//
// States: a source starts untested. The start-up tests take kStartupSamples raw bytes, which serve
// nothing else; if they pass it is healthy, and every later raw byte goes through the same
// continuous tests before it is used. A failed test takes the source out until readmit() or the end
// of the process: its bytes of the same call are dropped, the failure is logged as an error. A
// source that cannot be read is unavailable; it is tried again after kRetryAfter, with start-up
// tests.
//
// Conditioning: raw bytes of less than full entropy are condensed (condenser.h); `condition` false
// gives them as they are, and then they do not count. Thread-safe: one read at a time, status() at
// any time.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "entropy/condenser.h"
#include "entropy/health.h"
#include "entropy/source.h"

namespace warifu::entropy {

inline constexpr std::size_t kStartupSamples = 4096;
inline constexpr std::chrono::seconds kRetryAfter(5);

struct FeedSettings {
  std::string name;
  keypool::Origin origin = keypool::Origin::kKernelGenerator;
  double min_entropy = kFullEntropy;  // per raw byte, whatever came before it
  unsigned alpha_log2 = kMostAlpha;   // a false alarm in 2^alpha_log2
  bool condition = true;
  bool required = true;  // without it nothing is made

  // Whether its part of a mixture is uniform by itself.
  [[nodiscard]] bool carries_full_entropy() const {
    return condition || min_entropy >= kFullEntropy;
  }
};

enum class FeedState : std::uint8_t { kUntested, kHealthy, kUnavailable, kFailed };
[[nodiscard]] std::string_view state_name(FeedState state);

struct FeedStatus {
  FeedSettings settings;
  Cutoffs cutoffs;
  std::size_t raw_per_block = 0;  // raw bytes for Condenser::kOutBytes; 0: not condensed
  FeedState state = FeedState::kUntested;
  std::string problem;            // why it is unavailable or failed
  std::uint64_t raw_bytes = 0;    // read and tested, start-up included
  std::uint64_t bytes = 0;        // given
  std::uint64_t failures = 0;     // of tests
  os::UnixMs last_failure;        // 0: none
};

class Feed {
 public:
  // `seed_random` gives the seed of the hash. References must outlive the feed.
  Feed(FeedSettings settings, std::unique_ptr<Source> source, os::Clock& clock,
       os::Random& seed_random);

  // Runs the start-up tests unless the source is healthy or may not be tried now. Errors: as take().
  [[nodiscard]] Result<> start();
  // Fills `out`, a multiple of Condenser::kOutBytes; starts the source when it must. Errors:
  // kRefused when a test failed, kUnavailable when the source cannot be read; both name the source.
  [[nodiscard]] Result<> take(MutableBytes out);
  // The operator's word to try a failed source again. Errors: as take().
  [[nodiscard]] Result<> readmit();
  // Reading ends soon, with kCancelled, and is not tried again. From any thread.
  void stop() { stopping_ = true; }

  [[nodiscard]] const FeedSettings& settings() const { return settings_; }
  [[nodiscard]] FeedStatus status() const;

 private:
  Result<> start_locked();
  Result<> read_tested(MutableBytes out);
  Error failed(Verdict verdict);
  Error unavailable(const Error& why);

  const FeedSettings settings_;
  std::unique_ptr<Source> source_;
  os::Clock& clock_;
  std::optional<Condenser> condenser_;
  std::mutex reading_;  // taken before mutex_
  HealthTests tests_;
  std::chrono::nanoseconds retry_at_{0};
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;  // of status_
  FeedStatus status_;
};

}  // namespace warifu::entropy
