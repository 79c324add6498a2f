// A site's random numbers for shares, each with its origin: from the random pool that its operator
// or its sources (random_filler.h) filled, or from a generator.
//
// The pool in DIR/pools/random has the files and rules of a link's pool (keypool), with one end
// only: a range is durably marked used before a byte of it is read, so no byte serves twice,
// whatever crashes. Ranges are reserved some MiB at a time and held in this process; what is left
// of one when the process ends is burnt.
//
// Where sources fill the pool, nothing else ever takes their place: a fill waits for them, and
// fails with their reason. A source that failed a test stops every fill, because what it gave
// before may have been weak already; one that is merely gone stops only what the pool does not
// hold. Ownership: the source owns the pool and its lock. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "crypto/drbg.h"
#include "entropy/mixer.h"
#include "keypool/entropy.h"
#include "keypool/pool.h"
#include "kme/switches.h"

namespace warifu::kme {

// [random] source of the site configuration.
enum class RandomFrom : std::uint8_t {
  kKernel,        // "kernel": the generator only
  kPool,          // "pool": the pool only; nothing is cut when it is empty
  kPoolOrKernel,  // "pool-or-kernel": the generator when the pool does not hold enough
  kSources,       // [[random.source]]: the pool, which the sources fill
};
// Errors: kInvalidArgument unless one of the three texts.
[[nodiscard]] Result<RandomFrom> parse_random_from(std::string_view text);
[[nodiscard]] std::string_view random_from_name(RandomFrom from);

// Who takes numbers: each may be switched to another source (switches.h), except where sources fill
// the pool.
enum class RandomUse : std::uint8_t {
  kSharing,       // cuts of objects and of shares
  kApplications,  // keys and numbers for applications at this site
  kRelaying,      // key of relayed links
};
inline constexpr RandomUse kRandomUses[] = {RandomUse::kSharing, RandomUse::kApplications,
                                            RandomUse::kRelaying};
// "sharing", "applications" or "relaying".
[[nodiscard]] std::string_view random_use_name(RandomUse use);

// What an operator may say of a file of random bytes: "hardware" or "preshared". Errors:
// kInvalidArgument.
[[nodiscard]] Result<keypool::Origin> parse_random_origin(std::string_view text);

class RandomSource {
 public:
  // Opens the random pool of a site in `dir`, if there is one. `sweep_after`: keypool::PoolOptions.
  // Errors: kBusy, kCorrupt.
  [[nodiscard]] static Result<std::unique_ptr<RandomSource>> open(
      os::System system, const std::string& dir, ByteView root_key, RandomFrom from,
      std::chrono::milliseconds sweep_after = keypool::kSweepAfter);
  ~RandomSource();

  // Before it is used: whose switches it heeds. They must outlive it.
  void follow(const Switches& switches) { switches_ = &switches; }
  // Where numbers for this use come from now.
  [[nodiscard]] RandomFrom from(RandomUse use) const;

  // Fills with uniform bytes and tells what they were made of. Either all bytes come from the pool
  // or none. Errors: kOutOfKey when the pool must serve and does not hold enough; kRefused or
  // kUnavailable with the reason of the sources; kCancelled after stop(); kCorrupt, kIo.
  [[nodiscard]] Result<keypool::Entropy> fill(MutableBytes out,
                                              RandomUse use = RandomUse::kSharing);

  // Takes a file of random bytes into the pool, making the pool when there is none. Errors:
  // kInvalidArgument (empty file), kNoSpace, kIo; an interrupted import leaves what was taken in.
  [[nodiscard]] Result<std::uint64_t> import(const std::string& path, keypool::Origin origin);

  // --- filling from sources (kSources only) ---
  // Takes a batch into the pool, making the pool when there is none. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> add(const entropy::Batch& batch);
  // What the filler says of its sources after each round; until the first word fills wait.
  void note_supply(const Result<>& supply);
  // Whether somebody waits for numbers.
  [[nodiscard]] bool is_awaited() const;
  // Waiting fills end, later ones fail.
  void stop();

  struct Status {
    RandomFrom from = RandomFrom::kPoolOrKernel;  // as configured
    std::uint64_t available_bytes = 0;            // in the pool, reserved by this process included
    std::uint64_t used_bytes = 0;                 // of the pool, since it was made
    std::set<keypool::Origin> origins;            // what the numbers are at least as good as
    std::set<keypool::Origin> parts;              // what went into those that the pool still holds
    std::string problem;                          // why the sources give nothing; empty: they do
  };
  [[nodiscard]] Status status() const;

 private:
  RandomSource(os::System system, std::string dir, RandomFrom from);
  Result<> open_pool(ByteView root_key);
  Result<> make_pool();
  Result<> take_in(keypool::Origin origin, ByteView bytes, std::uint16_t parts);
  [[nodiscard]] std::uint64_t available() const;
  Result<> wait_for_sources(std::uint64_t size, std::unique_lock<std::mutex>& lock);
  Result<keypool::Entropy> take_from_pool(MutableBytes out);

  os::System system_;
  std::string dir_;
  RandomFrom from_;
  const Switches* switches_ = nullptr;
  std::chrono::milliseconds sweep_after_ = keypool::kSweepAfter;
  mutable std::mutex mutex_;
  secret::Buffer root_key_;
  std::unique_ptr<keypool::Pool> pool_;
  keypool::Reservation held_;
  crypto::Drbg generator_;

  std::condition_variable changed_;
  std::optional<Result<>> supply_;  // the filler's last word
  unsigned waiting_ = 0;
  bool stopping_ = false;
};

}  // namespace warifu::kme
