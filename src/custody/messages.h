// Requests between sites about cards, consents and card records in safekeeping
// (docs/formats/site-requests.md). All of them are the control site's.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "consent/decision.h"
#include "consent/gate.h"
#include "os/system.h"
#include "secret/secret.h"
#include "sharing/scheme.h"

namespace warifu::custody {

enum class Method : std::uint16_t {
  kEmergency = 65,     // an emergency was opened: emergency note
  kTopUp = 66,         // a card wants more one-time keys: act; the keys
  kRecordUnder = 67,   // granted record; kept record. Under grants that cards have proved
  kWithdraw = 73,      // withdrawal
  kRevoke = 74,        // card
  kRecordKeep = 75,    // kept record
  kRecordGive = 76,    // wanted record; kept record. To a card that has taken the place of another
  kRecordCount = 77,   // empty; how many are kept
  kRecordForget = 78,  // object
  kAccesses = 79,      // wanted accesses; accesses
  kLostCard = 81,      // card; lost card. When another one may come in its place here
  kPersonOrder = 85,   // consent::PersonOrder
  kAct = 86,           // a card names a proxy, or allows emergencies: act
};
[[nodiscard]] constexpr std::uint16_t number(Method method) {
  return static_cast<std::uint16_t>(method);
}

using KeepingId = Id16<struct KeepingTag>;  // one cut of a record: shares of one fit together

struct WithdrawOrder {
  CardId card;
  GrantId grant;
  os::UnixMs expiry;  // of the grant
};

// One site's share of a card record (card::ObjectRecord), guarded and cut (sharing/guarded.h).
struct KeptShare {
  ObjectId object;
  Pseudonym owner;  // the person at that site
  KeepingId keeping;
  os::UnixMs made;
  sharing::Scheme scheme;
  sharing::ShareIndex index = sharing::ShareIndex::kA;
  secret::Buffer share;
};

struct WantedRecord {
  ObjectId object;
  CardId card;  // that it is for
};

// A record that a grant of a card that keeps none releases, or several people's grants together.
struct GrantedRecord {
  ObjectId object;
  std::vector<consent::Presented> presented;  // with evidence for the site that is asked
};

// An emergency was opened with officers' cards.
struct EmergencyNote {
  Pseudonym person;  // at the site that is told
  consent::Emergency emergency;
};

// What a site's log says about one person, from behind a record on.
struct WantedAccesses {
  Pseudonym person;  // at that site
  std::uint64_t after = 0;
};
struct Access {
  std::uint64_t sequence = 0;  // of the record in that site's log
  os::UnixMs time;
  std::string event;
  std::vector<std::pair<std::string, std::string>> fields;
};
struct AccessPage {
  std::vector<Access> accesses;
  std::uint64_t seen = 0;  // the last record that was looked at
  bool more = false;
};
inline constexpr std::size_t kMaxAccesses = 500;  // in a page

inline constexpr std::size_t kMaxKeptBytes = 1024;  // of a share

// An act of a person's, with the evidence for the site that is told.
[[nodiscard]] Bytes encode(const consent::Presented& act);
[[nodiscard]] Result<consent::Presented> decode_act(ByteView body);
[[nodiscard]] Bytes encode(const EmergencyNote& note);
[[nodiscard]] Result<EmergencyNote> decode_emergency(ByteView body);

[[nodiscard]] Bytes encode(const WithdrawOrder& order);
[[nodiscard]] Result<WithdrawOrder> decode_withdraw(ByteView body);
[[nodiscard]] Bytes encode(const CardId& card);
[[nodiscard]] Result<CardId> decode_card(ByteView body);
[[nodiscard]] Bytes encode(const consent::LostCard& lost);
[[nodiscard]] Result<consent::LostCard> decode_lost(ByteView body);
[[nodiscard]] Bytes encode(const KeptShare& kept);
[[nodiscard]] Result<KeptShare> decode_kept(ByteView body);
[[nodiscard]] Bytes encode(const WantedRecord& wanted);
[[nodiscard]] Result<WantedRecord> decode_wanted(ByteView body);
[[nodiscard]] Bytes encode(const GrantedRecord& granted);
[[nodiscard]] Result<GrantedRecord> decode_granted(ByteView body);
[[nodiscard]] Bytes encode(const ObjectId& object);
[[nodiscard]] Result<ObjectId> decode_object(ByteView body);
[[nodiscard]] Bytes encode(const WantedAccesses& wanted);
[[nodiscard]] Result<WantedAccesses> decode_wanted_accesses(ByteView body);
[[nodiscard]] Bytes encode(const AccessPage& page);
[[nodiscard]] Result<AccessPage> decode_access_page(ByteView body);
[[nodiscard]] Bytes encode_count(std::uint64_t count);
[[nodiscard]] Result<std::uint64_t> decode_count(ByteView body);

}  // namespace warifu::custody
