// Windows of data frames.
#include "channel/conversation.h"

#include "wire/wire.h"

namespace warifu::channel {

Result<Frame> await_frame(Connection& connection, FrameType wanted, const Progress& progress) {
  for (;;) {
    TRY_ASSIGN(Frame frame, connection.receive());
    if (frame.type == wanted) return frame;
    if (frame.type == FrameType::kError) {
      return std::unexpected(decode_error(frame.payload.bytes(), connection.link().peer()));
    }
    if (frame.type != FrameType::kWorking) {
      return fail(Code::kProtocol,
                  connection.link().peer().text() + " sent a frame that was not due");
    }
    if (progress) {
      wire::Reader reader(frame.payload.bytes(), "progress");
      const std::uint64_t done = reader.u64();
      const std::uint64_t total = reader.u64();
      TRY(reader.finish());
      progress(done, total);
    }
  }
}

Result<> StreamSender::send(MutableBytes payload) {
  WARIFU_CHECK(sent_ < shape_.frames && payload.size() == shape_.frame_length(sent_));
  if (sent_ % limits::kWindowFrames == 0) {
    TRY(connection_.grant_bulk(job_, shape_.window_bytes(sent_), shape_.window_frames(sent_),
                               keep_waiting_));
  }
  TRY(connection_.send_data(payload));
  ++sent_;
  if (sent_ % limits::kWindowFrames == 0 || sent_ == shape_.frames) {
    TRY(await_frame(connection_, FrameType::kAck, progress_));
    acknowledged_ = sent_;
  }
  return {};
}

Result<secret::Buffer> StreamReceiver::receive() {
  WARIFU_CHECK(!ack_due() && received_ < shape_.frames);
  TRY_ASSIGN(Frame frame, await_frame(connection_, FrameType::kData, progress_));
  if (frame.payload.size() != shape_.frame_length(received_)) {
    return fail(Code::kProtocol, connection_.link().peer().text() +
                                     " sent a data frame of another length than told");
  }
  ++received_;
  return std::move(frame.payload);
}

Result<> StreamReceiver::acknowledge() {
  WARIFU_CHECK(ack_due());
  TRY(connection_.send(FrameType::kAck, {}));
  acknowledged_ = received_;
  return {};
}

Result<> StreamReceiver::drain_window() {
  while (!ack_due() && received_ < shape_.frames) TRY(receive());
  return {};
}

}  // namespace warifu::channel
