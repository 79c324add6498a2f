// Turns.
#include "upkeep/refresh_turns.h"

#include <algorithm>

#include "control/jobs.h"

namespace warifu::upkeep {

std::vector<RefreshCandidate> RefreshTurns::next(const std::vector<RefreshCandidate>& sorted,
                                                 os::UnixMs now, std::int64_t interval_ms) {
  std::erase_if(until_, [&](const auto& entry) { return entry.second <= now.value; });
  std::vector<RefreshCandidate> turns;
  for (const RefreshCandidate& candidate : sorted) {
    if (now.value - candidate.since.value < interval_ms || turns.size() == kAtOnce) break;
    if (!until_.contains(candidate.object)) turns.push_back(candidate);
  }
  return turns;
}

void RefreshTurns::rest(const ObjectId& object, Code why, os::UnixMs now,
                        std::int64_t interval_ms) {
  const std::int64_t rest = control::may_pass(why) ? kShortRest : kLongRest;
  until_[object] = now.value + std::min(rest, interval_ms);
}

}  // namespace warifu::upkeep
