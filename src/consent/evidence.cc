// The codec of evidence.
#include "consent/evidence.h"

#include <algorithm>

#include "crypto/card_certificate.h"
#include "wire/wire.h"

namespace warifu::consent {
namespace {
constexpr std::string_view kSignedMagic = "WSG1";
}  // namespace

std::string_view card_kind_name(card::CardKind kind) {
  switch (kind) {
    case card::CardKind::kOneTimeMac: return "one_time_mac";
    case card::CardKind::kOneTimeMacEmulated: return "one_time_mac_emulated";
    case card::CardKind::kDesfire: return "desfire";
    case card::CardKind::kDesfireEmulated: return "desfire_emulated";
    case card::CardKind::kSignature: return "signature";
    case card::CardKind::kSignatureEmulated: return "signature_emulated";
  }
  return {};
}

std::string_view holder_verification(card::CardKind kind) {
  if (card::is_signature(kind)) return "pin_as_issued";
  return card::is_relayed(kind) ? "possession" : "pin_on_card";
}

std::string_view evidence_class(card::CardKind kind) {
  return card::is_proved_first(kind) ? "computational" : "information_theoretic";
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

Bytes encode_kept(const KeptEvidence& kept) {
  wire::Writer writer;
  for (const Evidence& evidence : kept.sites) writer.raw(encode_evidence(evidence));
  if (kept.signature) {
    writer.raw(as_bytes(kSignedMagic));
    writer.blob(kept.signature->certificate);
    writer.blob(kept.signature->signature);
  }
  return writer.take();
}

Result<KeptEvidence> parse_kept(ByteView bytes) {
  KeptEvidence kept;
  while (bytes.size() >= kEvidenceBytes && as_text(bytes.first(4)) != kSignedMagic) {
    TRY_ASSIGN(kept.sites.emplace_back(), parse_evidence(bytes.first(kEvidenceBytes)));
    bytes = bytes.subspan(kEvidenceBytes);
  }
  wire::Reader reader(bytes, "kept evidence");
  const bool is_signed = !kept.sites.empty() && card::is_signature(kept.sites.front().kind);
  if (is_signed) {
    if (as_text(reader.raw(4)) != kSignedMagic) reader.reject("the signature is missing");
    const ByteView certificate = reader.blob(crypto::kMaxCertificateBytes);
    const ByteView signature = reader.blob(crypto::kMaxSignatureBytes);
    kept.signature = SignedGrant{Bytes(certificate.begin(), certificate.end()),
                                 Bytes(signature.begin(), signature.end())};
  }
  TRY(reader.finish());
  return kept;
}

}  // namespace warifu::consent
