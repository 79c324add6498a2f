// A signature card with an authority of its own, for runs of gates: one for all of them, because
// its keys take long to make, and are no matter of chance there. Immutable once made: any thread.
#pragma once

#include <memory>
#include <vector>

#include "consent/signature_trust.h"
#include "crypto/rsa.h"

namespace warifu::sim {

struct SigningCard {
  static constexpr const char* kIssuer = "EMULATED AUTHORITY OF RUNS";
  static constexpr std::chrono::seconds kLasts = std::chrono::days(36'500);
  crypto::RsaKey authority = crypto::RsaKey::generate(2048);
  crypto::RsaKey key = crypto::RsaKey::generate(2048);
  Bytes certificate = *crypto::make_rsa_certificate(
      {.common_name = "EMULATED CARD", .lasts = kLasts}, key, authority, kIssuer);

  [[nodiscard]] Bytes sign(ByteView message) const {
    return *key.sign_digest_info(crypto::sha256_digest_info(message));
  }
  // Its authority is trusted; lists are looked for and there are none, which is accepted.
  [[nodiscard]] std::shared_ptr<const consent::SignatureTrust> trust(os::FileSystem& files) const {
    crypto::Authorities stand_ins;
    const auto own = crypto::make_rsa_certificate(
        {.common_name = kIssuer, .is_ca = true, .lasts = kLasts}, authority, authority, kIssuer);
    WARIFU_CHECK(stand_ins.add(*own, kIssuer).has_value());
    return std::make_shared<const consent::SignatureTrust>(
        crypto::Authorities(), std::move(stand_ins),
        std::make_unique<consent::RevocationFiles>(files, std::vector<std::string>(),
                                                   std::chrono::hours(1)),
        true);
  }
};

inline const SigningCard& signing_card() {
  static const SigningCard card;
  return card;
}

}  // namespace warifu::sim
