// Counting per source.
#include "base/log_limit.h"

#include <algorithm>

namespace warifu {
namespace {
constexpr const char* kOthers = "others";
}

LogLimit::~LogLimit() {
  for (const auto& [source, entry] : sources_) write(source, entry);
}

void LogLimit::note(LogLevel level, const std::string& source, std::string_view message, Time now) {
  const std::lock_guard lock(mutex_);
  tick_locked(now);
  const bool full = sources_.size() >= kMostSources && !sources_.contains(source);
  Entry& entry = sources_.try_emplace(full ? kOthers : source, Entry{.began = now}).first->second;
  entry.level = std::max(entry.level, level);
  if (entry.written < kFirst) {
    ++entry.written;
    log(level, message);
  } else {
    ++entry.more;
  }
}

void LogLimit::tick(Time now) {
  const std::lock_guard lock(mutex_);
  tick_locked(now);
}

void LogLimit::tick_locked(Time now) {
  for (auto it = sources_.begin(); it != sources_.end();) {
    if (now - it->second.began < kSpan) {
      ++it;
      continue;
    }
    write(it->first, it->second);
    it = sources_.erase(it);
  }
}

void LogLimit::write(const std::string& source, const Entry& entry) const {
  if (entry.more == 0) return;
  log(entry.level,
      std::to_string(entry.more) + " more " + what_ + " of " + source + " in the last minute");
}

}  // namespace warifu
