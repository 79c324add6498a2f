// What an outsider knows of both ends of one direction: which byte was used at which end, for what,
// in which conversation.
//
// The sending end may use a byte only in a range that the receiving end has reserved before. Where
// both ends used a byte, they used the same range of it for the same purpose in the same
// conversation. A byte is used once at each end. Violations are counted, not asserted.
//
// Of a frame the receiving end takes as much pad as the header says, before it can check that: who
// changes a length, or puts an old frame in the place of a new one, makes it take another range
// than the sending end did. That range only checks the frame, which fails; nothing is made from it
// and the connection ends. So until the frame is known to be good, purpose and conversation must be
// the same and the range may differ; from then on (checked()) the range must be the same too.
#pragma once

#include <map>
#include <set>
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
// "3 overlaps, 1 wrong": the kinds that there are, or "none".
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
  // `is_check`: for a frame that may still turn out to be changed.
  bool received(const Use& use, bool is_check, SiteViolations& found);
  // The frame of that check is good.
  void checked(const Use& check, SiteViolations& found);
  // Where the last use of an end ends.
  [[nodiscard]] PadOffset last_sent() const { return end_of(sent_); }
  [[nodiscard]] PadOffset last_received() const { return end_of(received_); }

 private:
  using Uses = std::map<std::uint64_t, Use>;  // by begin; none overlap
  static PadOffset end_of(const Uses& uses) {
    return uses.empty() ? PadOffset{} : uses.rbegin()->second.end();
  }
  static std::vector<Use> meeting(const Uses& uses, const Use& use);
  [[nodiscard]] bool agree(const Use& sent, const Use& received) const;
  [[nodiscard]] bool was_accepted(const Use& prepared) const;
  void enter_received(const Use& use, SiteViolations& found);

  Uses sent_, received_;
  std::set<std::uint64_t> checks_;  // of received_, by begin: their frames are not known to be good
};

}  // namespace warifu::sim
