// Counters.
#include "viewing/traffic.h"

#include <algorithm>

namespace warifu::viewing {

void Traffic::answered(Asked what, int status) {
  const auto digit = static_cast<std::size_t>(std::clamp(status / 100, 0, 5));
  ++answers_[static_cast<std::size_t>(what)][digit];
}

Traffic::Counts Traffic::counts() const {
  Counts counts;
  for (std::size_t what = 0; what < answers_.size(); ++what) {
    for (std::size_t digit = 0; digit < kStatusClasses; ++digit) {
      counts.answers[what][digit] = answers_[what][digit];
    }
  }
  for (std::size_t kind = 0; kind < refusals_.size(); ++kind) {
    counts.refusals[kind] = refusals_[kind];
  }
  counts.bytes = bytes_;
  return counts;
}

}  // namespace warifu::viewing
