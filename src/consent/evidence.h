// Evidence: the card's proof of one grant for one site.
//
//   evidence := "WEV1" site:16 kind:u8 zero:3 tag:16            40 bytes
//   kind     := 1 one-time MAC card | 2 one-time MAC card, emulated
//
// The tag of an evidence is for its own site only; other sites cannot check it. The kind must equal
// what the site noted when the card was enrolled, so it cannot be changed on the way.
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

// "one_time_mac", "one_time_mac_emulated".
[[nodiscard]] std::string_view card_kind_name(card::CardKind kind);

[[nodiscard]] Bytes encode_evidence(const Evidence& evidence);
// Errors: kProtocol.
[[nodiscard]] Result<Evidence> parse_evidence(ByteView bytes);

}  // namespace warifu::consent
