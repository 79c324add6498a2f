// The records of cards and objects that gates and cards keep.
#include "card/desfire_layout.h"
#include "consent/card_record.h"
#include "consent/evidence.h"
#include "fuzz/fuzz.h"

namespace warifu::fuzz {

void run(ByteView input) {
  if (input.empty()) return;
  const ByteView bytes = input.subspan(1);
  switch (input[0] % 3) {
    case 0: (void)consent::parse_record(bytes); break;
    case 1:
      // Canonical: what is read at all is written as exactly the same bytes.
      if (const auto parsed = consent::parse_kept(bytes)) {
        require(std::ranges::equal(consent::encode_kept(*parsed), bytes));
      }
      break;
    default: (void)card::desfire::parse_record_bytes(bytes);
  }
}

}  // namespace warifu::fuzz
