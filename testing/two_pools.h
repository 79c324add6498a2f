// The two ends of one pool, each on a simulated disk, driven by seeded steps and watched from
// outside.
//
// The driver plays what lies above the pools: intake at both ends, grants from the receiving end
// that arrive late, twice, in another order or never, frames (the receiving end takes only from
// grants which the sending end has accepted), orderly restarts, and the repair of segments after a
// crash. The sending end confirms a segment before the receiving end does.
//
// The outside ledger holds, for each end, every byte that was taken, and what every returned call
// promised. Violations are counted, not asserted, so that the same code runs the negative controls.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "keypool/pool.h"
#include "testing/bent_files.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::sim {

struct Violations {
  std::uint64_t overlaps = 0;   // takes that met a byte which this end had taken before
  std::uint64_t wrong = 0;      // takes of another value than the stream has there
  std::uint64_t mark_back = 0;  // a mark below one that a returned call had told
  std::uint64_t lost = 0;       // confirmed pad that is not there or cannot be read
  std::uint64_t wasted = 0;     // a mark beyond all that was ever asked for
  std::uint64_t refused = 0;    // a pool that does not open any more

  [[nodiscard]] std::uint64_t total() const {
    return overlaps + wrong + mark_back + lost + wasted + refused;
  }
  Violations& operator+=(const Violations& other);
};

struct Rules {
  std::uint64_t seed = 1;
  Lies lies;                      // of both disks
  MarkBends bends;                // of both ends
  bool takes_unaccepted = false;  // the receiving end does not wait for the other to accept: a bug
  // The sending end reads a share out of the stream on the receiving end's word, without accept():
  // a bug that shows when the receiving end is restored and grants the range again.
  bool draws_unaccepted = false;
  std::size_t largest_segment = 300;
};

// One end: its disk, its process, and what an outsider knows of it.
struct End {
  struct Held {
    keypool::Reservation reservation;
    std::uint64_t grant;
    keypool::Purpose purpose;
  };
  // In this order: what stands later goes first.
  std::unique_ptr<SimDisk> disk;
  std::unique_ptr<os::FileSystem> bent;
  std::unique_ptr<keypool::Pool> pool;
  std::vector<Held> held;

  keypool::Direction direction = keypool::Direction::kSend;
  std::vector<bool> taken;       // by offset
  std::uint64_t told_mark = 0;   // the highest that a returned call told
  std::uint64_t told_end = 0;    // likewise, of the synced stream
  std::uint64_t asked_mark = 0;  // the highest that any call was asked for

  [[nodiscard]] os::FileSystem& files() { return bent ? *bent : *disk; }
};

class TwoPools {
 public:
  // Both pools are there, durable, empty and open.
  explicit TwoPools(const Rules& rules);
  // Both ends lost power at this moment of `other`; neither is open yet.
  TwoPools(const TwoPools& other, std::uint64_t seed);
  ~TwoPools();
  TwoPools& operator=(const TwoPools&) = delete;

  // Steps until `count` are done or an end dies; returns the dead end or nullptr.
  End* live(std::uint64_t count);
  // What died leaves the memory; its disk stays to be imaged.
  void bury(End& end);
  // A new process on `image`, with `nested` crashes inside the recovery, the first at its
  // `first_at`-th change (0: anywhere). False: does not open.
  bool recover(End& end, std::unique_ptr<SimDisk> image, int nested, std::uint64_t first_at = 0);
  // The ends agree on their segments again; true when their streams end at the same place.
  bool repair();
  // The receiving end moves on to the sending end's mark (what a refused grant tells it to do).
  void catch_up(End& behind, const End& ahead);
  // The whole rest of the stream through both ends, as grants.
  void drain();
  // Takes everything that this end alone would hand out. Leaves the end buried.
  void drain_alone(End& end);
  // Recovers one image of `end` and drains it, on a copy of its ledger.
  void check_image(const End& end, std::unique_ptr<SimDisk> image, int nested,
                   std::uint64_t first_at = 0);

  [[nodiscard]] End& tx() { return tx_; }
  [[nodiscard]] End& rx() { return rx_; }
  [[nodiscard]] End& other(const End& end) { return &end == &tx_ ? rx_ : tx_; }
  [[nodiscard]] Violations& violations() { return violations_; }
  [[nodiscard]] std::uint64_t states() const { return states_; }  // images recovered so far
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }
  [[nodiscard]] std::uint64_t bytes_taken() const { return bytes_taken_; }
  [[nodiscard]] Dice& dice() { return dice_; }

  // Single actions, for tests that need them in an order of their own.
  void grow();
  void grant();
  void deliver();
  void take();
  void forget_grants() { told_.clear(); }
  [[nodiscard]] os::System system(End& end) { return {end.files(), clock_, random_}; }
  static std::string folder(const End& end);
  static ByteView root_key();
  // Enters one take into the ledger of `end`.
  void record(End& end, PadOffset begin, ByteView bytes);

 private:
  struct Grant {
    std::uint64_t id;
    PadOffset begin;
    ByteCount size;
    keypool::Purpose purpose;
  };
  void create(End& end);
  void step();
  void sync_pair(SegmentNumber number);
  void release();
  void restart(End& end);
  void burn();
  void quiet(End& end, const std::function<void()>& action);
  // Remembers what the pool tells about itself now.
  void note(End& end);
  void take_from(End& end, keypool::Reservation& reservation, std::size_t size,
                 keypool::Purpose purpose);

  Rules rules_;
  Dice dice_;
  SimClock clock_;
  SimRandom random_;
  Bytes stream_;  // the bytes by offset, from the first attempt to confirm them
  End tx_, rx_;
  std::vector<Grant> told_;  // every grant ever told: each may still arrive, any number of times
  std::set<std::uint64_t> accepted_;
  std::uint64_t next_grant_ = 0;
  Violations violations_;
  std::uint64_t states_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t bytes_taken_ = 0;
};

}  // namespace warifu::sim
