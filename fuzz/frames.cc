// What comes over the wire between sites: headers, grants, requests, replies, errors.
#include "channel/frame.h"
#include "channel/grant.h"
#include "channel/message.h"
#include "fuzz/fuzz.h"

namespace warifu::fuzz {
namespace {

template <class Decode>
void both_ways(ByteView bytes, const Decode& decode) {
  const auto decoded = decode(bytes);
  if (!decoded) return;
  const Bytes once = channel::encode(*decoded);
  const auto again = decode(once);
  require(again.has_value() && channel::encode(*again) == once);
}

void shape(const channel::StreamShape& shape) {
  if (shape.frames == 0) return;
  const std::uint64_t last = shape.frames - 1;
  require(shape.frame_length(0) <= shape.bytes && shape.frame_length(last) <= shape.bytes);
  require(shape.window_frames(0) >= 1 && shape.window_bytes(0) <= shape.bytes);
}

void run(ByteView input) {
  if (input.empty()) return;
  const ByteView bytes = input.subspan(1);
  switch (input[0] % 5) {
    case 0:
      if (const auto header = channel::decode_header(bytes)) {
        const auto again = channel::decode_header(channel::encode(*header));
        require(again.has_value() && again->pad_offset == header->pad_offset);
      }
      break;
    case 1: both_ways(bytes, [](ByteView b) { return channel::decode_grant(b); }); break;
    case 2:
      both_ways(bytes, [](ByteView b) { return channel::decode_request(b); });
      if (const auto request = channel::decode_request(bytes)) shape(request->upload);
      break;
    case 3:
      both_ways(bytes, [](ByteView b) { return channel::decode_reply(b); });
      if (const auto reply = channel::decode_reply(bytes)) shape(reply->download);
      break;
    default: (void)channel::decode_error(bytes, *SiteName::parse("peer"));
  }
}

}  // namespace
}  // namespace warifu::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  warifu::fuzz::run({data, size});
  return 0;
}
