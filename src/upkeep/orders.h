// What share control tells sites when a share is to come to be at a new place: moved as it is, or
// repaired out of others (docs/formats/site-requests.md, requests 32 to 34 and 53 to 55).
//
//   order   tells a holder which part it has to give, in which chain of helpers, to whom
//   take    tells the new holder to ask those holders and to write the sum of what they give
//   news    tells the holder of a sibling where that share is now
//   may     asks the holder of a sibling whether a site may be given a share
//
// All helpers of a repair stand in one chain; neighbours in it share the key that masks their
// parts, and compare the whole chain when they draw it. So a share control that tells different
// helpers different things gets nothing from them. Values only, any thread.
#pragma once

#include "control/messages.h"
#include "planner/policy.h"
#include "wire/wire.h"

namespace warifu::upkeep {

enum class Method : std::uint16_t {
  kGive = 32,
  kTake = 33,
  kNews = 34,
  kOrder = 53,
  kMask = 54,
  kMay = 55,
};
[[nodiscard]] constexpr std::uint16_t number(Method method) {
  return static_cast<std::uint16_t>(method);
}

struct Helper {
  SiteName site;
  sharing::SharePath place;  // of the share that it holds
  bool operator==(const Helper&) const = default;
};

// One making of a share, the same for all who take part.
struct Making {
  JobId session;            // new for every attempt
  sharing::SharePath made;  // what comes to be
  SiteName to;              // where
  std::uint64_t first_chunk = 0;
  // Who gives parts, neighbours sharing masks. One alone: the share itself goes, unmasked.
  std::vector<Helper> chain;
  [[nodiscard]] bool is_move() const { return chain.size() == 1; }
  bool operator==(const Making&) const = default;
};
inline constexpr std::size_t kMaxHelpers = 64;

// How many shares of that cut these make: a share by itself, one that was cut again out of just
// threshold-many of its parts. 0 when some of them make no share of it, or stand there twice.
[[nodiscard]] std::size_t shares_made(const planner::PolicyNode& policy,
                                      const sharing::SharePath& cut,
                                      const std::vector<sharing::SharePath>& places);

// Whether the chain makes what it says under this policy: threshold-many other shares of its cut,
// each whole or as threshold-many parts, all at different sites, none of them the new holder.
// Errors: kRefused.
[[nodiscard]] Result<> check_making(const planner::PolicyNode& policy, const Making& making);

struct PartOrder {
  ShareId share;         // held by who is told
  std::uint8_t own = 0;  // its place in the chain
  Making making;
  [[nodiscard]] const SiteName* before() const;  // in the chain; draws a mask with this one
  [[nodiscard]] const SiteName* after() const;   // this one draws a mask with it
};

struct TakeRequest {
  struct Source {
    SiteName site;
    planner::Route route;  // from there to here
  };
  JobId session;
  ShareId share;  // announced by `prepare` before
  std::uint64_t first_chunk = 0;
  std::vector<Source> sources;  // 1 to kMaxHelpers
};

// Share `sibling` of the cut that made `share` has been replaced.
struct SiblingNews {
  ShareId share;  // held by who is told
  control::Sibling sibling;
};

// May a share of that object go to that site, as far as who is asked knows?
struct MayRequest {
  ObjectId object;
  sharing::SharePath place;  // of what is to go
  SiteName to;
};

[[nodiscard]] Bytes encode(const Making& making);
[[nodiscard]] Result<Making> decode_making(ByteView body);
[[nodiscard]] Bytes encode(const PartOrder& order);
[[nodiscard]] Result<PartOrder> decode_order(ByteView body);
[[nodiscard]] Bytes encode(const TakeRequest& request);
[[nodiscard]] Result<TakeRequest> decode_take(ByteView body);
[[nodiscard]] Bytes encode(const SiblingNews& news);
[[nodiscard]] Result<SiblingNews> decode_news(ByteView body);
[[nodiscard]] Bytes encode(const MayRequest& request);
[[nodiscard]] Result<MayRequest> decode_may(ByteView body);
// A session and nothing else: the body of kGive.
[[nodiscard]] Bytes encode_session(const JobId& session);
[[nodiscard]] Result<JobId> decode_session(ByteView body);

}  // namespace warifu::upkeep
