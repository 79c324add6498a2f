// The codec of evidence.
#include "consent/evidence.h"

#include <algorithm>

#include "wire/wire.h"

namespace warifu::consent {

std::string_view card_kind_name(card::CardKind kind) {
  switch (kind) {
    case card::CardKind::kOneTimeMac: return "one_time_mac";
    case card::CardKind::kOneTimeMacEmulated: return "one_time_mac_emulated";
    case card::CardKind::kDesfire: return "desfire";
    case card::CardKind::kDesfireEmulated: return "desfire_emulated";
  }
  return {};
}

std::string_view holder_verification(card::CardKind kind) {
  return card::is_relayed(kind) ? "possession" : "pin_on_card";
}

Bytes encode_evidence(const Evidence& evidence) {
  wire::Writer writer;
  writer.raw(as_bytes("WEV1"));
  writer.site(evidence.site);
  writer.u8(static_cast<std::uint8_t>(evidence.kind));
  writer.raw(Bytes(3));
  writer.raw(evidence.tag);
  return writer.take();
}

Result<Evidence> parse_evidence(ByteView bytes) {
  wire::Reader reader(bytes, "evidence");
  Evidence evidence;
  if (as_text(reader.raw(4)) != "WEV1") reader.reject("it does not begin with WEV1");
  evidence.site = reader.site();
  const std::uint8_t kind = reader.u8();
  if (kind < 1 || kind > card::kLastCardKind) reader.reject("its kind of card is unknown");
  evidence.kind = static_cast<card::CardKind>(kind);
  const ByteView zero = reader.raw(3);
  if (std::ranges::any_of(zero, [](Byte b) { return b != 0; })) {
    reader.reject("reserved bytes are not zero");
  }
  const ByteView tag = reader.raw(mac::kBlockBytes);
  TRY(reader.finish());
  copy_bytes(evidence.tag, tag);
  return evidence;
}

}  // namespace warifu::consent
