// Requests between sites about copies of the catalog, and about what a site knows of persons and
// objects (docs/formats/site-requests.md). All of them are the control site's.
#pragma once

#include <map>

#include "control/messages.h"
#include "recovery/bundle.h"

namespace warifu::recovery {

enum class Method : std::uint16_t {
  kCopyPut = 40,       // head; the share as upload
  kCopyList = 41,      // empty; heads
  kCopyGet = 42,       // place; the share as download. Needs leave by the holder's operator
  kCards = 44,         // cursor; cards. Needs leave as kCopyGet
  kShareHeaders = 52,  // cursor; found shares
};
[[nodiscard]] constexpr std::uint16_t number(Method method) {
  return static_cast<std::uint16_t>(method);
}

// A share of a guarded bundle, as it is put and listed.
struct CopyHead {
  CopyPlace place;
  AttemptId attempt;  // shares of one attempt fit together
  sharing::Scheme scheme;
  sharing::ShareIndex index = sharing::ShareIndex::kA;
  bool ends = false;
  std::uint32_t bytes = 0;
};

// A share as its holder describes it.
struct FoundShare {
  SiteName site;  // of the holder; not in the message
  control::ShareSpec spec;
  os::UnixMs created;
  std::vector<control::Sibling> siblings;
};
struct FoundPage {
  std::vector<FoundShare> shares;
  bool more = false;  // the next page begins behind the last one of these
};

// A card that a gate knows, and the person's pseudonym there.
struct FoundCard {
  CardId card;
  Pseudonym person;
};
struct CardPage {
  std::vector<FoundCard> cards;
  bool more = false;
};

[[nodiscard]] Bytes encode(const CopyHead& head);
[[nodiscard]] Result<CopyHead> decode_copy_head(ByteView body);
[[nodiscard]] Bytes encode(const std::vector<CopyHead>& heads);
[[nodiscard]] Result<std::vector<CopyHead>> decode_copy_heads(ByteView body);
[[nodiscard]] Bytes encode(const CopyPlace& place);
[[nodiscard]] Result<CopyPlace> decode_copy_place(ByteView body);
[[nodiscard]] Bytes encode(const FoundPage& page);
[[nodiscard]] Result<FoundPage> decode_found_page(ByteView body);
[[nodiscard]] Bytes encode(const CardPage& page);
[[nodiscard]] Result<CardPage> decode_card_page(ByteView body);

}  // namespace warifu::recovery
