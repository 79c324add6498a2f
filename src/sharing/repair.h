// Repair: a lost share, made anew by threshold() helpers without the secret being anywhere.
//
// Every share is a sum of any threshold() others with public weights: share = sum l_j share_j
// (form Q: A = w^2 B + w C, B = w A + w^2 C, C = w^2 A + w B). Helper j sends
// m_j = l_j share_j + mask_j to the new holder; the masks sum to zero, so the sum of the messages
// is the share. (Herzberg, Jarecki, Krawczyk, Yung 1995, section 3.3, with masks from key.)
//
// Masks: every two helpers share a fresh key as long as a share; a helper's mask is the sum of the
// keys that it holds. With two helpers both masks are the one key.
//
// What each one learns, given uniform keys that are used for nothing else, against unbounded
// computers (all of it is enumerated in repair_test.cc, for the ramp too):
//   new holder      its share and nothing more: its messages are uniform among those with that sum
//   a helper        nothing: it receives nothing
//   new holder and helpers together: what their shares tell, so nothing beyond the threshold
//   a tap           nothing, *only because every message also travels under a pad*: a helper that
//                   reads another's message in clear removes the key it knows and has two shares
//   no mask         the new holder learns the secret: negative control in the test
// The ramp is repaired in the same way: one corrupted party sees one share at most, before and
// after. A new holder that kept other shares of the same generation was corrupted twice; repair
// does not undo that.
//
// A helper that lies yields a wrong share: compare it by an audit, and refresh afterwards, for
// the lost share may be stolen. Key: k (k - 1) / 2 masks and k pads; sent: k messages.
//
// Values only, any thread; constant time; part() and join() allocate nothing.
#pragma once

#include "sharing/scheme.h"

namespace warifu::sharing {

class Repairer {
 public:
  // Errors: kInvalidArgument unless the scheme is sane, `lost` is one of its shares and `helpers`
  // names threshold() different others.
  [[nodiscard]] static Result<Repairer> make(const Scheme& scheme, ShareIndex lost,
                                             std::span<const ShareIndex> helpers);

  [[nodiscard]] ShareIndex lost() const { return lost_; }
  [[nodiscard]] const std::vector<ShareIndex>& helpers() const { return helpers_; }
  // The weights l_j in the order of helpers(): elements of GF(4) or GF(2^8) by number.
  [[nodiscard]] const std::vector<std::uint8_t>& weights() const { return weights_; }

  // At helpers()[helper]: out = l share + mask, the message for the new holder. One length, a
  // multiple of 32; `out` overlaps neither.
  void part(std::size_t helper, ByteView share, ByteView mask, MutableBytes out) const;

  // At the new holder: the sum of all messages, one from each helper, is the lost share. `out` may
  // be the very memory of one of them.
  void join(std::span<const ByteView> parts, MutableBytes out) const;

 private:
  Repairer() = default;
  Scheme scheme_;
  ShareIndex lost_ = ShareIndex::kA;
  std::vector<ShareIndex> helpers_;
  std::vector<std::uint8_t> weights_;
};

// The mask of one helper: the sum of the keys that it shares with each other helper. `pair_keys`
// is not empty; all have the length of `out`. Each key is used for one share and then gone.
void repair_mask(std::span<const ByteView> pair_keys, MutableBytes out);

}  // namespace warifu::sharing
