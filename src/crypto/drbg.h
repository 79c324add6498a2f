// A generator of random numbers at memory speed: AES-256 in counter mode with fast key erasure.
//
// Every fill() takes the keystream of the present key: its first 32 bytes become the next key, the
// rest is handed out, so what was handed out cannot be computed from a later state. Computational:
// whoever breaks AES-256 breaks what was made from it, and whoever uses it says so. (Bernstein
// 2017, "Fast-key-erasure random-number generators"; NIST SP 800-38A for the mode.)
//
// The state is secret, locked and wiped. One thread at a time; each thread seeds its own.
#pragma once

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::crypto {

inline constexpr std::size_t kDrbgSeedBytes = 32;

class Drbg {
 public:
  // `seed` is kDrbgSeedBytes uniform, secret bytes, used for this generator only.
  explicit Drbg(ByteView seed);
  // Fills with output that was never handed out before.
  void fill(MutableBytes out);

 private:
  secret::Buffer key_;
};

}  // namespace warifu::crypto
