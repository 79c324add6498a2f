// What stands in for a person's will on its way: grants and evidences.
#include "consent/evidence.h"
#include "consent/grant.h"
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
  if (input[0] % 2 == 0) {
    one_encoding(bytes, parse_grant, [](const Grant& grant) { return *encode_grant(grant); });
  } else {
    one_encoding(bytes, parse_evidence, encode_evidence);
  }
}

}  // namespace warifu::fuzz
