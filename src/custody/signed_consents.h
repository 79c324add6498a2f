// Consents of signature cards at share control: every site of the grant verifies the card's
// signature for itself; then the object's record, which such a card cannot keep, comes from where
// it is kept, released by the same grant; and the consent is kept with the sites' receipts and the
// signature.
//
// A site that fails stops the consent: sites that had their turn have burnt their nonce, and the
// ceremony begins again. Thread-safe.
#pragma once

#include "custody/consent_intake.h"

namespace warifu::custody {

class SignedConsents {
 public:
  SignedConsents(control::SiteContext& site, catalog::Catalog& catalog, ConsentIntake& intake)
      : site_(site), catalog_(catalog), intake_(intake) {}

  struct Given {
    GrantId grant;
    card::CardKind kind = card::CardKind::kSignature;
  };
  // `grant` as ConsentDesk::prepare() wrote it, `signature` over its bytes. Errors: kRefused (the
  // card is another person's; a site refuses), kUnavailable naming a site; kNotFound when nobody
  // keeps the record any more; kCorrupt.
  [[nodiscard]] Result<Given> give(ByteView grant, ByteView signature);

 private:
  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  ConsentIntake& intake_;
};

}  // namespace warifu::custody
