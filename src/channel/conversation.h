// Data frames in windows over a connection, for callers and handlers alike.
//
// The sender asks for pad for one window (32 frames), sends it, and goes on only after the receiver
// has acknowledged it; an acknowledgement says that everything up to here is durable there.
// The receiver owes an acknowledgement after every full window and after the last frame.
#pragma once

#include <functional>

#include "channel/connection.h"
#include "channel/message.h"

namespace warifu::channel {

// Progress of a long wait or handler at the far end: done and total bytes (0, 0 when unknown).
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
// Asked while key is awaited; false gives up with kOutOfKey.
using KeepWaiting = std::function<bool()>;

class StreamSender {
 public:
  StreamSender(Connection& connection, StreamShape shape, JobId job, KeepWaiting keep_waiting)
      : connection_(connection), shape_(shape), job_(job), keep_waiting_(std::move(keep_waiting)) {}

  // Sends the next frame; its length must be what the shape says. Encrypted in place. Waits for the
  // acknowledgement at the end of a window. Errors also: whatever the receiver answers instead.
  [[nodiscard]] Result<> send(MutableBytes payload);
  // Frames that the far end has made durable.
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] bool finished() const { return acknowledged_ == shape_.frames; }
  void on_working(Progress progress) { progress_ = std::move(progress); }

 private:
  Connection& connection_;
  StreamShape shape_;
  JobId job_;
  KeepWaiting keep_waiting_;
  Progress progress_;
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
};

class StreamReceiver {
 public:
  StreamReceiver(Connection& connection, StreamShape shape)
      : connection_(connection), shape_(shape) {}

  // The next frame, with its length checked against the shape. Must not be called while ack_due().
  [[nodiscard]] Result<secret::Buffer> receive();
  [[nodiscard]] bool ack_due() const {
    return received_ > acknowledged_ &&
           (received_ == shape_.frames || received_ - acknowledged_ == limits::kWindowFrames);
  }
  [[nodiscard]] Result<> acknowledge();
  // Reads and drops frames until an acknowledgement is due: an error can then take its place.
  [[nodiscard]] Result<> drain_window();
  [[nodiscard]] bool finished() const { return acknowledged_ == shape_.frames; }
  [[nodiscard]] const StreamShape& shape() const { return shape_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  void on_working(Progress progress) { progress_ = std::move(progress); }

 private:
  Connection& connection_;
  StreamShape shape_;
  Progress progress_;
  std::uint64_t received_ = 0;
  std::uint64_t acknowledged_ = 0;
};

// Waits for a frame of this type; progress frames are passed on, an error frame becomes the error.
[[nodiscard]] Result<Frame> await_frame(Connection& connection, FrameType wanted,
                                        const Progress& progress);

}  // namespace warifu::channel
