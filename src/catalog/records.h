// What share control knows: persons, objects, shares, sites, jobs, grants and spent key.
//
// Plain values. Names of states stand in the database and in JSON and are never changed. Secret
// columns (`sealed_secret`) are sealed by the caller; the catalog sees only ciphertext.
// A share whose `site` is none is not kept anywhere as itself: it was cut further (its nested
// shares are the truth) or is deleted; `last_site` still says who held it, for deletion and for
// exposure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/reason.h"
#include "os/system.h"
#include "sharing/share_path.h"

namespace warifu::catalog {

inline constexpr std::size_t kMaxPersonIdBytes = 64;
inline constexpr std::size_t kMaxNameBytes = 256;   // display names, labels, addresses
inline constexpr std::size_t kMaxTextBytes = 4096;  // steps, errors, routes, policies
inline constexpr std::size_t kMaxRequestNoteBytes = 1000;
inline constexpr std::size_t kMaxJsonBytes = 1 << 20;
inline constexpr std::size_t kMaxBlobBytes = 1 << 20;
inline constexpr std::size_t kMaxOpenRequests = 100;  // for one person
inline constexpr std::size_t kMaxOpenEnrolments = 200;
inline constexpr std::size_t kMaxEnrolmentCodeBytes = 16;
inline constexpr std::uint64_t kMaxPageRows = 1000;
inline constexpr std::uint8_t kMaxCutShares = 32;
inline constexpr std::size_t kMaxSiteLabels = 16;

enum class ObjectState : std::uint8_t { kStoring, kCommitted, kFailed, kDeleted };
// kUnknown: the object came out of its shares, and nobody has looked at the card since.
enum class CardRecordState : std::uint8_t { kPending, kOnCard, kUnknown };
enum class CardOrderKind : std::uint8_t { kWithdraw, kRevoke };
enum class ShareState : std::uint8_t { kPlanned, kWriting, kDurable, kDeletePending, kDeleted };
enum class JobKind : std::uint8_t {
  kStore,
  kReshare,
  kRestore,
  kRepair,
  kMove,
  kDelete,
  kRebuild,
  kRefresh,
  kSiteRepair,  // everything that a site should hold and does not
  kSiteDrain    // everything that a site holds
};
enum class JobState : std::uint8_t { kWaitingKey, kRunning, kPaused, kDone, kFailed, kCancelled };
enum class JobPriority : std::uint8_t { kLow, kUsual, kUrgent };
enum class GrantState : std::uint8_t { kGiven, kUsedUp, kExpired, kWithdrawn };
enum class RequestState : std::uint8_t {
  kAsked,
  kGiven,
  kRefused,
  kExpired,
  kWithdrawn,  // it was given, and taken back
  kCancelled
};
enum class EnrolmentState : std::uint8_t { kWaiting, kBegun, kDone, kExpired, kCancelled };

// "storing", "on_card", "delete_pending", "waiting_key", "used_up", ...
[[nodiscard]] std::string_view state_name(ObjectState state);
[[nodiscard]] std::string_view state_name(CardRecordState state);
[[nodiscard]] std::string_view state_name(CardOrderKind kind);
[[nodiscard]] std::string_view state_name(ShareState state);
[[nodiscard]] std::string_view kind_name(JobKind kind);
[[nodiscard]] std::string_view state_name(JobState state);
[[nodiscard]] std::string_view state_name(GrantState state);
[[nodiscard]] std::string_view state_name(RequestState state);
[[nodiscard]] std::string_view state_name(EnrolmentState state);
// Why a consent in this state does not count; kNone: it does.
[[nodiscard]] Reason reason_of(GrantState state);
[[nodiscard]] std::string_view priority_name(JobPriority priority);

// True for done, failed and cancelled.
[[nodiscard]] bool is_finished(JobState state);

struct Person {
  std::string person_id;  // given by staff, like "P-000123": 1..64 characters of [A-Za-z0-9._-]
  std::string name;
  CardId card;
  os::UnixMs created;
  bool operator==(const Person&) const = default;
};

struct SitePseudonym {
  SiteName site;
  Pseudonym pseudonym;
  bool operator==(const SitePseudonym&) const = default;
};

struct Object {
  ObjectId object;
  std::string person_id;
  std::string label;  // the file's name
  std::uint64_t length = 0;
  std::uint64_t chunk_count = 0;
  ObjectState state = ObjectState::kStoring;
  std::string policy;
  std::uint32_t generation = 0;
  os::UnixMs created;
  std::optional<os::UnixMs> committed_at;
  std::string input;  // what was read, and where
  CardRecordState card_record = CardRecordState::kPending;
  // Of a genome object: the chunks of index and manifest before the file; 0: another object.
  std::uint32_t lead_chunks = 0;
  bool operator==(const Object&) const = default;
};

struct Share {
  ShareId share;
  ObjectId object;
  std::optional<ShareId> parent;  // the share that was cut; none when that is the object
  sharing::SharePath path{sharing::ShareIndex::kA};
  std::uint8_t cut_shares = 3;  // how many shares its cut made, 2 to kMaxCutShares
  std::uint32_t generation = 0;
  std::optional<SiteName> site;  // where it is kept, or is to be kept
  SiteName last_site;            // set by the catalog: who keeps it or was the last to
  ShareState state = ShareState::kPlanned;
  std::uint64_t bytes = 0;
  std::string route;        // how it travelled, like "tommo>tuh"
  std::string protections;  // JSON: classes and origins of the links used; empty: unknown
  bool operator==(const Share&) const = default;
};

struct Site {
  SiteName site;
  std::uint8_t number = 0;
  std::vector<std::string> labels;
  std::string address;
  bool operator==(const Site&) const = default;
};

struct Job {
  JobId job;
  JobKind kind = JobKind::kStore;
  JobState state = JobState::kRunning;
  std::string step;
  std::optional<ObjectId> object;
  std::optional<std::string> person_id;
  std::string plan;  // JSON; empty: none
  std::uint64_t progress_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::string error;
  os::UnixMs created;
  os::UnixMs updated;
  std::optional<os::UnixMs> expected_end;
  Bytes sealed_secret;  // empty: none
  std::string result;   // JSON; empty: none
  JobPriority priority = JobPriority::kUsual;
  bool operator==(const Job&) const = default;
};

// What changes while a job runs, all at once.
struct JobProgress {
  JobState state = JobState::kRunning;
  std::string step;
  std::uint64_t progress_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::string error;
  std::string result;
  os::UnixMs updated;
  std::optional<os::UnixMs> expected_end;
};

struct Grant {
  GrantId grant;
  ObjectId object;
  std::string person_id;
  Bytes grant_bytes;
  Bytes evidence;
  GrantState state = GrantState::kGiven;
  os::UnixMs created;
  os::UnixMs expiry;
  Bytes sealed_secret;  // empty: none
  Bytes opening = {};   // of regions that the grant hides (consent/veil.h); empty: it hides none
  bool operator==(const Grant&) const = default;
};

using RequestId = Id16<struct RequestTag>;

// What somebody has asked a person to consent to. Its row says asked, refused or cancelled; that it
// was given is what the grants say that were made for it, so that no step can be lost in between.
struct Request {
  RequestId request;
  ObjectId object;
  std::string person_id;
  RequestState decided = RequestState::kAsked;  // asked, refused or cancelled
  std::string terms;     // JSON of the consent that is wished for (docs/api.md)
  std::string asked_by;  // the operator; empty in single-operator mode
  std::string note;      // to the person; may be empty
  std::string why;       // of a refusal; may be empty
  os::UnixMs created;
  os::UnixMs expires;  // nobody can give it from then on
  std::optional<os::UnixMs> decided_at;
  std::optional<GrantId> grant;  // the consent that was given; read only
  std::optional<GrantState> grant_state;
  bool operator==(const Request&) const = default;
};
// What became of it until `now`.
[[nodiscard]] RequestState state_at(const Request& request, os::UnixMs now);

using EnrolmentId = Id16<struct EnrolmentTag>;

// What the biobank has ordered a terminal to do: enrol a person who is not in the catalog yet, or
// give a card in the place of a lost one. That it is done is what the person's card says: one that
// was begun for it.
struct EnrolmentOrder {
  EnrolmentId order;
  std::string person_id, name;
  bool again = false;               // in the place of a lost card
  std::string card_type;            // "one-time", "desfire", "jpki", "pkcs11"
  std::uint32_t keys_per_site = 0;  // of a one-time card; else 0
  std::string code;                 // by which the terminal finds it
  std::string ordered_by;           // the operator; empty in single-operator mode
  std::string trouble;              // what went wrong last at the terminal; may be empty
  os::UnixMs created;
  os::UnixMs expires;  // it cannot be begun from then on
  std::optional<os::UnixMs> cancelled_at;
  // The card that was made, or else begun last; read only.
  std::optional<CardId> card;
  std::string terminal;
  std::optional<os::UnixMs> begun;
  bool is_made = false;  // the card is, or was, the person's
  bool operator==(const EnrolmentOrder&) const = default;
};
// What became of it until `now`.
[[nodiscard]] EnrolmentState state_at(const EnrolmentOrder& order, os::UnixMs now);

// A card that was begun for an order: what is needed to finish it after a crash.
struct EnrolmentCard {
  EnrolmentId order;
  CardId card;
  std::string terminal;
  os::UnixMs begun;
  bool is_relayed = false;  // the sites personalise it themselves
  std::vector<SitePseudonym> pseudonyms;
  bool operator==(const EnrolmentCard&) const = default;
};

struct RevokedCard {
  CardId card;
  std::string person_id;
  os::UnixMs revoked;
  std::string why;
  bool operator==(const RevokedCard&) const = default;
};

// What one site has still to be told of a card or a consent.
struct CardOrder {
  std::uint64_t number = 0;
  CardOrderKind kind = CardOrderKind::kRevoke;
  CardId card;
  GrantId grant;      // of a withdrawal; else zero
  os::UnixMs expiry;  // of the grant
  SiteName site;
  os::UnixMs created;
  bool operator==(const CardOrder&) const = default;
};

// What one site has still to be told of a person: a request between sites.
struct PersonOrder {
  std::uint64_t number = 0;
  std::string person_id;
  std::uint16_t method = 0;
  Bytes body;
  SiteName site;
  os::UnixMs created;
  bool operator==(const PersonOrder&) const = default;
};

// What a card must know of an object, sealed (control::ObjectSecrets), not in safekeeping yet.
struct UnkeptRecord {
  ObjectId object;
  Bytes sealed_secret;
};

// Key spent by a job on one link and direction.
struct LinkUse {
  SiteName from, to;
  std::string link_class;  // "qkd", "preshared", "relayed"
  std::string origin;      // where the key came from, like "HARDWARE"
  std::uint64_t payload_bytes = 0;
  std::uint64_t tag_bytes = 0;
  std::uint64_t key_bytes = 0;
  bool operator==(const LinkUse&) const = default;
};

// A site that has held, made, gathered or relayed that share of an object.
struct Sighting {
  SiteName site;
  sharing::SharePath path;
  auto operator<=>(const Sighting&) const = default;
};

// A part of a list.
struct Page {
  std::uint64_t skip = 0;
  std::uint64_t count = 100;  // 1..kMaxPageRows
};

struct ObjectFilter {
  std::optional<std::string> person_id;
  std::optional<ObjectState> state;
};

struct JobFilter {
  std::optional<JobKind> kind;
  std::optional<JobState> state;
  std::optional<ObjectId> object;
  std::optional<std::string> person_id;
};

struct GrantFilter {
  std::optional<std::string> person_id;
  std::optional<ObjectId> object;
  std::optional<GrantState> state;
};

struct RequestFilter {
  std::optional<std::string> person_id;
  std::optional<ObjectId> object;
};

// The shares that hold data now, out of all shares of an object: durable, at a site, of
// `generation`, and not superseded. A cut share counts through its nested shares.
[[nodiscard]] std::vector<Share> held_shares(const std::vector<Share>& shares,
                                             std::uint32_t generation);

// Errors of all: kInvalidArgument naming the field and why.
[[nodiscard]] Result<> check_record(const Person& person);
[[nodiscard]] Result<> check_record(const Object& object);
[[nodiscard]] Result<> check_record(const Share& share);
[[nodiscard]] Result<> check_record(const Site& site);
[[nodiscard]] Result<> check_record(const Job& job);
[[nodiscard]] Result<> check_record(const JobProgress& progress);
[[nodiscard]] Result<> check_record(const Grant& grant);
[[nodiscard]] Result<> check_record(const Request& request);
[[nodiscard]] Result<> check_record(const EnrolmentOrder& order);
[[nodiscard]] Result<> check_record(const LinkUse& use);
[[nodiscard]] Result<> check_record(const Sighting& sighting);
[[nodiscard]] Result<> check_record(const Page& page);

// The value with this name; none when no value has it.
template <typename State>
[[nodiscard]] std::optional<State> value_of_name(std::string_view name);
template <>
std::optional<ObjectState> value_of_name(std::string_view name);
template <>
std::optional<CardRecordState> value_of_name(std::string_view name);
template <>
std::optional<CardOrderKind> value_of_name(std::string_view name);
template <>
std::optional<ShareState> value_of_name(std::string_view name);
template <>
std::optional<JobKind> value_of_name(std::string_view name);
template <>
std::optional<JobState> value_of_name(std::string_view name);
template <>
std::optional<GrantState> value_of_name(std::string_view name);
template <>
std::optional<RequestState> value_of_name(std::string_view name);
template <>
std::optional<JobPriority> value_of_name(std::string_view name);

}  // namespace warifu::catalog
