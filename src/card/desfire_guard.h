// The terminal's watch over what it relays to a DESFire card for the sites.
//
// The terminal has no key and trusts no controller: it passes on only commands that belong to what
// the person at it agreed to. In a consent every commit must come behind the digest of the very
// grant that was shown, written in clear and under the MAC of the site's session; the card refuses
// it when it was changed on the way. So neither a rooted controller nor a relay can have another
// grant proved with this touch. One ceremony; one thread.
#pragma once

#include <optional>

#include "card/desfire_layout.h"

namespace warifu::card::desfire {

enum class Ceremony : std::uint8_t { kEnrol = 1, kConsent = 2, kRecord = 3 };

class RelayGuard {
 public:
  // `grant_digest`: SHA-256 of the grant, for Ceremony::kConsent only.
  explicit RelayGuard(Ceremony ceremony, ByteView grant_digest = {});

  // Errors: kRefused for an APDU that does not belong to the ceremony; the card must not get it.
  [[nodiscard]] Result<> check(ByteView apdu);

 private:
  [[nodiscard]] bool is_allowed(Command command) const;
  Result<> check_select(ByteView data);
  Result<> check_write(ByteView data);

  Ceremony ceremony_;
  Bytes digest_;
  bool digest_written_ = false;  // in the application selected now
  bool may_continue_ = false;    // a further frame belongs to a command that was passed on
};

}  // namespace warifu::card::desfire
