// Evidence: the card's proof of one grant for one site.
//
//   evidence := "WEV1" site:16 kind:u8 zero:3 tag:16            40 bytes
//   kind     := 1 one-time MAC card | 2 one-time MAC card, emulated | 3 DESFire | 4 DESFire,
//   emulated
//
// Kinds 1 and 2: the tag is the card's over the grant. Kinds 3 and 4: the site has spoken to the
// card itself, and the tag is the receipt that it drew when the card had proved this very grant to
// it. The tag of an evidence is for its own site only; other sites cannot check it. The kind must
// equal what the site noted when the card was enrolled, so it cannot be changed on the way.
#pragma once

#include "base/ids.h"
#include "card/values.h"
#include "mac/mac.h"

namespace warifu::consent {

inline constexpr std::size_t kEvidenceBytes = 40;

struct Evidence {
  SiteName site;
  card::CardKind kind = card::CardKind::kOneTimeMac;
  mac::Tag tag{};
  bool operator==(const Evidence&) const = default;
};

// "one_time_mac", "one_time_mac_emulated", "desfire", "desfire_emulated".
[[nodiscard]] std::string_view card_kind_name(card::CardKind kind);
// How the holder proved to be the person: "pin_on_card", or "possession" where the card knows no
// PIN.
[[nodiscard]] std::string_view holder_verification(card::CardKind kind);

[[nodiscard]] Bytes encode_evidence(const Evidence& evidence);
// Errors: kProtocol.
[[nodiscard]] Result<Evidence> parse_evidence(ByteView bytes);

}  // namespace warifu::consent
