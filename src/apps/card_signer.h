// What signs for a person: the authentication key of a My Number Card, or a key on a PKCS #11
// token. Nobody else uses it meanwhile; a PIN that was verified is forgotten with the object. One
// thread.
#pragma once

#include <memory>
#include <string>

#include <boost/json.hpp>

#include "apps/command_options.h"
#include "card/jpki.h"

namespace warifu::apps {

class CardSigner {
 public:
  CardSigner() = default;
  virtual ~CardSigner() = default;
  CardSigner(const CardSigner&) = delete;
  CardSigner& operator=(const CardSigner&) = delete;

  // DER; needs no PIN.
  [[nodiscard]] virtual Result<Bytes> certificate() = 0;
  // More that the card says of itself, for `warifu card show`.
  [[nodiscard]] virtual Result<boost::json::object> describe() = 0;
  // Verifies the PIN, after the card was asked how many tries are left: the last one is never spent
  // here. Errors: kRefused; kInvalidArgument (no such PIN).
  [[nodiscard]] virtual Result<> unlock(ByteView pin) = 0;
  // Over `message`, by the certificate's key, after unlock(). Errors: the card's.
  [[nodiscard]] virtual Result<Bytes> sign(ByteView message) = 0;
};

// Borrows what `card` borrows.
[[nodiscard]] std::unique_ptr<CardSigner> jpki_signer(card::JpkiCard card);
// Starts the token's module in a helper process. Errors: pkcs11::Token::open's.
[[nodiscard]] Result<std::unique_ptr<CardSigner>> token_signer(const CardOptions& options);

}  // namespace warifu::apps
