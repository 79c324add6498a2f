// Windows of data frames.
#include "channel/conversation.h"

#include "wire/wire.h"

namespace warifu::channel {

namespace {

// What may come where something else is awaited: progress, which is passed on, or an error.
Result<> pass_over(Connection& connection, const Frame& frame, const Progress& progress) {
  if (frame.type == FrameType::kError) {
    return std::unexpected(decode_error(frame.payload.bytes(), connection.link().peer()));
  }
  if (frame.type != FrameType::kWorking) {
    return fail(Code::kProtocol,
                connection.link().peer().text() + " sent a frame that was not due");
  }
  if (!progress) return {};
  wire::Reader reader(frame.payload.bytes(), "progress");
  const std::uint64_t done = reader.u64();
  const std::uint64_t total = reader.u64();
  TRY(reader.finish());
  progress(done, total);
  return {};
}

// Frames that the acknowledgement after `acknowledged` promises.
std::uint64_t next_promise(const StreamShape& shape, std::uint64_t acknowledged) {
  constexpr std::uint64_t kInFlight = std::uint64_t{kWindowsInFlight} * limits::kWindowFrames;
  if (shape.frames - acknowledged <= kInFlight) return shape.frames;
  return acknowledged + limits::kWindowFrames;
}

// What a drawn stream takes key for.
keypool::Purpose purpose_of(const StreamShape& shape) {
  return shape.application ? keypool::Purpose::kApplication : keypool::Purpose::kShare;
}

// True after frame `done`-1 when the receiver's turn to acknowledge has come.
bool is_ack_due(const StreamShape& shape, std::uint64_t done, std::uint64_t acknowledged) {
  if (done == shape.frames) return acknowledged < done;
  return done - acknowledged == std::uint64_t{kWindowsInFlight} * limits::kWindowFrames;
}

}  // namespace

Result<Frame> await_frame(Connection& connection, FrameType wanted, const Progress& progress) {
  for (;;) {
    TRY_ASSIGN(Frame frame, connection.receive());
    if (frame.type == wanted) return frame;
    TRY(pass_over(connection, frame, progress));
  }
}

void StreamSender::check_next(std::size_t size, bool drawn) const {
  WARIFU_CHECK(shape_.drawn == drawn && sent_ < shape_.frames &&
               size == shape_.frame_length(sent_));
}

Result<> StreamSender::start_frame(std::size_t size) {
  check_next(size, false);
  if (sent_ % limits::kWindowFrames != 0) return {};
  return connection_.grant_bulk(job_, shape_.window_bytes(sent_), shape_.window_frames(sent_),
                                keep_waiting_);
}

// In the middle of a window its successor's pad is asked for: the marks of that range become
// durable at both ends while frames are still on their way.
Result<> StreamSender::ask_ahead() {
  if (shape_.drawn || sent_ % limits::kWindowFrames != limits::kWindowFrames / 2) return {};
  const std::uint64_t next = sent_ + limits::kWindowFrames / 2;
  if (next >= shape_.frames) return {};
  return connection_.ask_bulk_ahead(job_, shape_.window_bytes(next), shape_.window_frames(next));
}

Result<> StreamSender::end_frame() {
  ++sent_;
  TRY(ask_ahead());
  if (!is_ack_due(shape_, sent_, acknowledged_)) return {};
  TRY(await_frame(connection_, FrameType::kAck, progress_));
  acknowledged_ = next_promise(shape_, acknowledged_);
  return {};
}

Result<> StreamSender::send(MutableBytes payload) {
  TRY(start_frame(payload.size()));
  TRY(connection_.send_data(payload));
  return end_frame();
}

Result<> StreamSender::draw(MutableBytes record) {
  check_next(record.size(), true);
  if (sent_ % limits::kWindowFrames == 0) {
    TRY_ASSIGN(auto range, connection_.grant_drawn(purpose_of(shape_), job_,
                                                   shape_.window_bytes(sent_), keep_waiting_));
    TRY_ASSIGN(auto window, DrawnWindow::start(connection_.link().send(), std::move(range)));
    drawn_origins_.insert(window.origins().begin(), window.origins().end());
    window_.emplace(std::move(window));
  }
  TRY(window_->draw(record));
  const std::uint64_t first = sent_ / limits::kWindowFrames * limits::kWindowFrames;
  const std::uint64_t frames = shape_.window_frames(first);
  if (sent_ + 1 == first + frames) {
    Bytes report = window_->report(first, static_cast<std::uint32_t>(frames));
    window_.reset();
    TRY(connection_.send(FrameType::kDrawn, report));
  }
  return end_frame();
}

// Draws here what the far end drew there, and compares before a byte is handed up.
Result<> StreamReceiver::receive_window() {
  TRY_ASSIGN(const Frame theirs, await_frame(connection_, FrameType::kDrawn, progress_));
  keypool::Reservation range = connection_.take_share_range();
  const std::uint64_t frames = shape_.window_frames(received_);
  const std::uint64_t size = shape_.window_bytes(received_) + keypool::kShareHashKeyBytes;
  if (range.remaining() != size || range.purpose() != purpose_of(shape_)) {
    return connection_.break_off("a window of drawn key is not what was granted");
  }
  keypool::Pool& pool = connection_.link().receive();
  TRY_ASSIGN(DrawnWindow window, DrawnWindow::start(pool, std::move(range)));
  std::deque<secret::Buffer> drawn;
  for (std::uint64_t i = 0; i < frames; ++i) {
    drawn.emplace_back(shape_.frame_length(received_ + i));
    TRY(window.draw(drawn.back().bytes()));
  }
  const Bytes ours = window.report(received_, static_cast<std::uint32_t>(frames));
  if (!secret::equal(ours, theirs.payload.bytes())) {
    return connection_.break_off("the two ends hold different key at " +
                                 std::to_string(window.begin().value) +
                                 " of the stream; nothing is made from it");
  }
  drawn_origins_.insert(window.origins().begin(), window.origins().end());
  window_ = std::move(drawn);
  return {};
}

Result<secret::Buffer> StreamReceiver::receive() {
  WARIFU_CHECK(!ack_due() && received_ < shape_.frames);
  if (shape_.drawn) {
    if (window_.empty()) TRY(receive_window());
    secret::Buffer frame = std::move(window_.front());
    window_.pop_front();
    ++received_;
    return frame;
  }
  TRY_ASSIGN(Frame frame, await_frame(connection_, FrameType::kData, progress_));
  if (frame.payload.size() != shape_.frame_length(received_)) {
    return connection_.break_off("a data frame has another length than told");
  }
  ++received_;
  return std::move(frame.payload);
}

bool StreamReceiver::ack_due() const {
  return is_ack_due(shape_, received_, acknowledged_);
}

std::uint64_t StreamReceiver::due_frames() const {
  return next_promise(shape_, acknowledged_);
}

Result<> StreamReceiver::acknowledge() {
  WARIFU_CHECK(ack_due());
  TRY(connection_.send(FrameType::kAck, {}));
  acknowledged_ = due_frames();
  return {};
}

Result<> StreamReceiver::drain_window() {
  while (!ack_due() && received_ < shape_.frames) TRY(receive());
  return {};
}

}  // namespace warifu::channel
