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
    if (violations.*kind.count == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::to_string(violations.*kind.count) + ' ' + std::string(kind.name);
  }
  return text.empty() ? "none" : text;
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

bool SiteLedger::agree(const Use& sent, const Use& received) const {
  if (sent == received) return true;
  return checks_.contains(received.begin.value) && sent.purpose == received.purpose &&
         sent.conversation == received.conversation;
}

bool SiteLedger::was_accepted(const Use& prepared) const {
  return std::ranges::any_of(meeting(sent_, prepared), [&](const Use& sent) {
    return sent.conversation == prepared.conversation;
  });
}

bool SiteLedger::sent(const Use& use, PadOffset granted, bool forgives, SiteViolations& found) {
  bool again = false;
  for (const Use& prepared : meeting(received_, use)) {
    if (agree(use, prepared)) continue;
    if (forgives && !was_accepted(prepared)) {
      again = true;
      received_.erase(prepared.begin.value);
    } else {
      ++found.disagreements;
    }
  }
  if (use.end() > granted) ++found.ungranted;
  if (!meeting(sent_, use).empty()) ++found.overlaps;
  sent_[use.begin.value] = use;
  return again;
}

bool SiteLedger::received(const Use& use, bool is_check, SiteViolations& found) {
  bool again = false;
  for (const Use& before : meeting(received_, use)) {
    if (!was_accepted(before)) {
      again = true;
      received_.erase(before.begin.value);
    } else {
      ++found.overlaps;
    }
  }
  if (is_check) {
    checks_.insert(use.begin.value);
  } else {
    checks_.erase(use.begin.value);
  }
  enter_received(use, found);
  return again;
}

void SiteLedger::checked(const Use& check, SiteViolations& found) {
  if (checks_.erase(check.begin.value) > 0) enter_received(check, found);
}

void SiteLedger::enter_received(const Use& use, SiteViolations& found) {
  for (const Use& far : meeting(sent_, use)) {
    if (!agree(far, use)) ++found.disagreements;
  }
  received_[use.begin.value] = use;
}

}  // namespace warifu::sim
