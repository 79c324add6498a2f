// What was asked of a site's htsget server and what it gave, in numbers, for whoever watches it: no
// view, person or operator is told apart. Since the site's start. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "htsget/error.h"

namespace warifu::viewing {

enum class Asked : std::uint8_t { kTicket, kData, kOther };  // kOther: service-info, preflights
inline constexpr std::array<const char*, 3> kAskedNames = {"ticket", "data", "other"};
inline constexpr std::size_t kStatusClasses = 6;  // by the first digit

class Traffic {
 public:
  struct Counts {
    std::array<std::array<std::uint64_t, kStatusClasses>, kAskedNames.size()> answers{};
    std::array<std::uint64_t, htsget::kKinds> refusals{};
    std::uint64_t bytes = 0;
  };

  // `status`: of HTTP, 100 to 599.
  void answered(Asked what, int status);
  void refused(htsget::Kind kind) { ++refusals_[static_cast<std::size_t>(kind)]; }
  // Bytes of records or headers that have been written out.
  void served(std::uint64_t bytes) { bytes_ += bytes; }
  [[nodiscard]] Counts counts() const;

 private:
  using Counter = std::atomic<std::uint64_t>;
  std::array<std::array<Counter, kStatusClasses>, kAskedNames.size()> answers_{};
  std::array<Counter, htsget::kKinds> refusals_{};
  Counter bytes_ = 0;
};

// Everything about views that a scraper is told.
struct ViewFigures {
  std::uint64_t open = 0;
  std::uint64_t opened = 0;      // since the site's start
  std::uint64_t not_opened = 0;  // tried and refused, or failed
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_used = 0;
  Traffic::Counts traffic;
};

}  // namespace warifu::viewing
