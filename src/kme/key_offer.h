// The offer of new key (request 100, docs/formats/site-requests.md) and what both ends compare it
// by. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "keypool/format.h"
#include "mac/mac.h"
#include "secret/secret.h"

namespace warifu::kme {

struct KeyOffer {
  SegmentNumber number;
  PadOffset base;  // where the key will stand in the stream
  keypool::Origin origin = keypool::Origin::kRateModel;
  std::uint8_t device = 0;  // its place in the link's list, the same at both ends
  std::uint16_t parts = 0;  // of relayed key: what the numbers were made of
  secret::Buffer hash_key;  // of mac::kBlockBytes; unused for relayed key
  std::vector<std::string> ids;
};

[[nodiscard]] Bytes encode(const KeyOffer& offer);
// Errors: kProtocol.
[[nodiscard]] Result<KeyOffer> decode_key_offer(ByteView body);

// Both ends compare by a universal hash under a key of the offer. But relays see offer and answer
// of relayed key. So there hash key and mask are its own first bytes, which serve nothing else:
// with a part unknown to it, a relay can neither learn from the answer nor make two different keys
// pass.
struct Compared {
  ByteView key;  // what becomes pool material
  mac::Tag tag;
};

// `material` is what the device gave. Errors: kProtocol when relayed key is too short.
[[nodiscard]] Result<Compared> compare_by(const KeyOffer& offer, ByteView material);

}  // namespace warifu::kme
