// The grant: what the person allows, as one canonical byte string that card and sites authenticate.
//
//   grant := "WGR1" version:u16=1 length:u16 card:16 object:16 scope:u8 purpose:u8 uses:u16
//            grantee:24 destination:16 not_before:i64 expiry:i64 index:u32 locale:4 terminal:16
//            text_digest:32 sites:u8 zero:3 site{sites}                      little-endian
//   site  := name:16 nonce:16
//
// Canonical: one grant has exactly one encoding, so bytes can be compared and tagged. Texts are
// zero padded; reserved bytes are zero; sites are sorted by name and distinct. `length` is the
// length of the whole and stands in the first 16-byte block, which fixes the length for the
// one-time tag. A grant holds no name of the person and nothing of a genome.
// docs/formats/grant.md has the table of fields and published vectors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "card/values.h"
#include "crypto/crypto.h"
#include "os/system.h"

namespace warifu::consent {

inline constexpr std::size_t kGranteeBytes = 24;
inline constexpr std::size_t kTerminalBytes = 16;
inline constexpr std::uint16_t kMaxUses = 1000;

using Nonce = Id16<struct NonceTag>;

enum class Purpose : std::uint8_t { kHealthManagement = 1, kResearch = 2, kMedicine = 3 };

// "health_management", "research", "medicine".
[[nodiscard]] std::string_view purpose_name(Purpose purpose);
// Errors: kInvalidArgument.
[[nodiscard]] Result<Purpose> parse_purpose(std::string_view name);

enum class Locale : std::uint8_t { kEnglish, kJapanese };

struct GrantSite {
  SiteName site;
  Nonce nonce;  // issued by that site
  bool operator==(const GrantSite&) const = default;
};

struct Grant {
  CardId card;
  ObjectId object;  // the whole object: the only scope of version 1
  Purpose purpose = Purpose::kHealthManagement;
  std::uint16_t uses = 1;  // 1..kMaxUses sessions
  std::string grantee;     // who will use it, 1..24 bytes of UTF-8
  SiteName destination;    // the only site where shares may meet
  os::UnixMs not_before;
  os::UnixMs expiry;     // exclusive
  card::KeyIndex index;  // the card's next one-time index, from 1
  Locale locale = Locale::kEnglish;
  std::string terminal;          // where the person stood, 1..16 printable ASCII characters
  crypto::Digest text_digest{};  // of consent_text() as shown
  std::vector<GrantSite> sites;  // 1..7, sorted by name, distinct

  bool operator==(const Grant&) const = default;
};

// Errors: kInvalidArgument naming the field that has no canonical encoding.
[[nodiscard]] Result<Bytes> encode_grant(const Grant& grant);
// Errors: kProtocol naming what is not canonical.
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

// The text shown before the PIN is asked for, in the grant's locale: what, who, purpose, until, how
// often, where, which sites. Depends on every field of the grant but card, index, nonces and
// digest.
[[nodiscard]] std::string consent_text(const Grant& grant, const ConsentLabels& labels);

// The digest that stands in the grant.
[[nodiscard]] crypto::Digest text_digest(std::string_view text);

}  // namespace warifu::consent
