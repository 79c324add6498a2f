// What share control tells sites when a share is to come to be at a new place: moved as it is, or
// repaired out of others (docs/formats/site-requests.md, requests 30 to 34).
//
//   order   tells a holder what part it has to give for a session, to whom, and with whom it shares
//           key that masks the part
//   take    tells the new holder to ask those holders and to write the sum of what they give
//   news    tells the holder of a sibling where that share is now
//
// The parts of one repair sum up to the lost share, and the masks of all parts to zero. Values
// only, any thread.
#pragma once

#include "control/messages.h"
#include "sharing/repair.h"

namespace warifu::upkeep {

enum class Method : std::uint16_t {
  kOrder = 30,
  kMask = 31,
  kGive = 32,
  kTake = 33,
  kNews = 34,
};
[[nodiscard]] constexpr std::uint16_t number(Method method) {
  return static_cast<std::uint16_t>(method);
}

// One of the shares of a linear step, and which of them this is about.
struct Place {
  sharing::Scheme scheme;
  std::vector<sharing::ShareIndex> shares;  // threshold-many, in one order at all sites
  std::uint8_t own = 0;                     // place of this one in `shares`
  [[nodiscard]] sharing::ShareIndex index() const { return shares[own]; }
};

// Share `lost` of a cut, as a sum of others.
struct RepairStep {
  Place helpers;
  sharing::ShareIndex lost = sharing::ShareIndex::kA;
};

struct PartOrder {
  JobId session;  // new for every attempt
  ShareId share;  // held by who is told
  ShareId made;   // that comes to be at `to`
  SiteName to;
  std::uint64_t first_chunk = 0;
  // Of a part of a share that was cut again: what it adds to that share.
  std::optional<Place> join;
  std::optional<RepairStep> repair;  // none: the share itself goes, unmasked
  // Helpers that share key for this session with the one who is told; `before` draws it.
  std::optional<SiteName> before, after;
};

struct TakeRequest {
  struct Source {
    SiteName site;
    control::Route route;  // from there to here
  };
  JobId session;
  ShareId share;  // announced by `prepare` before
  std::uint64_t first_chunk = 0;
  std::vector<Source> sources;  // 1 to kMaxSources
};
inline constexpr std::size_t kMaxSources = 64;

// Share `sibling` of the cut that made `share` has been replaced.
struct SiblingNews {
  ShareId share;  // held by who is told
  control::Sibling sibling;
};

[[nodiscard]] Bytes encode(const PartOrder& order);
[[nodiscard]] Result<PartOrder> decode_order(ByteView body);
[[nodiscard]] Bytes encode(const TakeRequest& request);
[[nodiscard]] Result<TakeRequest> decode_take(ByteView body);
[[nodiscard]] Bytes encode(const SiblingNews& news);
[[nodiscard]] Result<SiblingNews> decode_news(ByteView body);
// A session and nothing else: the bodies of kMask and kGive.
[[nodiscard]] Bytes encode_session(const JobId& session);
[[nodiscard]] Result<JobId> decode_session(ByteView body);

}  // namespace warifu::upkeep
