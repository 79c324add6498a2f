// What stands in for a person's will on its way: grants, evidences, certificates of cards that
// sign, the records of cards and objects that gates and cards keep.
#include "card/desfire_layout.h"
#include "consent/card_record.h"
#include "consent/evidence.h"
#include "consent/grant.h"
#include "crypto/card_certificate.h"
#include "fuzz/fuzz.h"

namespace warifu::fuzz {
namespace {

// Canonical: what is read at all is written as exactly the same bytes.
template <class Parse, class Encode>
void one_encoding(ByteView bytes, const Parse& parse, const Encode& encode) {
  if (const auto parsed = parse(bytes)) require(std::ranges::equal(encode(*parsed), bytes));
}

}  // namespace

void run(ByteView input) {
  using namespace consent;
  if (input.empty()) return;
  const ByteView bytes = input.subspan(1);
  switch (input[0] % 6) {
    case 0:
      one_encoding(bytes, parse_grant, [](const Grant& grant) { return *encode_grant(grant); });
      break;
    case 1: one_encoding(bytes, parse_evidence, encode_evidence); break;
    case 2: (void)parse_record(bytes); break;
    case 3: one_encoding(bytes, parse_kept, encode_kept); break;
    case 4:
      // No authority is trusted, so whatever it is, nobody vouches for it.
      (void)crypto::describe_certificate(bytes);
      require(crypto::Authorities().check(bytes, {}).has_value());
      (void)crypto::verify_signature(bytes, bytes, bytes);
      break;
    default: (void)card::desfire::parse_record_bytes(bytes);
  }
}

}  // namespace warifu::fuzz
