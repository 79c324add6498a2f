// Key streams for applications, in the manner of ETSI GS QKD 004: bulk key in order at both ends of
// a link (docs/kms.md).
//
// The source's site draws blocks of the link's key at both ends, durably marked in both pools
// before a byte is read, and both queue them for their application. It draws once both applications
// are there, and no further ahead of the slower one than that one has read already: a stream that
// takes little burns little. Anything that goes wrong between the sites ends a stream at once, and
// what was not given by then is burnt; so is everything when a site ends.
// Two blocks are under way at once, so that the ends draw side by side; they are queued in order.
// Ownership: what the constructor takes must outlive it. Thread-safe; two threads per stream at the
// source, one at the destination.
#pragma once

#include <atomic>
#include <map>
#include <thread>

#include "kme/key_manager.h"
#include "kme/key_stream.h"
#include "kme/sae_gate.h"
#include "kme/stream_message.h"

namespace warifu::kme {

// The way to other sites: the channel, or a test.
class StreamCarrier {
 public:
  virtual ~StreamCarrier() = default;
  // Draws `frames` frames of `frame_bytes` (a multiple of 16) of the link's key at both ends, burnt
  // for everything else; the far end gets `head` with them. Errors: kOutOfKey (nothing happened),
  // any other: the far end may have them.
  [[nodiscard]] virtual Result<DrawnFrames> draw(const SiteName& peer, const StreamBlockHead& head,
                                                 std::size_t frames, std::size_t frame_bytes) = 0;
  // May be told twice. Errors: the far end's, kUnavailable, kOutOfKey.
  [[nodiscard]] virtual Result<> tell(const SiteName& peer, StreamMethod method, Bytes body) = 0;
};

class KeyStreams {
 public:
  KeyStreams(os::System system, SiteName self, const SaeSettings& settings, KeyManager& keys,
             SaeGate& gate, StreamCarrier& carrier);
  ~KeyStreams() { stop(); }
  // Ends all streams and their threads; later calls fail.
  void stop();

  // --- what applications ask; `user` is the uid of the process at the socket ---
  [[nodiscard]] StreamOpenAnswer open(const StreamOpenRequest& request, std::uint32_t user);
  [[nodiscard]] std::expected<KeyStream::Chunk, StreamStatus> take(const StreamGetRequest& request,
                                                                   std::uint32_t user);
  [[nodiscard]] StreamStatus close(const KeyStreamId& id, std::uint32_t user);
  // Where requests that are turned away are told.
  [[nodiscard]] LogLimit& refusals() const { return gate_.refusals(); }
  // Whether any application of this site belongs to the user.
  [[nodiscard]] bool serves(std::uint32_t user) const;
  // What stands beside a chunk (docs/formats/material.md).
  [[nodiscard]] std::string metadata(const KeyStreamId& id, const KeyStream::Chunk& chunk) const;

  // --- what other sites ask ---
  // Errors: kRefused, kBusy (too many streams), kAlreadyExists.
  [[nodiscard]] Result<> take_opening(const SiteName& from, const StreamOpening& opening);
  // A block may come before the one that is due, and waits for it. Errors: kNotFound (no such
  // stream any more), kRefused (no block that may come now; the stream breaks).
  [[nodiscard]] Result<> take_block(const SiteName& from, const StreamBlockHead& head,
                                    DrawnFrames drawn);
  [[nodiscard]] Result<> take_note(const SiteName& from, const StreamNote& note);

  // --- for the operator ---
  struct Info {
    KeyStream::Terms terms;
    KeyStream::Progress progress;
    double seconds_left = 0;
  };
  [[nodiscard]] std::vector<Info> list() const;
  [[nodiscard]] const StreamSettings& settings() const { return settings_.streams; }

 private:
  struct Entry {
    explicit Entry(KeyStream::Terms terms) : stream(std::move(terms)) {}
    KeyStream stream;
    std::atomic<std::uint32_t> timeout_ms = 0;
    std::mutex block_mutex;            // of what follows
    std::uint64_t block = 0;           // is queued next
    std::optional<DrawnFrames> early;  // at the destination: the one after that
    // At the source:
    std::uint64_t next_order = 0;           // number of the block that is ordered next
    std::optional<std::uint64_t> given_up;  // number of an order before, that found no key
    std::uint64_t ordered_bytes = 0, drawn_bytes = 0;  // the difference is under way
    std::condition_variable turn;                      // `block` changed
    std::atomic<bool> over = false;                    // its thread has ended
    std::jthread thread;
  };
  struct BlockOrder {
    std::uint64_t number = 0, frames = 0, frame_bytes = 0;
    [[nodiscard]] std::uint64_t bytes() const { return frames * frame_bytes; }
  };
  using EntryPtr = std::shared_ptr<Entry>;

  bool belongs(const SaeEntry& sae, std::uint32_t user) const;
  const SaeEntry* own_sae(const std::string& id, std::uint32_t user) const;
  EntryPtr find(const KeyStreamId& id) const;
  // The stream, if its application here belongs to the user.
  std::expected<EntryPtr, StreamStatus> find_own(const KeyStreamId& id, std::uint32_t user) const;
  StreamOpenAnswer attach(Entry& entry, const StreamOpenRequest& request, std::uint32_t user);
  std::expected<StreamQos, StreamStatus> agree(const StreamOpenRequest& request, const Link& link,
                                               StreamQos& counter) const;
  // Errors: kBusy, kAlreadyExists.
  Result<EntryPtr> add(KeyStream::Terms terms);
  void drop(const KeyStreamId& id);
  void reap(std::vector<EntryPtr>& ended);
  StreamQos qos_of(const Entry& entry) const;

  // --- threads of streams, in stream_feeder.cc ---
  void start_thread(const EntryPtr& entry);
  void feed(Entry& entry);  // at the source
  void run_lane(Entry& entry, bool first);
  void follow(Entry& entry);  // at the destination
  bool is_running(Entry& entry);
  std::uint64_t room(const Entry& entry) const;
  Result<> order_block(Entry& entry, std::optional<BlockOrder>& order);
  Result<> draw_block(Entry& entry, const BlockOrder& order);
  void tell_end(Entry& entry);
  // What the far end was told last.
  struct Asked {
    std::chrono::nanoseconds last{};
    std::uint64_t starved = 0, told = 0;
  };
  void probe(Entry& entry, StreamNote::Kind kind, Asked& asked);
  Result<> tell(Entry& entry, StreamNote::Kind kind, std::uint64_t next);

  os::System system_;
  SiteName self_;
  const SaeSettings& settings_;
  KeyManager& keys_;
  SaeGate& gate_;
  StreamCarrier& carrier_;
  JobId job_;  // without a lease: jobs with one go first
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;
  std::map<KeyStreamId, EntryPtr> streams_;
  std::map<KeyStreamId, StreamStatus> ended_;  // what a later GET_KEY is told
  std::deque<KeyStreamId> ended_order_;
};

}  // namespace warifu::kme
