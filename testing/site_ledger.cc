// Entering uses and comparing the two ends.
#include "testing/site_ledger.h"

#include <algorithm>
#include <string>

namespace warifu::sim {

namespace {
constexpr ViolationKind kKinds[] = {
    {"overlaps", &SiteViolations::overlaps},   {"disagreements", &SiteViolations::disagreements},
    {"ungranted", &SiteViolations::ungranted}, {"wrong", &SiteViolations::wrong},
    {"mark back", &SiteViolations::mark_back}, {"refused", &SiteViolations::refused},
    {"broken", &SiteViolations::broken},       {"stuck", &SiteViolations::stuck},
};
static_assert(sizeof kKinds / sizeof *kKinds == sizeof(SiteViolations) / sizeof(std::uint64_t));
}  // namespace

std::span<const ViolationKind> violation_kinds() {
  return kKinds;
}

std::string tally_text(const SiteViolations& violations) {
  std::string text;
  for (const ViolationKind& kind : kKinds) {
    if (!text.empty()) text += ", ";
    text += std::to_string(violations.*kind.count) + ' ' + std::string(kind.name);
  }
  return text;
}

std::uint64_t SiteViolations::total() const {
  std::uint64_t sum = 0;
  for (const ViolationKind& kind : kKinds) sum += this->*kind.count;
  return sum;
}

SiteViolations& SiteViolations::operator+=(const SiteViolations& other) {
  for (const ViolationKind& kind : kKinds) this->*kind.count += other.*kind.count;
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
