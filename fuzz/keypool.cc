// The pool's files: identity, index, marks.
#include "fuzz/fuzz.h"
#include "keypool/format.h"

namespace warifu::fuzz {
namespace {

template <class Decoded, class Decode>
void read_back(const Decoded& decoded, const Decode& decode) {
  const Bytes once = keypool::encode(decoded);
  const auto again = decode(once);
  require(again.has_value());
  require(keypool::encode(*again) == once);
}

}  // namespace

void run(ByteView input) {
  if (input.empty()) return;
  const Byte choice = input[0];
  const Bytes checked = with_crc(input.subspan(1));
  // Half of the inputs come as they are: the checksum must hold.
  const ByteView bytes = choice % 2 == 0 ? ByteView(checked) : input.subspan(1);
  const auto identity = [](ByteView b) { return keypool::decode_identity(b, "identity"); };
  const auto index = [](ByteView b) { return keypool::decode_index(b, "index"); };
  const auto mark = [](ByteView b) { return keypool::decode_mark(b, "mark"); };
  switch (choice / 2 % 3) {
    case 0:
      if (const auto decoded = identity(bytes)) read_back(*decoded, identity);
      break;
    case 1:
      if (const auto decoded = index(bytes)) read_back(*decoded, index);
      break;
    default: {
      Bytes slot(bytes.begin(), bytes.end());
      if (slot.size() <= keypool::kMarkSlotBytes) slot.resize(keypool::kMarkSlotBytes);
      if (const auto decoded = mark(slot)) read_back(*decoded, mark);
    }
  }
}

}  // namespace warifu::fuzz
