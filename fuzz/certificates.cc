// Certificates of cards that sign, and signatures under them.
#include "crypto/card_certificate.h"
#include "fuzz/fuzz.h"

namespace warifu::fuzz {

void run(ByteView input) {
  (void)crypto::describe_certificate(input);
  // No authority is trusted, so whatever it is, nobody vouches for it.
  require(crypto::Authorities().check(input, {}).has_value());
  (void)crypto::verify_signature(input, input, input);
}

}  // namespace warifu::fuzz
