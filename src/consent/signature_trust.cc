// Authorities first, then what they say of revoked cards.
#include "consent/signature_trust.h"

#include "wire/wire.h"

namespace warifu::consent {
namespace {

constexpr std::string_view kCardLabel = "warifu signature card 1";
constexpr std::string_view kStatementMagic = "WSE1";
constexpr std::string_view kStandInMark = "EMULATED";
constexpr std::uint64_t kMaxAnchorBytes = 1 << 20;

std::chrono::sys_seconds seconds_since_1970(os::UnixMs time) {
  return std::chrono::sys_seconds(
      std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(time.value)));
}

Reason reason_of(crypto::CertificateFlaw flaw) {
  switch (flaw) {
    case crypto::CertificateFlaw::kDamaged: return Reason::kDamagedCertificate;
    case crypto::CertificateFlaw::kUntrusted: return Reason::kUntrustedIssuer;
    case crypto::CertificateFlaw::kWeak: return Reason::kWeakCertificate;
    case crypto::CertificateFlaw::kNotYetValid: return Reason::kCertificateNotYetValid;
    case crypto::CertificateFlaw::kExpired: return Reason::kCertificateExpired;
    case crypto::CertificateFlaw::kWrongUse: return Reason::kWrongKeyUse;
  }
  return Reason::kUntrustedIssuer;
}

Result<crypto::Authorities> read_authorities(os::FileSystem& files,
                                             const std::vector<std::string>& paths) {
  crypto::Authorities authorities;
  for (const std::string& path : paths) {
    auto bytes = os::read_file(files, path, kMaxAnchorBytes);
    if (!bytes) return fail_in("trust anchor", bytes.error());
    TRY(authorities.add(*bytes, path));
  }
  return authorities;
}

}  // namespace

CardId signature_card_id(ByteView certificate) {
  wire::Writer writer;
  writer.raw(as_bytes(kCardLabel));
  writer.raw(certificate);
  return CardId::from_view(ByteView(crypto::sha256(writer.bytes())).first(16));
}

Bytes enrolment_statement(const CardId& card, os::UnixMs time) {
  wire::Writer writer;
  writer.raw(as_bytes(kStatementMagic));
  writer.id(card);
  writer.i64(time.value);
  return writer.take();
}

crypto::RevocationFinding RevocationFiles::ask(ByteView certificate,
                                               const crypto::Authorities& authorities,
                                               os::UnixMs now) const {
  std::vector<Bytes> lists;
  std::string missing;
  for (const std::string& path : paths_) {
    auto bytes = os::read_file(files_, path, kMaxFileBytes);
    if (!bytes) {
      missing = bytes.error().message;
      continue;
    }
    lists.push_back(std::move(*bytes));
  }
  auto finding = authorities.look_up(certificate, lists, seconds_since_1970(now), max_age_);
  if (finding.state == crypto::RevocationState::kNoList && !missing.empty()) {
    finding.text += " (" + missing + ")";
  }
  return finding;
}

Result<std::shared_ptr<const SignatureTrust>> SignatureTrust::open(
    os::FileSystem& files, const SignatureSettings& settings) {
  TRY_ASSIGN(crypto::Authorities chips, read_authorities(files, settings.trust_anchors));
  TRY_ASSIGN(crypto::Authorities stand_ins, read_authorities(files, settings.test_anchors));
  for (const std::string& name : chips.names()) {
    if (!name.starts_with(kStandInMark)) continue;
    return fail(Code::kInvalidArgument,
                "'cards.trust_anchors' names '" + name +
                    "', an authority of emulated cards: it belongs in 'cards.test_anchors'");
  }
  return std::make_shared<const SignatureTrust>(
      std::move(chips), std::move(stand_ins),
      std::make_unique<RevocationFiles>(files, settings.revocation_lists,
                                        settings.revocation_max_age),
      settings.accept_without_list);
}

std::expected<Judgement, Refusal> SignatureTrust::judge(ByteView certificate,
                                                        os::UnixMs now) const {
  const auto at = seconds_since_1970(now);
  Judgement judgement;
  const crypto::Authorities* authorities = &chips_;
  auto problem = chips_.check(certificate, at);
  if (problem && problem->flaw == crypto::CertificateFlaw::kUntrusted) {
    judgement.kind = card::CardKind::kSignatureEmulated;
    authorities = &stand_ins_;
    problem = stand_ins_.check(certificate, at);
  }
  if (problem) return std::unexpected(Refusal{reason_of(problem->flaw), problem->text});
  auto facts = crypto::describe_certificate(certificate);
  if (!facts) {
    return std::unexpected(Refusal{Reason::kDamagedCertificate, facts.error().message});
  }
  judgement.facts = std::move(*facts);
  const auto finding = revocation_->ask(certificate, *authorities, now);
  const auto no = [&](Reason reason) { return std::unexpected(Refusal{reason, finding.text}); };
  switch (finding.state) {
    case crypto::RevocationState::kGood: judgement.revocation = "good"; return judgement;
    case crypto::RevocationState::kRevoked: return no(Reason::kCertificateRevoked);
    case crypto::RevocationState::kBadList: return no(Reason::kBadRevocationList);
    case crypto::RevocationState::kNoList:
      if (!accept_without_list_) return no(Reason::kNoRevocationList);
      break;
    case crypto::RevocationState::kStaleList:
      if (!accept_without_list_) return no(Reason::kStaleRevocationList);
      break;
  }
  judgement.revocation = "accepted unseen: " + finding.text;
  return judgement;
}

}  // namespace warifu::consent
