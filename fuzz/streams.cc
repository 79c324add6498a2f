// What applications send to the stream socket, and what sites tell each other about streams.
#include "fuzz/fuzz.h"
#include "kme/stream_message.h"

namespace warifu::fuzz {
namespace {

template <class Decode>
void both_ways(ByteView bytes, const Decode& decode) {
  const auto decoded = decode(bytes);
  if (!decoded) return;
  const auto once = encode(*decoded);
  const auto again = decode(ByteView(once));
  require(again.has_value() && encode(*again) == once);
}

}  // namespace

void run(ByteView input) {
  using namespace kme;
  if (input.empty()) return;
  const ByteView bytes = input.subspan(1);
  switch (input[0] % 8) {
    case 0: both_ways(bytes, [](ByteView b) { return decode_stream_header(b); }); break;
    case 1: both_ways(bytes, [](ByteView b) { return decode_stream_open(b); }); break;
    case 2: both_ways(bytes, [](ByteView b) { return decode_stream_opened(b); }); break;
    case 3: both_ways(bytes, [](ByteView b) { return decode_stream_get(b); }); break;
    case 4: both_ways(bytes, [](ByteView b) { return decode_stream_get_head(b); }); break;
    case 5: both_ways(bytes, [](ByteView b) { return decode_stream_opening(b); }); break;
    case 6: both_ways(bytes, [](ByteView b) { return decode_stream_block(b); }); break;
    default: both_ways(bytes, [](ByteView b) { return decode_stream_note(b); });
  }
}

}  // namespace warifu::fuzz
