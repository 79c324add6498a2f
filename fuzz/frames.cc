// What comes over the wire between sites: headers, grants, requests, replies, errors.
#include "channel/frame.h"
#include "channel/grant.h"
#include "channel/message.h"
#include "fuzz/fuzz.h"

namespace warifu::fuzz {
namespace {

// What was decoded and reads back as the same; or the error.
template <class Decode>
auto both_ways(ByteView bytes, const Decode& decode) {
  auto decoded = decode(bytes);
  if (!decoded) return decoded;
  const Bytes once = channel::encode(*decoded);
  const auto again = decode(once);
  require(again.has_value() && channel::encode(*again) == once);
  return decoded;
}

void shape(const channel::StreamShape& shape) {
  if (shape.frames == 0) return;
  const std::uint64_t last = shape.frames - 1;
  require(shape.frame_length(0) <= shape.bytes && shape.frame_length(last) <= shape.bytes);
  require(shape.window_frames(0) >= 1 && shape.window_bytes(0) <= shape.bytes);
}

}  // namespace

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
    case 1: (void)both_ways(bytes, [](ByteView b) { return channel::decode_grant(b); }); break;
    case 2:
      if (const auto request =
              both_ways(bytes, [](ByteView b) { return channel::decode_request(b); })) {
        shape(request->upload);
      }
      break;
    case 3:
      if (const auto reply =
              both_ways(bytes, [](ByteView b) { return channel::decode_reply(b); })) {
        shape(reply->download);
      }
      break;
    default: (void)channel::decode_error(bytes, *SiteName::parse("peer"));
  }
}

}  // namespace warifu::fuzz
