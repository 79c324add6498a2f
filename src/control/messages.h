// Requests between sites: method numbers and bodies (docs/formats/site-requests.md).
//
// Bodies are sealed inside the one-time-pad channel, so every byte costs key: they are binary and
// small.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "channel/message.h"
#include "consent/decision.h"
#include "consent/evidence.h"
#include "consent/grant.h"
#include "keypool/entropy.h"
#include "planner/placement.h"
#include "sharing/chunk.h"

namespace warifu::control {

enum class Method : std::uint16_t {
  kStatus = 1,
  kLease = 2,
  kRelease = 3,
  kShareWrite = 11,
  kShareCommit = 12,
  kShareRead = 13,
  kShareDelete = 16,
  kGateEnrol = 20,
  kGateNonce = 21,
  kSharePrepare = 50,
  kReshare = 51,
  kShareCombine = 59,
  kCardBegin = 60,
  kCardAnswer = 61,
  kSignatureEnrol = 63,
  kSignatureProve = 64,
  kObjectSightings = 82,
  kSharesHeld = 88,
  kShareFacts = 89,
  kShareCutBack = 93,
  kSightings = 94,
};
[[nodiscard]] constexpr std::uint16_t number(Method method) {
  return static_cast<std::uint16_t>(method);
}

// What a share is, as told to the site that will hold it.
struct ShareSpec {
  ShareId share;
  ObjectId object;
  std::optional<ShareId> parent;  // of a nested share: the share that is cut
  sharing::SharePath path{sharing::ShareIndex::kA};
  sharing::Scheme scheme;  // of the cut that makes this share
  std::uint32_t generation = 1;
  Pseudonym owner;  // the person at that site
  std::uint64_t object_length = 0;
  std::uint32_t chunk_bytes = limits::kChunkBytes;
  sharing::RecordLayout records;      // of this share
  bool computational = true;          // random numbers of the cut came from a generator
  bool drawn = false;                 // the share is key that both ends of a link held
  std::uint16_t entropy_origins = 0;  // as in the share header
  std::string policy;
  std::uint32_t lead_chunks = 0;  // of a genome object

  [[nodiscard]] sharing::Chunking chunking() const { return {{object_length}, chunk_bytes}; }
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
  std::vector<planner::EdgeState> edges;  // of this site's sending pools
};

// Shares that one request asks for.
inline constexpr std::size_t kMostAskedShares = 4000;

// A range of a share, asked for under a grant.
struct ReadRequest {
  Bytes grant;
  consent::Evidence evidence;  // for the site that is asked
  ObjectId object;
  ShareId share;
  SiteName destination;
  consent::Purpose purpose = consent::Purpose::kHealthManagement;
  JobId session;
  std::uint16_t use = 1;  // which of the grant's uses the session takes
  std::uint64_t first_chunk = 0;
  std::uint64_t chunk_count = 0;
  consent::Grantee grantee;    // who asks at the destination, by that site's word
  consent::Statements stated;  // what the use will be
  consent::Scope scope;        // how much of the object
  // Of guardians who consent together with the one above, for the site that is asked.
  std::vector<consent::Presented> together;
};

struct Gathered;
// What is joined with a share where that is held, for each cut from the one that made it upwards:
// so many others of the cut as it takes, less one.
using Gathering = std::vector<std::vector<Gathered>>;

// How a share of a cut comes to the site that joins it with others.
struct Gathered {
  SiteName site;            // that gives it
  ShareId share;            // held there; itself what is given unless something is gathered there
  sharing::SharePath path;  // of what is held there
  consent::Evidence evidence;               // for that site
  std::vector<consent::Evidence> together;  // the same of the others, in the order of the request
  planner::Route route;                     // from there to who joins
  Gathering gathering;
};
inline constexpr std::size_t kMostGathered = 255;

// What a share is joined with, here and at other sites, into a share above it.
struct CombineRequest {
  ReadRequest own;          // of the share that is held here
  sharing::SharePath path;  // of that share
  Gathering gathering;      // one cut or more
};

struct ReshareTarget {
  SiteName site;
  ShareSpec spec;
  planner::Route route;  // from here to there
};

// All shares of one cut; their specs differ in share, last step, owner and `drawn` only.
struct ReshareRequest {
  ShareId share;
  std::vector<ReshareTarget> targets;  // 2 to 32, as many as the scheme makes
  // The routes that all shares of the object have come or will come, as share control planned them;
  // each from where its cut is made.
  std::map<sharing::SharePath, planner::Route> travelled;
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
// Of shares that are asked for, and of those of them that are held; at most kMostAskedShares.
[[nodiscard]] Bytes encode(std::span<const ShareId> shares);
[[nodiscard]] Result<std::vector<ShareId>> decode_share_ids(ByteView body);
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
