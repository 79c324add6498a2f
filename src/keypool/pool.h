// A pool: the one-time bytes of one link and one direction at one end, as sealed segments on disk.
//
// The bytes form one endless stream. The durable mark divides it: everything below may have been
// used and is never handed out again; everything from the mark to synced_end is available.
//
// Key as share: a range that is reserved for it is handed out as the content of a share at both
// ends instead of as pad. It is marked by the same steps, so it is burnt for every other use; a
// reservation hands out either pads or share bytes, never both (but for its hash key).
//
// Order of one use (both ends): the receiving end reserve()s, which makes its mark durable; it
// tells the range to the sending end, which accept()s it, making its own mark durable; only then
// does either end read a byte. So after a crash, or a restored backup of one end, no byte is used
// twice.
//
// Invariants: the mark never goes back; a byte leaves through exactly one Pad; a segment that lies
// below the mark and under no live Reservation is forgotten (its key is dropped from the index).
// Ownership: a Pool holds the lock of its folder; Reservations must not outlive their Pool. Both
// belong to the process that opened the pool: a child of fork(), which shares lock and memory, is
// aborted when it reserves, accepts, takes or writes.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "base/limits.h"
#include "keypool/format.h"
#include "keypool/sweeper.h"
#include "keypool/trail.h"
#include "secret/pad.h"

namespace warifu::keypool {

class Pool;
class SegmentReader;

// What the reserved bytes are for. Bulk and shares may not touch the floor that keeps control
// messages and tags alive when data has eaten everything else.
// Random numbers are the one purpose of a local pool, and of no other.
enum class Purpose : std::uint8_t {
  kControl = 1,
  kBulk = 2,
  kShare = 3,
  kRandom = 4,
  kApplication = 5,  // raw key for applications of both sites; drawn as for shares
};
// Both ends take the bytes themselves, behind a hash key, and nothing is sealed with them.
[[nodiscard]] constexpr bool is_drawn(Purpose purpose) {
  return purpose == Purpose::kShare || purpose == Purpose::kApplication;
}

// A part of a range by the name that both ends know it under.
struct KeyPiece {
  SegmentNumber segment;
  ByteCount offset;  // inside the segment
  ByteCount length;
  Origin origin = Origin::kRateModel;
  bool operator==(const KeyPiece&) const = default;
};

// The first bytes of a range for shares are the hash key under which both ends compare the rest.
inline constexpr std::size_t kShareHashKeyBytes = 16;

// Is told of every range whose bytes leave a pool, never the bytes: for simulations of two ends.
class TakeWatcher {
 public:
  virtual ~TakeWatcher() = default;
  virtual void left(PadOffset begin, ByteCount size, Purpose purpose) = 0;
};

// A range of pad that is durably marked used and belongs to one holder, taken from the front.
class Reservation {
 public:
  Reservation() = default;
  ~Reservation();
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;

  [[nodiscard]] PadOffset begin() const { return at_; }
  [[nodiscard]] PadOffset end() const { return end_; }
  [[nodiscard]] Purpose purpose() const { return purpose_; }
  [[nodiscard]] bool is_at_start() const { return at_ == first_; }
  [[nodiscard]] std::uint64_t remaining() const { return end_.value - at_.value; }
  // Takes the next `size` bytes; at most remaining(). Of a range for shares only the hash key.
  // Errors: kCorrupt, kIo (the pool's files).
  [[nodiscard]] Result<secret::Pad> take(std::size_t size);
  // Fills `share` with the next bytes, which become part of a share; at most remaining(), only of
  // a range for shares and behind its hash key, or of random numbers. Errors as take().
  [[nodiscard]] Result<> draw(MutableBytes share);
  // Reads what remains, at most kSealBlockBytes, into locked memory: take() serves from there, and
  // the segments may be forgotten however long the holder lives. Errors as take(); the rest is then
  // burnt.
  [[nodiscard]] Result<> keep_in_memory();
  // The segments that begin() to end() lies in, in order; something must remain.
  [[nodiscard]] std::vector<KeyPiece> pieces() const;

 private:
  friend class Pool;
  Reservation(Pool* pool, PadOffset begin, PadOffset end, Purpose purpose)
      : pool_(pool), first_(begin), at_(begin), end_(end), purpose_(purpose) {}
  void release();

  Pool* pool_ = nullptr;
  PadOffset first_;
  PadOffset at_;
  PadOffset end_;
  Purpose purpose_ = Purpose::kControl;
  std::uint64_t token_ = 0;
  TakeWatcher* watcher_ = nullptr;
  int process_ = 0;
  Result<> copy_next(MutableBytes out);
  void tell_watcher(PadOffset begin) const;

  // The last block that was opened for a part of it, so that neighbouring frames do not open it
  // twice; blocks that a take covers whole are opened in place.
  secret::Buffer block_;
  PadOffset block_begin_;
  Bytes sealed_;  // room for the ciphertext of a block
};

struct PoolStatus {
  PadOffset mark;
  PadOffset synced_end;
  std::uint64_t available_bytes = 0;  // synced and not marked
  std::uint64_t ingested_bytes = 0;   // waiting for confirmation
  std::uint64_t quarantined_bytes = 0;
  std::uint64_t reserved_bytes = 0;         // in ranges that holders have now; below the mark
  std::optional<os::UnixMs> oldest_unused;  // when the segment of the next byte came in
  std::uint64_t payload_bytes = 0;
  std::uint64_t tag_bytes = 0;
  std::uint64_t hash_key_bytes = 0;
  std::uint64_t bulk_bytes = 0;
  std::uint64_t share_bytes = 0;        // became shares; not part of payload_bytes
  std::uint64_t application_bytes = 0;  // became keys of applications; not part of payload_bytes
  std::uint64_t discarded_bytes = 0;    // marked and never used: the cost of crashes and cut grants
  std::set<Origin> origins;             // of all material since the pool was opened
};

struct PoolOptions {
  // What only Purpose::kControl may take.
  std::uint64_t control_floor_bytes = limits::kControlFloorBytes;
  // How long no segment must have been forgotten before the files of forgotten ones are removed; 0:
  // each at once.
  std::chrono::milliseconds sweep_after{0};
  std::uint64_t trail_bytes = 0;   // most that the trail may fill (keypool/trail.h); 0: no trail
  TakeWatcher* watcher = nullptr;  // must outlive the pool and its reservations
};

class Pool {
 public:
  // Makes an empty pool in `dir`, which must not hold one. `root_key` seals the pool's own key.
  [[nodiscard]] static Result<> create(os::System system, const std::string& dir, LinkId link,
                                       Direction direction, ByteView root_key);
  // Opens and recovers. Errors: kNotFound, kBusy (another process has it), kCorrupt naming the
  // file.
  [[nodiscard]] static Result<std::unique_ptr<Pool>> open(os::System system, const std::string& dir,
                                                          ByteView root_key,
                                                          PoolOptions options = {});
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] LinkId link() const { return identity_.link; }
  [[nodiscard]] Direction direction() const { return identity_.direction; }
  [[nodiscard]] PoolStatus status() const;
  [[nodiscard]] std::vector<SegmentEntry> segments() const;

  // --- intake -------------------------------------------------------------------------------
  [[nodiscard]] SegmentNumber next_segment() const;
  // Writes a segment durably as INGESTED. `number` must be next_segment() or larger (the sending
  // end numbers; the receiving end follows). 1..kSegmentBytes bytes. Errors: kAlreadyExists,
  // kNoSpace, kIo. `parts` of a mixture: bit n for each origin n in it, besides `origin`, which it
  // is at least as good as.
  [[nodiscard]] Result<> ingest(SegmentNumber number, Origin origin, ByteView material,
                                std::uint16_t parts = 0);
  // Reads an INGESTED segment back (to compare both ends).
  [[nodiscard]] Result<secret::Buffer> read_ingested(SegmentNumber number);
  // INGESTED -> SYNCED at `base`, which must be the present synced_end; repeating is harmless.
  // Errors: kNotFound, kCorrupt when this end does not hold that key at that place.
  [[nodiscard]] Result<> mark_synced(SegmentNumber number, PadOffset base);
  // INGESTED -> QUARANTINED: the ends differ.
  [[nodiscard]] Result<> quarantine(SegmentNumber number);
  // Drops an INGESTED or QUARANTINED segment and its key.
  [[nodiscard]] Result<> discard(SegmentNumber number);
  // Brings this end to where the far end goes too: QUARANTINES synced segments that reach beyond
  // `end`, which becomes the end of the stream, and burns up to `mark`, at most `end`. Errors:
  // kBusy when key beyond `end` is used or held, kRefused when `end` lies beyond this end's stream.
  [[nodiscard]] Result<> align(const Alignment& alignment);

  // --- use ----------------------------------------------------------------------------------
  // Receiving end, or a local pool: reserves the next `size` bytes, durably. Errors: kOutOfKey.
  // `job`, here and below: for whom, as the trail tells it.
  [[nodiscard]] Result<Reservation> reserve(ByteCount size, Purpose purpose, const JobId& job = {});
  // Sending end: takes over what the peer reserved, durably. Errors: kRefused when the range lies
  // below the mark (the peer's state is older than ours), kOutOfKey when it is not synced here.
  [[nodiscard]] Result<Reservation> accept(PadOffset begin, ByteCount size,
                                           Purpose purpose = Purpose::kControl,
                                           const JobId& job = {});
  // Moves the mark forward to `mark`, durably, burning what lies between. Going back is no error.
  [[nodiscard]] Result<> burn_to(PadOffset mark);
  // Accounts what pad taken from here was used for; made durable with the next mark.
  struct Use {
    // Bytes; bulk is part of payload.
    std::uint64_t payload = 0, tag = 0, hash_key = 0, bulk = 0, share = 0, application = 0;
  };
  void record_use(const Use& use);
  // nullptr without one.
  [[nodiscard]] Trail* trail() { return trail_.get(); }
  // Makes the account durable now.
  [[nodiscard]] Result<> flush_account();
  // Waits until at least `size` bytes are available above `floor`, or the time is over.
  [[nodiscard]] bool wait_available(std::uint64_t size, std::chrono::milliseconds limit);

 private:
  friend class Reservation;
  struct Gap {
    PadOffset begin, end;
    std::chrono::nanoseconds noted{0};
  };
  struct Range {
    PadOffset begin, end;
  };

  Pool(os::System system, std::string dir, PoolOptions options)
      : system_(system),
        dir_(std::move(dir)),
        options_(options),
        process_(this_process()),
        sweeper_(system.files, options.sweep_after) {}
  static int this_process();
  Result<> recover(ByteView root_key);
  Result<> load_marks();
  Result<> renew_marks();
  Result<> write_mark(PadOffset mark);
  void tell(PadOffset begin, PadOffset end, TrailUse use, const JobId& job);
  // Makes `next` durable and then the index in memory.
  Result<> write_index(Index next);
  Result<> forget_used();
  Reservation make_reservation(PadOffset begin, PadOffset end, Purpose purpose);
  std::vector<KeyPiece> pieces(PadOffset begin, PadOffset end) const;
  void release(std::uint64_t token);
  // The block that holds `offset`, and where its plain bytes lie in the stream.
  struct Block {
    std::shared_ptr<SegmentReader> segment;
    std::uint32_t number = 0;
    PadOffset begin;
    std::size_t length = 0;
  };
  Result<Block> find_block(PadOffset offset);
  static SegmentEntry* find(Index& index, SegmentNumber number);
  Result<secret::Buffer> unwrap_key(const SegmentEntry& entry) const;
  [[nodiscard]] std::string segment_path(SegmentNumber number) const;

  os::System system_;
  std::string dir_;
  PoolOptions options_;
  std::unique_ptr<os::DirectoryLock> lock_;
  const int process_;  // that opened it
  Sweeper sweeper_;
  Identity identity_;
  secret::Buffer pool_key_;
  std::unique_ptr<os::File> mark_file_;
  std::unique_ptr<Trail> trail_;

  std::mutex intake_mutex_;  // held through an ingest(); taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Index index_;
  Mark mark_;
  std::set<Origin> origins_;
  std::vector<Gap> gaps_;  // skipped by accept() out of order; usable once, in this process only
  std::map<std::uint64_t, Range> live_;  // live reservations, by token
  std::uint64_t next_token_ = 1;
  std::map<std::uint64_t, std::shared_ptr<SegmentReader>> open_segments_;  // by number
};

}  // namespace warifu::keypool
