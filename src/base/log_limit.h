// Lines of the log that strangers can cause, bounded: the first few of each source in a minute are
// written, the rest are counted, and the count is written when the minute is over.
//
// Of more sources than kMostSources in a minute the rest are counted together; nothing goes
// uncounted. Counts that stand are written by the next note() or tick() of any source after the
// minute, and by the destructor. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "base/log.h"

namespace warifu {

class LogLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr unsigned kFirst = 100;
  static constexpr std::size_t kMostSources = 256;
  static constexpr std::chrono::minutes kSpan{1};

  // `what` in the plural, as in "12 more WHAT of SOURCE in the last minute".
  explicit LogLimit(std::string what) : what_(std::move(what)) {}
  ~LogLimit();
  LogLimit(const LogLimit&) = delete;
  LogLimit& operator=(const LogLimit&) = delete;

  void note(LogLevel level, const std::string& source, std::string_view message,
            Time now = std::chrono::steady_clock::now());
  // Writes the counts of minutes that are over.
  void tick(Time now = std::chrono::steady_clock::now());

 private:
  struct Entry {
    Time began;
    unsigned written = 0;
    std::uint64_t more = 0;
    LogLevel level = LogLevel::kInfo;
  };
  void tick_locked(Time now);
  void write(const std::string& source, const Entry& entry) const;

  const std::string what_;
  std::mutex mutex_;
  std::map<std::string, Entry> sources_;
};

}  // namespace warifu
