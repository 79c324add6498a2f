// A deterministic generator of random bytes: AES-256 in counter mode under a key that is erased
// after every MiB ("fast key erasure", Bernstein 2017; NIST SP 800-90A has the same core as
// CTR_DRBG).
//
// What it gives is computational: whoever breaks AES-256, or learns the seed, knows the bytes. It
// is for bulk where the kernel's generator is too slow, never a replacement for true randomness.
//
// Invariants: the first key, and 32 bytes in every new one, come fresh from the seed source; a new
// key is taken from the generator's own stream XOR those bytes, so neither alone decides; a process
// that forks seeds anew in the child. A key serves at most kBytesPerKey bytes. Thread rule: one
// thread at a time.
#pragma once

#include <functional>
#include <memory>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::crypto {

class Drbg {
 public:
  static constexpr std::size_t kBytesPerKey = 1 << 20;
  static constexpr std::size_t kKeyBytes = 32;
  // Fills with uniform bytes, or aborts.
  using Seed = std::function<void(MutableBytes)>;

  explicit Drbg(Seed seed);
  ~Drbg();
  Drbg(const Drbg&) = delete;
  Drbg& operator=(const Drbg&) = delete;

  void fill(MutableBytes out);

 private:
  struct Stream;
  void stream_into(MutableBytes out);
  void new_key(bool from_own_stream);

  Seed seed_;
  std::unique_ptr<Stream> stream_;
  std::size_t left_ = 0;  // bytes that the present key may still give
  int process_ = 0;
};

}  // namespace warifu::crypto
