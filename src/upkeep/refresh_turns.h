// Which of the objects that are due is tried next: the oldest first, some at a time, and who could
// not begin rests for a while, so that the next ones get their turn.
//
// Without the rest a few old objects that can never begin (a policy that takes several dealers, a
// site that is gone) would stand before all others for ever. In memory: after a restart everybody
// is tried again. A value; one thread at a time.
#pragma once

#include <map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "os/system.h"

namespace warifu::upkeep {

struct RefreshCandidate {
  ObjectId object;
  std::uint64_t bytes = 0;
  os::UnixMs since;  // its shares are so old
};

class RefreshTurns {
 public:
  // Each costs a question to every site.
  static constexpr std::size_t kAtOnce = 4;
  static constexpr std::int64_t kShortRest = 600'000;    // key may come in, a site may come back
  static constexpr std::int64_t kLongRest = 86'400'000;  // only a change of the network helps

  // The next to be tried at `now`, at most kAtOnce. `sorted`: all, the oldest shares first.
  [[nodiscard]] std::vector<RefreshCandidate> next(const std::vector<RefreshCandidate>& sorted,
                                                   os::UnixMs now, std::int64_t interval_ms);
  // It could not begin. Nobody rests longer than the interval.
  void rest(const ObjectId& object, Code why, os::UnixMs now, std::int64_t interval_ms);

 private:
  std::map<ObjectId, std::int64_t> until_;
};

}  // namespace warifu::upkeep
