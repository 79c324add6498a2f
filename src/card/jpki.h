// The My Number Card's certificate application (JPKI), seen from the terminal.
//
// ISO/IEC 14443 type B; found by selecting its application id, never by ATR, which readers make up
// for contactless cards. Only this application is touched: the number, the name and the photograph
// lie in others, which the law forbids to read for other purposes. PINs are blocked after few tries
// and only the municipal office resets them, so the counter is read first, and the last try is not
// spent unless the person says so. Nothing is derived from its signatures: they are deterministic.
// The certificate for authentication is read without a PIN, and its number stays the same for
// years: it identifies, and proves nothing by itself.
//
// JpkiCard borrows its Session; thread rule as there.
#pragma once

#include "card/consent_profile.h"
#include "card/transport.h"

namespace warifu::card {

// Which of the two key pairs.
enum class JpkiKey : std::uint8_t {
  kAuthentication,  // PIN of 4 digits, 3 tries
  kSignature,       // PIN of 6 to 16 upper-case letters and digits, 5 tries
};

class JpkiCard {
 public:
  // Selects the application. Errors: kNotFound when the card has none.
  [[nodiscard]] static Result<JpkiCard> select(Session& session);

  // DER. That of the signature key needs its PIN first. Errors: kRefused, kProtocol.
  [[nodiscard]] Result<Bytes> certificate(JpkiKey key);
  // DER of the authority that signed it.
  [[nodiscard]] Result<Bytes> authority(JpkiKey key);
  // Costs no try. 0: blocked.
  [[nodiscard]] Result<Byte> tries_left(JpkiKey key);
  // Errors: kInvalidArgument for a malformed PIN; kRefused naming the tries left; also, without a
  // try spent, when only one is left (unless allowed) or the PIN is blocked.
  [[nodiscard]] Result<> verify_pin(JpkiKey key, ByteView pin, LastTry last_try = LastTry::kRefuse);
  // RSA, PKCS #1 v1.5 with SHA-256, over `message`, after the PIN. Errors: kRefused without it.
  [[nodiscard]] Result<Bytes> sign(JpkiKey key, ByteView message);

 private:
  explicit JpkiCard(Session& session) : session_(&session) {}
  Result<> select_file(std::uint16_t id);
  Result<Bytes> read_certificate(std::uint16_t id);

  Session* session_;
};

}  // namespace warifu::card
