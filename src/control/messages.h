// Requests between sites: method numbers and bodies (docs/formats/site-requests.md).
//
// Bodies are sealed inside the one-time-pad channel, so every byte costs key: they are binary and
// small.
#pragma once

#include <optional>
#include <vector>

#include "channel/message.h"
#include "consent/evidence.h"
#include "consent/grant.h"
#include "control/placement.h"
#include "keypool/entropy.h"
#include "sharing/chunk.h"

namespace warifu::control {

enum class Method : std::uint16_t {
  kStatus = 1,
  kLease = 2,
  kRelease = 3,
  kShareList = 4,
  kSharePrepare = 10,
  kShareWrite = 11,
  kShareCommit = 12,
  kShareRead = 13,
  kShareCombine = 14,
  kReshare = 15,
  kShareDelete = 16,
  kGateEnrol = 20,
  kGateNonce = 21,
  kCardBegin = 60,
  kCardAnswer = 61,
};
[[nodiscard]] constexpr std::uint16_t number(Method method) {
  return static_cast<std::uint16_t>(method);
}

// What a share is, as told to the site that will hold it.
struct ShareSpec {
  ShareId share;
  ObjectId object;
  std::optional<ShareId> parent;  // of a nested share: the share that is cut
  sharing::ShareIndex parent_index = sharing::ShareIndex::kA;
  sharing::Scheme scheme;  // of the cut that makes this share
  sharing::ShareIndex index = sharing::ShareIndex::kA;
  std::uint32_t generation = 1;
  Pseudonym owner;  // the person at that site
  std::uint64_t object_length = 0;
  std::uint32_t chunk_bytes = limits::kChunkBytes;
  sharing::RecordLayout records;      // of this share
  bool computational = true;          // random numbers of the cut came from a generator
  bool drawn = false;                 // the share is key that both ends of a link held
  std::uint16_t entropy_origins = 0;  // as in the share header
  std::string policy;

  [[nodiscard]] sharing::Chunking chunking() const { return {{object_length}, chunk_bytes}; }
  [[nodiscard]] std::string letter() const;  // "A", "AF", "C1"
};

struct Sibling {
  sharing::ShareIndex index = sharing::ShareIndex::kA;
  ShareId share;
  SiteName site;
};

// Ends the writing of a share.
struct CommitRequest {
  ShareId share;
  std::vector<Sibling> siblings;  // the share itself among them
  keypool::Entropy entropy;       // of the random numbers of the cut
};

// How a cut got its given shares.
struct CutReport {
  keypool::Entropy entropy;
  std::uint32_t drawn = 0;  // bit n: share n is key that both ends of a link held
  [[nodiscard]] bool is_drawn(std::size_t index) const { return ((drawn >> index) & 1U) != 0; }
};

struct SiteStatus {
  SiteName site;
  std::uint64_t free_bytes = 0;
  std::uint32_t share_count = 0;
  std::vector<EdgeState> edges;  // of this site's sending pools
};

struct HeldShare {
  ShareId share;
  ObjectId object;
  std::string letter;
  std::uint64_t bytes = 0;
};

// A range of a share, asked for under a grant.
struct ReadRequest {
  Bytes grant;
  consent::Evidence evidence;  // for the site that is asked
  ObjectId object;
  ShareId share;
  SiteName destination;
  consent::Purpose purpose = consent::Purpose::kHealthManagement;
  JobId session;
  std::uint64_t first_chunk = 0;
  std::uint64_t chunk_count = 0;
};

// Threshold-many nested shares: one here, the others fetched from siblings, combined here.
struct CombineRequest {
  struct Other {
    SiteName site;
    ShareId share;
    consent::Evidence evidence;  // for that site
    Route route;                 // from there to here
  };
  ReadRequest own;
  std::vector<Other> others;  // 1 to 31
};

struct ReshareTarget {
  SiteName site;
  ShareSpec spec;
  Route route;  // from here to there
};

// All shares of one cut; their specs differ in share, index, owner and `drawn` only.
struct ReshareRequest {
  ShareId share;
  std::vector<ReshareTarget> targets;  // 2 to 32, as many as the scheme makes
  // The routes that this share and its siblings have come, as share control planned them.
  std::map<ShareId, Route> travelled;
};

struct LeaseRequest {
  SiteName peer;
  JobId job;
  std::uint64_t bytes = 0;
  std::uint8_t priority = 1;  // catalog::JobPriority
};

struct EnrolRequest {
  CardId card;
  Pseudonym person;
  card::KeyRange keys;
  card::CardKind kind = card::CardKind::kOneTimeMacEmulated;
};

[[nodiscard]] Bytes encode(const ShareSpec& spec);
[[nodiscard]] Result<ShareSpec> decode_share_spec(ByteView body);
[[nodiscard]] Bytes encode(const CommitRequest& request);
[[nodiscard]] Result<CommitRequest> decode_commit(ByteView body);
[[nodiscard]] Bytes encode(const CutReport& report);
[[nodiscard]] Result<CutReport> decode_cut_report(ByteView body);
[[nodiscard]] Bytes encode(const SiteStatus& status);
[[nodiscard]] Result<SiteStatus> decode_status(ByteView body);
[[nodiscard]] Bytes encode(const std::vector<HeldShare>& shares);
[[nodiscard]] Result<std::vector<HeldShare>> decode_held_shares(ByteView body);
[[nodiscard]] Bytes encode(const ReadRequest& request);
[[nodiscard]] Result<ReadRequest> decode_read(ByteView body);
[[nodiscard]] Bytes encode(const CombineRequest& request);
[[nodiscard]] Result<CombineRequest> decode_combine(ByteView body);
[[nodiscard]] Bytes encode(const ReshareRequest& request);
[[nodiscard]] Result<ReshareRequest> decode_reshare(ByteView body);
[[nodiscard]] Bytes encode(const LeaseRequest& request);
[[nodiscard]] Result<LeaseRequest> decode_lease(ByteView body);
[[nodiscard]] Bytes encode(const EnrolRequest& request);
[[nodiscard]] Result<EnrolRequest> decode_enrol(ByteView body);

// Just an identifier.
[[nodiscard]] Bytes encode_share_id(const ShareId& share);
[[nodiscard]] Result<ShareId> decode_share_id(ByteView body);

}  // namespace warifu::control
