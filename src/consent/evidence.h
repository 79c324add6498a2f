// Evidence: the card's proof of one grant for one site.
//
//   evidence := "WEV1" site:16 kind:u8 zero:3 tag:16            40 bytes
//   kind     := 1 one-time MAC card | 2 one-time MAC card, emulated | 3 DESFire |
//               4 DESFire, emulated | 5 signature | 6 signature, emulated
//
// Kinds 1 and 2: the tag is the card's over the grant. Kinds 3 and 4: the site has spoken to the
// card itself, and the tag is the receipt that it drew when the card had proved this very grant to
// it. Kinds 5 and 6: the site has verified the card's signature over the grant, and the tag is its
// receipt for that. The tag of an evidence is for its own site only; other sites cannot check it.
// The kind must equal what the site noted when the card was enrolled, so it cannot be changed on
// the way.
//
// What share control keeps of a consent is one evidence for each site of the grant, in its order,
// and of a signature card the signature itself, which anybody can check:
//
//   kept   := evidence{sites} [signed]
//   signed := "WSG1" certificate:blob signature:blob             certificate in DER
#pragma once

#include <optional>
#include <vector>

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

// "one_time_mac", "one_time_mac_emulated", "desfire", "desfire_emulated", "signature",
// "signature_emulated".
[[nodiscard]] std::string_view card_kind_name(card::CardKind kind);
// How the holder proved to be the person: "pin_on_card"; "possession" where the card knows no PIN;
// "pin_as_issued" where only the card's issuer vouches that its key signs behind a PIN alone.
[[nodiscard]] std::string_view holder_verification(card::CardKind kind);
// What the proof rests on: "information_theoretic" (one-time MACs), or "computational".
[[nodiscard]] std::string_view evidence_class(card::CardKind kind);

[[nodiscard]] Bytes encode_evidence(const Evidence& evidence);
// Errors: kProtocol.
[[nodiscard]] Result<Evidence> parse_evidence(ByteView bytes);

struct SignedGrant {
  Bytes certificate;  // DER
  Bytes signature;    // over the bytes of the grant
  bool operator==(const SignedGrant&) const = default;
};
struct KeptEvidence {
  std::vector<Evidence> sites;
  std::optional<SignedGrant> signature;
};
[[nodiscard]] Bytes encode_kept(const KeptEvidence& kept);
// Errors: kProtocol; also for a signature without a signature card, or the other way round.
[[nodiscard]] Result<KeptEvidence> parse_kept(ByteView bytes);

}  // namespace warifu::consent
