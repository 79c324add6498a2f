// Keeps a site's random pool filled from its sources, up to a high-water mark.
//
// One thread runs run(); it alone reads the sources. A batch goes into the pool as one segment: at
// most kBatchBytes, fewer when the sources are slow or somebody waits. Start-up tests run before
// anything else. References must outlive the filler.
#pragma once

#include <atomic>
#include <mutex>

#include "kme/random_source.h"

namespace warifu::kme {

class RandomFiller {
 public:
  static constexpr std::size_t kBatchBytes = 1 << 20;
  static constexpr std::uint64_t kLeastHighWater = kBatchBytes;

  RandomFiller(os::System system, RandomSource& pool,
               std::vector<std::unique_ptr<entropy::Feed>> feeds, std::uint64_t high_water_bytes)
      : system_(system),
        pool_(pool),
        mixer_(std::move(feeds)),
        high_water_bytes_(high_water_bytes) {}

  // Until stop().
  void run();
  // Ends run() and whatever waits for numbers. From any thread.
  void stop();
  // Start-up tests, then one batch if the pool has room: the bytes taken in. For run() and tests.
  [[nodiscard]] Result<std::uint64_t> round();

  [[nodiscard]] std::vector<entropy::FeedStatus> sources() const { return mixer_.status(); }
  // The operator's word: start-up tests now; fills go on when this returns. Errors: as
  // entropy::Mixer::readmit().
  [[nodiscard]] Result<> readmit(const std::string& source);

 private:
  // Starts what must be started and tells the pool how the sources are, as one step: an old word
  // never comes after a new one.
  Result<> report();

  os::System system_;
  RandomSource& pool_;
  entropy::Mixer mixer_;
  std::uint64_t high_water_bytes_;
  std::atomic<bool> stopping_ = false;
  std::mutex reporting_;
};

}  // namespace warifu::kme
