// One end of a key stream: chunks of drawn key in their order, each given to the application once.
//
// Key lives here in locked memory only; in the pools of both ends it is marked used before it comes
// here. So what a process that ends has not given is lost, and nothing is given twice.
// Invariants: a chunk has the same index and bytes at both ends; indices that were given or passed
// over never come back. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/limits.h"
#include "keypool/format.h"
#include "kme/stream_frames.h"
#include "os/system.h"
#include "secret/secret.h"

namespace warifu::kme {

// Chunks lie whole in the frames of a block, and frames of drawn key have multiples of 16 bytes.
inline constexpr std::uint32_t kChunkStep = 16;
inline constexpr std::uint32_t kMaxStreamChunk = limits::kMaxFramePayload;
[[nodiscard]] constexpr bool is_chunk_size(std::uint32_t bytes) {
  return bytes >= kChunkStep && bytes <= kMaxStreamChunk && bytes % kChunkStep == 0;
}

// Frames of key as both ends drew them.
struct DrawnFrames {
  std::vector<secret::Buffer> frames;
  std::set<keypool::Origin> origins;
};

class KeyStream {
 public:
  struct Terms {
    KeyStreamId id;
    std::string source, destination;  // applications
    SiteName peer;                    // the other end's site
    bool at_source = false;
    std::uint32_t chunk_bytes = 0;
    std::uint32_t max_bps = 0;          // 0: no limit
    std::chrono::nanoseconds opened{};  // os::Clock::monotonic()
    std::chrono::nanoseconds ends{};    // the same clock
  };
  enum class State : std::uint8_t { kOpen, kPeerClosed, kClosed, kBroken };

  // A chunk on its way to the application; wiped when it goes.
  class Chunk {
   public:
    Chunk(Chunk&& other) noexcept
        : frame_(std::move(other.frame_)),
          bytes_(std::exchange(other.bytes_, {})),
          index_(other.index_) {}
    Chunk& operator=(Chunk&&) = delete;
    ~Chunk() { secret::wipe(bytes_); }
    [[nodiscard]] std::uint32_t index() const { return index_; }
    [[nodiscard]] ByteView bytes() const { return bytes_; }
    [[nodiscard]] const std::set<keypool::Origin>& origins() const;
    [[nodiscard]] os::UnixMs drawn() const;

   private:
    friend class KeyStream;
    struct Frame;
    Chunk(std::shared_ptr<Frame> frame, MutableBytes bytes, std::uint32_t index)
        : frame_(std::move(frame)), bytes_(bytes), index_(index) {}
    std::shared_ptr<Frame> frame_;
    MutableBytes bytes_;
    std::uint32_t index_;
  };

  explicit KeyStream(Terms terms) : terms_(std::move(terms)) {}

  [[nodiscard]] const Terms& terms() const { return terms_; }
  // The application at this end.
  [[nodiscard]] const std::string& own() const {
    return terms_.at_source ? terms_.source : terms_.destination;
  }

  // Appends frames of whole chunks; dropped when the stream is not open any more.
  void put(DrawnFrames drawn, os::UnixMs now);
  // The chunk with this index, or the next one; later ones than the next pass the others over.
  // Waits for key, and for the peer application, up to `patience` of the real clock.
  [[nodiscard]] std::expected<Chunk, StreamStatus> take(std::uint32_t index,
                                                        std::chrono::milliseconds patience);

  void join();   // both applications are there
  void close();  // by the application here: what is left is burnt
  void peer_closed();
  void break_off();  // what is left is burnt
  // The far end has taken the chunks before `next`.
  void note_far_next(std::uint64_t next);
  // Until something changed, at most `limit`.
  void wait(std::chrono::milliseconds limit);

  struct Progress {
    State state = State::kOpen;
    bool joined = false;
    std::uint64_t next = 0;      // chunk that is given next
    std::uint64_t received = 0;  // chunks that came here
    std::uint64_t far_next = 0;  // at the source: as told last
    std::uint64_t starved = 0;   // takes that ended without a chunk
  };
  [[nodiscard]] Progress progress() const;

 private:
  using Frame = Chunk::Frame;
  // Gives the next chunk, or passes it over.
  Chunk pop();
  void end(State state);

  const Terms terms_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Progress progress_;
  std::deque<std::shared_ptr<Frame>> frames_;
  std::size_t used_ = 0;  // bytes of the first frame
};

}  // namespace warifu::kme
