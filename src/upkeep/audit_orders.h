// What share control tells the holders of an object in an audit, and what they tell each other
// (docs/formats/site-requests.md, requests 37 to 39, 45 and 56).
//
//   order   the sums that are formed, their chains of holders, and the hash key
//   mask    from a holder to the next one in the chain: 16 bytes that both add to their answers
//   audit   asks for the answers
//
// A sum is over threshold + 1 shares of one cut, each whole or as threshold-many parts, with the
// weights that make it zero for shares that belong together. Everybody is told the same round, and
// neighbours compare it when the mask passes. Values only, any thread.
#pragma once

#include "mac/mac.h"
#include "upkeep/orders.h"

namespace warifu::upkeep {

enum class AuditMethod : std::uint16_t {
  kMask = 37,
  kAudit = 38,
  kDamaged = 39,     // a holder tells share control which of its shares are damaged
  kDamageList = 45,  // share control asks for them
  kOrder = 56,
};
[[nodiscard]] constexpr std::uint16_t number(AuditMethod method) {
  return static_cast<std::uint16_t>(method);
}

inline constexpr std::size_t kMaxAuditSums = 32;
using HashKey = std::array<Byte, mac::kBlockBytes>;

struct AuditSum {
  std::vector<Helper> chain;  // neighbours share a mask
  // Where a site stands in the chain; none when it has no part in the sum.
  [[nodiscard]] std::optional<std::size_t> place_of(const SiteName& site) const;
  // Of the shares that its terms are of, in the order of the chain.
  [[nodiscard]] std::vector<sharing::SharePath> places() const;
  bool operator==(const AuditSum&) const = default;
};

// The same for all who take part.
struct AuditRound {
  JobId session;
  HashKey key = {};  // drawn when the holders are fixed, used once
  std::vector<AuditSum> sums;
  bool operator==(const AuditRound&) const = default;
};

struct AuditOrder {
  ShareId share;  // held by who is told
  AuditRound round;
};

struct AuditMask {
  JobId session;
  std::uint8_t sum = 0;
  mac::Tag mask{};
  // The round as who sends this was told it: its hash under a key that is drawn for this message.
  HashKey round_key = {};
  mac::Tag round_hash{};
};

// The cut whose shares a sum over those at `places` is over: the lowest one that all of them are
// within.
[[nodiscard]] sharing::SharePath cut_of(const std::vector<sharing::SharePath>& places);

// Whether the terms of such a chain add up to zero under this policy: threshold + 1 shares of one
// cut, each whole or as threshold-many parts, all at different sites. Errors: kRefused.
[[nodiscard]] Result<> check_sum(const planner::PolicyNode& policy, const AuditSum& sum);

// What a mask says of the round.
[[nodiscard]] mac::Tag hash_of(const AuditRound& round, const HashKey& key);

[[nodiscard]] Bytes encode(const AuditOrder& order);
[[nodiscard]] Result<AuditOrder> decode_audit_order(ByteView body);
[[nodiscard]] Bytes encode(const AuditMask& mask);
[[nodiscard]] Result<AuditMask> decode_audit_mask(ByteView body);
// One answer for each sum that the holder has a part in, in the order of the round.
[[nodiscard]] Bytes encode(const std::vector<mac::Tag>& answers);
[[nodiscard]] Result<std::vector<mac::Tag>> decode_answers(ByteView body);
// Bodies of kDamaged and of the reply to kDamageList.
[[nodiscard]] Bytes encode(const std::vector<ShareId>& shares);
[[nodiscard]] Result<std::vector<ShareId>> decode_shares(ByteView body);

}  // namespace warifu::upkeep
