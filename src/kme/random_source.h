// A site's random numbers for shares, each with its origin: from the random pool that its operator
// filled, or from a generator.
//
// The pool in DIR/pools/random has the files and rules of a link's pool (keypool), with one end
// only: a range is durably marked used before a byte of it is read, so no byte serves twice,
// whatever crashes. Ranges are reserved some MiB at a time and held in this process; what is left
// of one when the process ends is burnt. Ownership: the source owns the pool and its lock.
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "crypto/drbg.h"
#include "keypool/entropy.h"
#include "keypool/pool.h"

namespace warifu::kme {

// [random] source of the site configuration.
enum class RandomFrom : std::uint8_t {
  kKernel,        // "kernel": the generator only
  kPool,          // "pool": the pool only; nothing is cut when it is empty
  kPoolOrKernel,  // "pool-or-kernel": the generator when the pool does not hold enough
};
// Errors: kInvalidArgument unless one of the three.
[[nodiscard]] Result<RandomFrom> parse_random_from(std::string_view text);
[[nodiscard]] std::string_view random_from_name(RandomFrom from);
// What an operator may say of a file of random bytes: "hardware" or "preshared". Errors:
// kInvalidArgument.
[[nodiscard]] Result<keypool::Origin> parse_random_origin(std::string_view text);

class RandomSource {
 public:
  // Opens the random pool of a site in `dir`, if there is one. Errors: kBusy, kCorrupt.
  [[nodiscard]] static Result<std::unique_ptr<RandomSource>> open(os::System system,
                                                                  const std::string& dir,
                                                                  ByteView root_key,
                                                                  RandomFrom from);
  ~RandomSource();

  // Fills with uniform bytes and tells what they were made of. Either all bytes come from the pool
  // or none. Errors: kOutOfKey when the pool must serve and does not hold enough; kCorrupt, kIo.
  [[nodiscard]] Result<keypool::Entropy> fill(MutableBytes out);

  // Takes a file of random bytes into the pool, making the pool when there is none. Errors:
  // kInvalidArgument (empty file), kNoSpace, kIo; an interrupted import leaves what was taken in.
  [[nodiscard]] Result<std::uint64_t> import(const std::string& path, keypool::Origin origin);

  struct Status {
    RandomFrom from = RandomFrom::kPoolOrKernel;
    std::uint64_t available_bytes = 0;  // in the pool, reserved by this process included
    std::uint64_t used_bytes = 0;       // of the pool, since it was made
    std::set<keypool::Origin> origins;
  };
  [[nodiscard]] Status status() const;

 private:
  RandomSource(os::System system, std::string dir, RandomFrom from);
  Result<> open_pool(ByteView root_key);
  Result<keypool::Entropy> take_from_pool(MutableBytes out);

  os::System system_;
  std::string dir_;
  RandomFrom from_;
  mutable std::mutex mutex_;
  secret::Buffer root_key_;
  std::unique_ptr<keypool::Pool> pool_;
  keypool::Reservation held_;
  crypto::Drbg generator_;
};

}  // namespace warifu::kme
