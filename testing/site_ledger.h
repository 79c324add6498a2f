// What an outsider knows of both ends of one direction: which byte was used at which end, for what,
// in which conversation.
//
// The sending end may use a byte only in a range that the receiving end has reserved before. Where
// both ends used a byte, they used the same range of it for the same purpose in the same
// conversation. A byte is used once at each end. Violations are counted, not asserted.
#pragma once

#include <map>
#include <span>

#include "keypool/pool.h"

namespace warifu::sim {

struct SiteViolations {
  std::uint64_t overlaps = 0;       // uses of a byte that this end had used before
  std::uint64_t disagreements = 0;  // the ends used a byte for different things
  std::uint64_t ungranted = 0;      // the sending end used what the far end had not reserved
  std::uint64_t wrong = 0;          // content that arrived is not what was sent or drawn
  std::uint64_t mark_back = 0;      // a mark below a use, after a crash
  std::uint64_t refused = 0;        // a pool that does not open any more
  std::uint64_t broken = 0;         // a breach of the protocol on a line that nobody touched
  std::uint64_t stuck = 0;          // two whole ends on a good line that do not come together again

  [[nodiscard]] std::uint64_t total() const;
  SiteViolations& operator+=(const SiteViolations& other);
};

struct ViolationKind {
  std::string_view name;  // "of 3 <name>"
  std::uint64_t SiteViolations::* count;
};
// All of them.
[[nodiscard]] std::span<const ViolationKind> violation_kinds();
// "3 overlaps, 0 disagreements, ...", of every kind.
[[nodiscard]] std::string tally_text(const SiteViolations& violations);

struct Use {
  PadOffset begin;
  ByteCount size;
  keypool::Purpose purpose = keypool::Purpose::kControl;
  std::uint64_t conversation = 0;
  bool operator==(const Use&) const = default;
  [[nodiscard]] PadOffset end() const { return begin + size; }
};

class SiteLedger {
 public:
  // `granted`: how far the receiving end has ever reserved. `forgives`: an end was restored, and
  // what the receiving end had prepared and the sending end never accepted is no disagreement; true
  // when there was such a thing.
  bool sent(const Use& use, PadOffset granted, bool forgives, SiteViolations& found);
  // True when the same bytes had been prepared here before and the sending end never accepted them.
  bool received(const Use& use, SiteViolations& found);
  // Where the last use of an end ends.
  [[nodiscard]] PadOffset last_sent() const { return end_of(sent_); }
  [[nodiscard]] PadOffset last_received() const { return end_of(received_); }

 private:
  using Uses = std::map<std::uint64_t, Use>;  // by begin; none overlap
  static PadOffset end_of(const Uses& uses) {
    return uses.empty() ? PadOffset{} : uses.rbegin()->second.end();
  }
  static std::vector<Use> meeting(const Uses& uses, const Use& use);
  static void compare(const Uses& far, const Use& use, SiteViolations& found);

  [[nodiscard]] bool was_accepted(const Use& prepared) const {
    const auto at = sent_.find(prepared.begin.value);
    return at != sent_.end() && at->second == prepared;
  }

  Uses sent_, received_;
};

}  // namespace warifu::sim
