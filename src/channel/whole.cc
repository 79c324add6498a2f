// Frame by frame between the stream and a buffer.
#include "channel/whole.h"

#include <algorithm>

namespace warifu::channel {

StreamShape shape_of_whole(std::size_t bytes, std::size_t frame_bytes) {
  const std::size_t frame = std::min(bytes, frame_bytes);
  return {.frames = (bytes + frame - 1) / frame,
          .bytes = bytes,
          .frame_bytes = static_cast<std::uint32_t>(frame)};
}

Result<> send_whole(Call& call, const StreamShape& shape, ByteView bytes) {
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    const std::size_t length = shape.frame_length(i);
    secret::Buffer frame = secret::Buffer::copy_of(bytes.first(length));
    TRY(call.send(frame.bytes()));
    bytes = bytes.subspan(length);
  }
  return {};
}

Result<secret::Buffer> receive_whole(Exchange& exchange) {
  StreamReceiver& upload = exchange.upload();
  secret::Buffer whole(upload.shape().bytes);
  std::size_t at = 0;
  while (!upload.finished()) {
    TRY_ASSIGN(const secret::Buffer frame, upload.receive());
    copy_bytes(whole.bytes().subspan(at), frame.bytes());
    at += frame.size();
    if (upload.ack_due()) TRY(upload.acknowledge());
  }
  return whole;
}

}  // namespace warifu::channel
