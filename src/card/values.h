// Values of the consent card that other components use: one-time keys, object records, the layout
// of a grant as far as the card reads it. No behaviour, no transport.
//
// A card and a site share one-time keys (r, s), 16 + 16 bytes, one pair per index; the index is
// common to all sites of the card, starts at 1 and only grows. Key sets of one site lie in a single
// locked buffer, because locked memory is counted in pages.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/units.h"
#include "mac/mac.h"
#include "secret/secret.h"

namespace warifu::card {

inline constexpr std::size_t kOneTimeKeyBytes = 2 * mac::kBlockBytes;  // r, then s
inline constexpr std::size_t kMaxGrantBytes = 8192;
inline constexpr std::size_t kMaxSites = 7;
inline constexpr std::uint32_t kMaxKeysPerSite = 2000;
inline constexpr std::size_t kMaxObjects = 256;
inline constexpr std::size_t kMinPinBytes = 4;
inline constexpr std::size_t kMaxPinBytes = 12;
inline constexpr Byte kPinTries = 3;

struct KeyIndex {
  std::uint32_t value = 0;
  auto operator<=>(const KeyIndex&) const = default;
};

// The indices [first, first + count).
struct KeyRange {
  KeyIndex first;
  std::uint32_t count = 0;
  bool operator==(const KeyRange&) const = default;
  [[nodiscard]] KeyIndex end() const { return {first.value + count}; }
  // At least one key, not more than a card takes, and no index beyond 32 bits or equal to 0.
  [[nodiscard]] bool is_valid() const {
    return first.value > 0 && count > 0 && count <= kMaxKeysPerSite &&
           first.value <= UINT32_MAX - count;
  }
};

// The one-time keys of one site: key i of the range is at bytes [32 i, 32 i + 32).
struct SiteKeys {
  SiteName site;
  secret::Buffer keys;
  [[nodiscard]] std::size_t count() const { return keys.size() / kOneTimeKeyBytes; }
};

// What proves itself: a chip, or the emulator in its place. Stands in evidence and in every log.
enum class CardKind : std::uint8_t {
  kOneTimeMac = 1,
  kOneTimeMacEmulated = 2,
  kDesfire = 3,
  kDesfireEmulated = 4,
  kSignature = 5,
  kSignatureEmulated = 6,
};
inline constexpr std::uint8_t kLastCardKind = 6;

// Whether a site speaks to such a card itself, relayed by the terminal, instead of checking a tag.
[[nodiscard]] constexpr bool is_relayed(CardKind kind) {
  return kind == CardKind::kDesfire || kind == CardKind::kDesfireEmulated;
}
// Whether such a card signs a grant, once for all sites (JPKI, PIV, HPKI, any PKCS #11 token).
[[nodiscard]] constexpr bool is_signature(CardKind kind) {
  return kind == CardKind::kSignature || kind == CardKind::kSignatureEmulated;
}
// Whether a grant of such a card is proved to every site before it is presented for a share.
[[nodiscard]] constexpr bool is_proved_first(CardKind kind) {
  return is_relayed(kind) || is_signature(kind);
}
[[nodiscard]] constexpr bool is_emulated(CardKind kind) {
  return kind == CardKind::kOneTimeMacEmulated || kind == CardKind::kDesfireEmulated ||
         kind == CardKind::kSignatureEmulated;
}

// What the card knows of a stored object: the key of its hash and the tag over all chunk tags.
struct ObjectRecord {
  static constexpr std::size_t kBytes = 64;
  ObjectId object;
  secret::Buffer hash_key;  // r, 16 bytes
  mac::Tag tag{};           // zeros: not known (sharing/chunk.h)
  std::uint64_t chunk_count = 0;
  ByteCount length;
};

// Where the card finds what it checks in a grant; docs/formats/grant.md has the whole layout. The
// first block holds magic, version and total length, so the one-time tag fixes the length; what
// follows the sites is no business of the card, which tags it.
namespace grant_layout {
inline constexpr std::string_view kMagic = "WGR4";
inline constexpr std::uint16_t kVersion = 4;
inline constexpr std::size_t kCardAt = 8;
inline constexpr std::size_t kIndexAt = 100;
inline constexpr std::size_t kSiteCountAt = 156;
inline constexpr std::size_t kSitesAt = 160;
inline constexpr std::size_t kSiteBytes = 32;  // padded name, nonce
}  // namespace grant_layout
static_assert(grant_layout::kSitesAt + kMaxSites * grant_layout::kSiteBytes <= kMaxGrantBytes);

}  // namespace warifu::card
