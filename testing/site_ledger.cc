// Entering uses and comparing the two ends.
#include "testing/site_ledger.h"

#include <algorithm>

namespace warifu::sim {

SiteViolations& SiteViolations::operator+=(const SiteViolations& other) {
  overlaps += other.overlaps;
  disagreements += other.disagreements;
  ungranted += other.ungranted;
  wrong += other.wrong;
  mark_back += other.mark_back;
  refused += other.refused;
  broken += other.broken;
  stuck += other.stuck;
  return *this;
}

std::vector<Use> SiteLedger::meeting(const Uses& uses, const Use& use) {
  std::vector<Use> found;
  auto at = uses.upper_bound(use.begin.value);
  if (at != uses.begin() && std::prev(at)->second.end() > use.begin) --at;
  for (; at != uses.end() && at->second.begin < use.end(); ++at) found.push_back(at->second);
  return found;
}

void SiteLedger::compare(const Uses& far, const Use& use, SiteViolations& found) {
  for (const Use& other : meeting(far, use)) {
    if (other != use) ++found.disagreements;
  }
}

bool SiteLedger::sent(const Use& use, PadOffset granted, bool forgives, SiteViolations& found) {
  bool again = false;
  for (const Use& prepared : meeting(received_, use)) {
    if (!forgives || prepared == use || was_accepted(prepared)) continue;
    again = true;
    received_.erase(prepared.begin.value);
  }
  if (use.end() > granted) ++found.ungranted;
  if (!meeting(sent_, use).empty()) ++found.overlaps;
  compare(received_, use, found);
  sent_[use.begin.value] = use;
  return again;
}

bool SiteLedger::received(const Use& use, SiteViolations& found) {
  bool again = false;
  for (const Use& before : meeting(received_, use)) {
    if (!was_accepted(before)) {
      again = true;
      received_.erase(before.begin.value);
    } else {
      ++found.overlaps;
    }
  }
  compare(sent_, use, found);
  received_[use.begin.value] = use;
  return again;
}

}  // namespace warifu::sim
