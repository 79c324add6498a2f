// The grant: what the person allows, as one canonical byte string that card and sites authenticate.
//
//   grant := "WGR4" version:u16=4 length:u16 card:16 object:16 act:u8 purpose:u8 uses:u16
//            destination:16 not_before:i64 expiry:i64 locale:4 terminal:16 zero:4 index:u32
//            text_digest:32 joint:16 capacity:u8 together:u8 shown:u8 zero:u8 sites:u8 zero:3
//            site{sites} grantee data_uses scope [appointment] emergency:16{shown}   little-endian
//   act   := 1 use of data | 2 the person names a proxy (then an appointment follows)
//   appointment := proxy_card:16 purposes:u8 flags:u8 zero:u16 until:i64 authority:32
//   site  := name:16 nonce:16        grantee, data_uses, scope: grantee.h, data_use.h, scope.h
//
// Canonical: one grant has exactly one encoding, so bytes can be compared and tagged. Padding and
// reserved bytes are zero; sites, codes and regions are sorted and distinct. `length` is the
// length of the whole and stands in the first 16-byte block, which fixes the length for the
// one-time tag. What a card reads lies at fixed places before the parts of variable length. A grant
// holds no name of the person and nothing of a genome. Versions 1 to 3 are refused. Regions always
// stand with the chunks that hold them.
// docs/formats/grant.md has the table of fields and published vectors.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "card/values.h"
#include "consent/data_use.h"
#include "consent/grantee.h"
#include "consent/person_order.h"
#include "consent/scope.h"
#include "crypto/crypto.h"
#include "os/system.h"

namespace warifu::consent {

inline constexpr std::size_t kTerminalBytes = 16;
inline constexpr std::uint16_t kMaxUses = 1000;
inline constexpr std::size_t kMaxShown = 16;

using Nonce = Id16<struct NonceTag>;

struct GrantSite {
  SiteName site;
  Nonce nonce;  // issued by that site
  bool operator==(const GrantSite&) const = default;
};

// The person names somebody who may consent in the person's place.
struct Appointment {
  CardId proxy;     // the proxy's own enrolled card
  Mandate mandate;  // its object is the grant's
  bool operator==(const Appointment&) const = default;
};

// What a grant allows, by the parts that it has: a use of an object, or, with no use beside it, an
// act of the person's that the card proves.
enum class Act : std::uint8_t { kUse = 1, kAppoint = 2, kTopUp = 3, kEmergencyLeave = 4 };

inline constexpr std::size_t kReasonBytes = 160;
// An emergency is over after that.
inline constexpr std::chrono::hours kEmergencyLife(4);

struct Grant {
  CardId card;
  ObjectId object;
  Purpose purpose = Purpose::kHealthManagement;
  std::uint16_t uses = 1;  // 1..kMaxUses sessions
  Grantee grantee;         // who may use it
  SiteName destination;    // the only site where shares may meet
  os::UnixMs not_before;
  os::UnixMs expiry;     // exclusive
  card::KeyIndex index;  // the card's next one-time index, from 1
  Locale locale = Locale::kEnglish;
  std::string terminal;                // where the person stood, 1..16 printable ASCII characters
  crypto::Digest text_digest{};        // of consent_text() as shown
  std::vector<GrantSite> sites;        // 1..7, sorted by name, distinct
  DataUses data_uses;                  // what else must hold of the use; none: the purpose alone
  Scope scope;                         // the whole object, regions with their chunks, the index
  Capacity capacity = Capacity::kOwn;  // in which the card's holder consents
  std::uint8_t together = 1;           // so many guardians' cards prove the consent together,
  JointId joint;                       // each a grant of its own with this in common; else zero
  std::optional<Appointment> appointment;  // then nothing may be used, and `object` zero is all
  std::optional<card::KeyRange> top_up;    // the card is to get one-time keys with these indices
  // Until then officers may open `object` (zero: all) in an emergency (break_glass.h).
  std::optional<os::UnixMs> emergency_until;
  std::string reason;  // of an emergency, 1..160 bytes that can be shown; else empty
  // Of the person's own card: emergencies in which the data was opened without it, which the person
  // is told of now. At most kMaxShown, ascending, distinct.
  std::vector<JointId> shown;

  bool operator==(const Grant&) const = default;
};

[[nodiscard]] Act act_of(const Grant& grant);

// Whether two grants allow the same: all but card, index, nonces, terminal, language and beginning.
[[nodiscard]] bool same_terms(const Grant& one, const Grant& other);

// "health_management, research": names of the purposes in a mandate's mask.
[[nodiscard]] std::string purposes_text(std::uint8_t purposes);

// Errors: kInvalidArgument naming the field that has no canonical encoding.
[[nodiscard]] Result<Bytes> encode_grant(const Grant& grant);
// Errors: kProtocol naming what is not canonical, or that it is of an earlier version.
[[nodiscard]] Result<Grant> parse_grant(ByteView bytes);

// First 16 bytes of SHA-256 of the grant.
[[nodiscard]] GrantId grant_id(ByteView grant);

// Names that the person knows, and how the card is used; they are shown, and never stand in the
// grant.
struct ConsentLabels {
  std::string person;
  std::string object;
  bool has_pin = true;  // the card; where it has none the text says what its touch means
};

// The text shown before the PIN is asked for, in the grant's locale: what of it, who, purpose, data
// use, until, how often, where, which sites. Depends on every field of the grant but card, index,
// nonces and digest.
[[nodiscard]] std::string consent_text(const Grant& grant, const ConsentLabels& labels);

// The digest that stands in the grant. Of hidden regions, which stand in the text, it is made with
// the opening's salt (veil.h): else a holder could try texts with one gene after the other.
[[nodiscard]] crypto::Digest text_digest(std::string_view text, ByteView opening = {});

}  // namespace warifu::consent
