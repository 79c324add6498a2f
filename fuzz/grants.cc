// What stands in for a person's will on its way: grants, evidences, openings of hidden regions.
#include "consent/evidence.h"
#include "consent/veil.h"
#include "fuzz/fuzz.h"

namespace warifu::fuzz {
namespace {

// Canonical: what is read at all is written as exactly the same bytes.
template <class Parse, class Encode>
void one_encoding(ByteView bytes, const Parse& parse, const Encode& encode) {
  if (const auto parsed = parse(bytes)) require(std::ranges::equal(encode(*parsed), bytes));
}

// Under the veil that belongs to it an opening is read, or it has no veil: it says no regions.
void open_regions(ByteView bytes) {
  using namespace consent;
  if (bytes.size() < kSaltBytes) return;
  wire::Reader reader(bytes.subspan(kSaltBytes), "x");
  Scope regions = read_scope(reader);
  const bool are_regions = reader.finish().has_value() && !regions.regions.empty() &&
                           !regions.veil && regions.chunks.empty();
  Scope scope = are_regions ? veiled(regions, bytes.first(kSaltBytes)) : Scope();
  if (!are_regions) scope.veil.emplace();
  scope.chunks = {{0, 1}};
  const auto open = opened(closed(scope), bytes);
  require(open.has_value() == are_regions);
  if (open) require(*open == scope);
}

}  // namespace

void run(ByteView input) {
  using namespace consent;
  if (input.empty()) return;
  const ByteView bytes = input.subspan(1);
  switch (input[0] % 3) {
    case 0:
      one_encoding(bytes, parse_grant, [](const Grant& grant) { return *encode_grant(grant); });
      break;
    case 1: one_encoding(bytes, parse_evidence, encode_evidence); break;
    default: open_regions(bytes); break;
  }
}

}  // namespace warifu::fuzz
