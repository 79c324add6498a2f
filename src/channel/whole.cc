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

namespace {

template <typename Sender>
Result<> send_frames(Sender& sender, const StreamShape& shape, ByteView bytes) {
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    const std::size_t length = shape.frame_length(i);
    secret::Buffer frame = secret::Buffer::copy_of(bytes.first(length));
    TRY(sender.send(frame.bytes()));
    bytes = bytes.subspan(length);
  }
  return {};
}

template <typename Receiver>
Result<secret::Buffer> receive_frames(Receiver& receiver, const StreamShape& shape) {
  secret::Buffer whole(shape.bytes);
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < shape.frames; ++i) {
    TRY_ASSIGN(const secret::Buffer frame, receiver.receive());
    copy_bytes(whole.bytes().subspan(at), frame.bytes());
    at += frame.size();
    if (receiver.ack_due()) TRY(receiver.acknowledge());
  }
  return whole;
}

}  // namespace

Result<> send_whole(Call& call, const StreamShape& shape, ByteView bytes) {
  return send_frames(call, shape, bytes);
}

Result<> send_whole(Exchange& exchange, const StreamShape& shape, ByteView bytes) {
  return send_frames(exchange, shape, bytes);
}

Result<secret::Buffer> receive_whole(Call& call, const StreamShape& shape) {
  return receive_frames(call, shape);
}

Result<secret::Buffer> receive_whole(Exchange& exchange) {
  return receive_frames(exchange.upload(), exchange.upload().shape());
}

}  // namespace warifu::channel
