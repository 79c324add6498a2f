// Data frames in windows over a connection, for callers and handlers alike.
//
// The sender asks for pad window by window (32 frames), one window ahead where the key is there
// already; two windows may be on their way.
// Acknowledgements run one window behind: after the last frame of window n+1 the receiver
// acknowledges window n, so that it can write and sync n while n+1 arrives; after the last frame of
// the stream one acknowledgement covers everything. An acknowledgement says: durable here.
// Whoever fails instead sends its error in that place.
//
// Drawn streams (key as share) have the same frames, windows and acknowledgements; but both ends
// draw the frames' bytes from the link's key, and only a report per window travels. Nothing is
// handed up before the reports are equal.
#pragma once

#include <deque>
#include <functional>

#include "channel/connection.h"
#include "channel/drawn.h"
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
  // acknowledgement that is due. Errors also: whatever the receiver answers instead.
  [[nodiscard]] Result<> send(MutableBytes payload);
  // Of a drawn stream instead: fills `record` with what becomes the next frame at both ends.
  // Lengths, waits and errors as send(). The record is a share from here on: it must never be sent.
  [[nodiscard]] Result<> draw(MutableBytes record);
  // Where the key that was drawn came from.
  [[nodiscard]] const std::set<keypool::Origin>& drawn_origins() const { return drawn_origins_; }
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
  void check_next(std::size_t size, bool drawn) const;
  Result<> start_frame(std::size_t size);
  Result<> end_frame();
  Result<> ask_ahead();

  std::optional<DrawnWindow> window_;
  std::set<keypool::Origin> drawn_origins_;
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
};

class StreamReceiver {
 public:
  StreamReceiver(Connection& connection, StreamShape shape)
      : connection_(connection), shape_(shape) {}

  // The next frame, with its length checked against the shape; of a drawn stream the share bytes
  // that this end's pool holds. Must not be called while ack_due().
  [[nodiscard]] Result<secret::Buffer> receive();
  // The protocol's turn to acknowledge has come.
  [[nodiscard]] bool ack_due() const;
  // Leading frames of the stream that the next acknowledgement promises to be durable: the window
  // after those acknowledged already, or all when at most two windows are left. May be asked at any
  // time, so that writing can start while later frames arrive.
  [[nodiscard]] std::uint64_t due_frames() const;
  // Says that the leading due_frames() are durable here; only while ack_due().
  [[nodiscard]] Result<> acknowledge();
  // Frames acknowledged so far.
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  // Reads and drops frames until an acknowledgement is due: an error can then take its place.
  [[nodiscard]] Result<> drain_window();
  [[nodiscard]] bool finished() const { return acknowledged_ == shape_.frames; }
  [[nodiscard]] const StreamShape& shape() const { return shape_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  void on_working(Progress progress) { progress_ = std::move(progress); }

  // Where the key of a drawn stream came from.
  [[nodiscard]] const std::set<keypool::Origin>& drawn_origins() const { return drawn_origins_; }

 private:
  Result<> receive_window();

  Connection& connection_;
  StreamShape shape_;
  Progress progress_;
  std::deque<secret::Buffer> window_;  // drawn frames that both ends agree on
  std::set<keypool::Origin> drawn_origins_;
  std::uint64_t received_ = 0;
  std::uint64_t acknowledged_ = 0;
};

// Windows that may be on their way without an acknowledgement.
inline constexpr std::uint32_t kWindowsInFlight = 2;

// Waits for a frame of this type; progress frames are passed on, an error frame becomes the error.
[[nodiscard]] Result<Frame> await_frame(Connection& connection, FrameType wanted,
                                        const Progress& progress);

}  // namespace warifu::channel
