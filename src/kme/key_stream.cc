// The queue of one end.
#include "kme/key_stream.h"

#include <algorithm>

namespace warifu::kme {

struct KeyStream::Chunk::Frame {
  secret::Buffer bytes;
  std::set<keypool::Origin> origins;
  os::UnixMs drawn;
};

const std::set<keypool::Origin>& KeyStream::Chunk::origins() const {
  return frame_->origins;
}

os::UnixMs KeyStream::Chunk::drawn() const {
  return frame_->drawn;
}

void KeyStream::put(DrawnFrames drawn, os::UnixMs now) {
  const std::lock_guard lock(mutex_);
  if (progress_.state != State::kOpen) return;
  for (secret::Buffer& bytes : drawn.frames) {
    WARIFU_CHECK(!bytes.empty() && bytes.size() % terms_.chunk_bytes == 0);
    progress_.received += bytes.size() / terms_.chunk_bytes;
    frames_.push_back(std::make_shared<Frame>(Frame{std::move(bytes), drawn.origins, now}));
  }
  changed_.notify_all();
}

KeyStream::Chunk KeyStream::pop() {
  const std::shared_ptr<Frame> frame = frames_.front();
  Chunk chunk(frame, frame->bytes.bytes().subspan(used_, terms_.chunk_bytes),
              static_cast<std::uint32_t>(progress_.next));
  used_ += terms_.chunk_bytes;
  if (used_ == frame->bytes.size()) {
    frames_.pop_front();
    used_ = 0;
  }
  ++progress_.next;
  return chunk;
}

std::expected<KeyStream::Chunk, StreamStatus> KeyStream::take(std::uint32_t index,
                                                              std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (progress_.state == State::kClosed) return std::unexpected(StreamStatus::kNoStream);
    if (progress_.state == State::kBroken) return std::unexpected(StreamStatus::kNoConnection);
    const std::uint64_t wanted = index == kNextChunk ? progress_.next : index;
    if (wanted < progress_.next) return std::unexpected(StreamStatus::kChunkGone);
    if (progress_.joined) {
      while (!frames_.empty() && progress_.next < wanted) (void)pop();
      if (!frames_.empty()) {
        Chunk chunk = pop();
        changed_.notify_all();
        return chunk;
      }
    }
    if (progress_.state == State::kPeerClosed) {
      return std::unexpected(StreamStatus::kPeerNotConnected);
    }
    if (changed_.wait_until(lock, end) == std::cv_status::timeout &&
        std::chrono::steady_clock::now() >= end) {
      ++progress_.starved;
      changed_.notify_all();
      return std::unexpected(progress_.joined ? StreamStatus::kInsufficientKey
                                              : StreamStatus::kPeerNotConnected);
    }
  }
}

void KeyStream::join() {
  const std::lock_guard lock(mutex_);
  progress_.joined = true;
  changed_.notify_all();
}

void KeyStream::end(State state) {
  frames_.clear();
  used_ = 0;
  progress_.state = state;
  changed_.notify_all();
}

void KeyStream::close() {
  const std::lock_guard lock(mutex_);
  if (progress_.state != State::kBroken) end(State::kClosed);
}

void KeyStream::peer_closed() {
  const std::lock_guard lock(mutex_);
  if (progress_.state == State::kOpen) progress_.state = State::kPeerClosed;
  changed_.notify_all();
}

void KeyStream::break_off() {
  const std::lock_guard lock(mutex_);
  if (progress_.state != State::kClosed) end(State::kBroken);
}

void KeyStream::note_far_next(std::uint64_t next) {
  const std::lock_guard lock(mutex_);
  // May be told before the block is here, which it is about.
  progress_.far_next = std::max(progress_.far_next, next);
  changed_.notify_all();
}

void KeyStream::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  (void)changed_.wait_for(lock, limit);
}

KeyStream::Progress KeyStream::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

}  // namespace warifu::kme
