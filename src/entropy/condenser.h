// Conditioning: raw bytes of less than full entropy into fewer uniform ones, by a Toeplitz hash
// over GF(2) (ADR 0016 says why this one).
//
// The leftover hash lemma: if a block of raw bytes has min-entropy of at least 1024 + 2 * 100 bits
// whatever came before it, its 1024 bits of hash are within 2^-101 of uniform, for an adversary
// with any computer who knows the seed. The seed must be uniform and independent of the source; it
// is drawn once and serves for all blocks. Immutable after construction: thread-safe.
#pragma once

#include <functional>
#include <vector>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::entropy {

class Condenser {
 public:
  static constexpr std::size_t kOutBytes = 128;
  static constexpr unsigned kSecurityBits = 100;

  // Raw bytes for one block: the least multiple of 8 that holds enough min-entropy.
  [[nodiscard]] static std::size_t raw_bytes(double min_entropy_per_byte);

  // `seed` fills with uniform bytes.
  Condenser(double min_entropy_per_byte, const std::function<void(MutableBytes)>& seed);

  [[nodiscard]] std::size_t raw_bytes() const { return raw_words_ * 8; }
  // One block: raw_bytes() into kOutBytes. Bit k of the output is the parity of the raw bits i for
  // which bit i + k of the seed is set (bit n of bytes is bit n % 8 of byte n / 8). Time does not
  // depend on the bytes.
  void condense(ByteView raw, MutableBytes out) const;

 private:
  static constexpr std::size_t kOutWords = kOutBytes / 8;
  std::size_t raw_words_;
  std::size_t row_;                     // words of one shifted copy
  std::vector<std::uint64_t> shifted_;  // the seed shifted down by 0..63 bits
};

}  // namespace warifu::entropy
