// One part of relayed key on its way: what goes with it from site to site (request 105 of
// docs/formats/site-requests.md).
//
//   part    := transfer:16 part:u8 parts:u8 bytes:u32 count:u8 site{count}
//   verdict := accepted:u8 at:u8 text
//
// `site` is the whole path, both ends included; each site finds its own place in it. The same head
// without data asks whether every site on the path would pass such a part on. A refusal names the
// place of the site whose next link would not serve.
//
// The messages about a transfer (offer, commit, quarantine of kme/intake.h) cannot go under the key
// that they make: they travel along such a path too (request 106), and the answer comes back on it.
//
//   letter  := count:u8 site{count} method:u16 body:blob
#pragma once

#include "base/ids.h"
#include "kme/relay_paths.h"

namespace warifu::kme {

using TransferId = Id16<struct TransferTag>;

// Bytes of one part, and so of one transfer.
inline constexpr std::uint32_t kRelayPartBytes = 1 << 20;
inline constexpr std::uint16_t kRelayPartMethod = 105;
inline constexpr std::uint16_t kRelayLetterMethod = 106;

struct PartHead {
  TransferId transfer;
  std::uint8_t part = 0;   // from 0
  std::uint8_t parts = 1;  // 1..kMaxRelayPaths
  std::uint32_t bytes = kRelayPartBytes;
  RelayPath path;

  bool operator==(const PartHead&) const = default;
};

struct PartVerdict {
  bool accepted = true;
  std::uint8_t at = 0;  // of a refusal
  std::string why;
};

struct RelayLetter {
  RelayPath path;
  std::uint16_t method = 0;  // of the intake
  Bytes body;
};

// Place of `site` on a path. Errors: kRefused when it is not there.
[[nodiscard]] Result<std::size_t> place_on(const RelayPath& path, const SiteName& site);

[[nodiscard]] Bytes encode(const RelayLetter& letter);
// Errors: kProtocol as decode_part_head().
[[nodiscard]] Result<RelayLetter> decode_relay_letter(ByteView body);

[[nodiscard]] Bytes encode(const PartHead& head);
// Errors: kProtocol: sizes and numbers out of range, a site twice on the path.
[[nodiscard]] Result<PartHead> decode_part_head(ByteView body);
[[nodiscard]] Bytes encode(const PartVerdict& verdict);
[[nodiscard]] Result<PartVerdict> decode_part_verdict(ByteView body);

}  // namespace warifu::kme
