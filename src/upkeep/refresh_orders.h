// What is said when all shares of an object get a new generation (docs/formats/site-requests.md,
// requests 48, 49, 57 and 58).
//
//   begin   tells a holder that a share of the next generation will come to be beside its own
//   deal    tells the dealer, who holds a whole share, to cut zero for everybody
//   zeros   the zero share of one holder, from the dealer; the holder adds its own share to it
//   age     asks a site how old the oldest key is that it would send under next
//
// Every attempt has a session of its own; zeros of an older one are refused. Values only, any
// thread.
#pragma once

#include "upkeep/orders.h"

namespace warifu::upkeep {

enum class RefreshMethod : std::uint16_t {
  kZeros = 48,
  kKeyAge = 49,
  kBegin = 57,
  kDeal = 58,
};
[[nodiscard]] constexpr std::uint16_t number(RefreshMethod method) {
  return static_cast<std::uint16_t>(method);
}

struct RefreshBegin {
  JobId session;
  ShareId old;      // held by who is told
  SiteName dealer;  // who will send its zero share; its own name: it deals itself
  control::ShareSpec fresh;
};

// A holder and the way of its zero share.
struct ZeroTarget {
  sharing::SharePath place;
  SiteName site;
  ShareId fresh;         // what comes to be there
  planner::Route route;  // from the dealer, both included
};

struct DealOrder {
  JobId session;
  std::uint64_t first_chunk = 0;
  std::vector<ZeroTarget> targets;  // every share of the object, the dealer's own among them
};

// Before the records of a zero share.
struct ZeroHead {
  JobId session;
  ShareId fresh;
  std::uint64_t first_chunk = 0;
};

[[nodiscard]] Bytes encode(const RefreshBegin& begin);
[[nodiscard]] Result<RefreshBegin> decode_refresh_begin(ByteView body);
[[nodiscard]] Bytes encode(const DealOrder& order);
[[nodiscard]] Result<DealOrder> decode_deal(ByteView body);
[[nodiscard]] Bytes encode(const ZeroHead& head);
[[nodiscard]] Result<ZeroHead> decode_zero_head(ByteView body);
// What a dealer answers: where the random numbers came from.
[[nodiscard]] Bytes encode(const keypool::Entropy& entropy);
[[nodiscard]] Result<keypool::Entropy> decode_entropy(ByteView body);

}  // namespace warifu::upkeep
