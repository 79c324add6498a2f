// Whose signature cards a site believes: the authorities that its operator has configured, and what
// those say about cards that were taken back.
//
// Every site judges for itself, at the enrolment of a card and at each grant. What cannot be
// judged is refused, each reason by its own name, unless the configuration says that a card counts
// although nobody can tell whether it was revoked (the lists of some issuers are for certified
// verifiers only). Authorities of stand-ins (emulated cards, software tokens) are named apart:
// their cards count as emulated in evidence and log. Immutable; several threads may use one.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "consent/decision.h"
#include "crypto/card_certificate.h"
#include "os/system.h"

namespace warifu::consent {

// The id of a signature card: 16 bytes of SHA-256("warifu signature card 1" certificate). So one
// certificate is one card everywhere, once on the hot list for good.
[[nodiscard]] CardId signature_card_id(ByteView certificate);

// What the card signs to be enrolled, and for how long that counts.
//   statement := "WSE1" card:16 time:i64                             little-endian
inline constexpr std::chrono::minutes kStatementLife(15);
[[nodiscard]] Bytes enrolment_statement(const CardId& card, os::UnixMs time);

// Where a site learns that an authority has taken a certificate back.
class RevocationSource {
 public:
  RevocationSource() = default;
  virtual ~RevocationSource() = default;
  RevocationSource(const RevocationSource&) = delete;
  RevocationSource& operator=(const RevocationSource&) = delete;

  [[nodiscard]] virtual crypto::RevocationFinding ask(ByteView certificate,
                                                      const crypto::Authorities& authorities,
                                                      os::UnixMs now) const = 0;
};

// Revocation lists in files, read anew at every question, so that whoever brings new ones only has
// to replace the files.
class RevocationFiles final : public RevocationSource {
 public:
  static constexpr std::uint64_t kMaxFileBytes = 64ULL << 20;

  RevocationFiles(os::FileSystem& files, std::vector<std::string> paths,
                  std::chrono::seconds max_age)
      : files_(files), paths_(std::move(paths)), max_age_(max_age) {}
  [[nodiscard]] crypto::RevocationFinding ask(ByteView certificate,
                                              const crypto::Authorities& authorities,
                                              os::UnixMs now) const override;

 private:
  os::FileSystem& files_;
  const std::vector<std::string> paths_;
  const std::chrono::seconds max_age_;
};

// [cards] of a site's configuration, as far as it is about signature cards.
struct SignatureSettings {
  std::vector<std::string> trust_anchors;  // files: authorities of chips
  std::vector<std::string> test_anchors;   // files: authorities of stand-ins
  std::vector<std::string> revocation_lists;
  std::chrono::seconds revocation_max_age = std::chrono::days(7);
  bool accept_without_list = false;  // a card although there is no list, or only an old one
};

struct Judgement {
  card::CardKind kind = card::CardKind::kSignature;
  crypto::CertificateFacts facts;
  std::string revocation;  // for the log: "good", or that and why it was not looked at
};

class SignatureTrust {
 public:
  SignatureTrust(crypto::Authorities chips, crypto::Authorities stand_ins,
                 std::unique_ptr<RevocationSource> revocation, bool accept_without_list)
      : chips_(std::move(chips)),
        stand_ins_(std::move(stand_ins)),
        revocation_(std::move(revocation)),
        accept_without_list_(accept_without_list) {}

  // Reads the authorities' files. Errors: kInvalidArgument, kNotFound naming the file; also when an
  // authority that says EMULATED of itself stands among those of chips.
  [[nodiscard]] static Result<std::shared_ptr<const SignatureTrust>> open(
      os::FileSystem& files, const SignatureSettings& settings);

  // What the certificate is worth at `now`.
  [[nodiscard]] std::expected<Judgement, Refusal> judge(ByteView certificate, os::UnixMs now) const;

 private:
  crypto::Authorities chips_, stand_ins_;
  std::unique_ptr<RevocationSource> revocation_;
  bool accept_without_list_;
};

}  // namespace warifu::consent
