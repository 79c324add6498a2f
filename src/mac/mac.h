// Universal hashing over GF(2^128): h_r(m_1..m_L) = sum m_i * r^(L+1-i), polynomial evaluation in
// which the last block too is multiplied by r (no constant term, so a delta on message and tag
// cannot be forged). Pr[h_r(m) + h_r(m') = c] <= L / 2^128 for m != m' and uniform r. Linear:
// h(a XOR b) = h(a) XOR h(b) for messages of equal block count. (Wegman & Carter 1981; den Boer
// 1993.)
//
// Field: x^128 + x^7 + x^2 + x + 1; bit i of the little-endian 128-bit number is the coefficient
// of x^i. Constant time: no branch and no address depends on key or message.
// The arithmetic is in kernels/, by the fastest variant of this machine; all give equal results.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "kernels/kernels.h"
#include "secret/secret.h"

namespace warifu::mac {

inline constexpr std::size_t kBlockBytes = 16;
using Tag = std::array<Byte, kBlockBytes>;

// An element of GF(2^128).
using Element = kernels::Element;

[[nodiscard]] Element load(const Byte* block16);
void store(Element element, Byte* block16);
[[nodiscard]] inline Element add(Element a, Element b) {
  return {a.low ^ b.low, a.high ^ b.high};
}
// Product in the field by the best variant of this machine.
[[nodiscard]] Element multiply(Element a, Element b);

// The hash key r with its powers, in the layout of the kernels; secret, in locked memory, wiped on
// destruction.
class Key {
 public:
  // `r` must be 16 bytes, uniform and secret.
  explicit Key(ByteView r);
  [[nodiscard]] const kernels::HashKey& prepared() const {
    return *reinterpret_cast<const kernels::HashKey*>(memory_.bytes().data());
  }

 private:
  secret::Buffer memory_;
};

// Evaluates the polynomial over a message given in pieces. Every piece but the last must be
// a multiple of 16 bytes; the last is padded with zeros, so the caller's first block must
// fix the length. `key` must outlive the hasher.
class Hasher {
 public:
  explicit Hasher(const Key& key) : sum_{&key.prepared(), {}} {}
  void update(ByteView piece);
  // The running sum, for a fused pass over whole blocks that come next.
  [[nodiscard]] kernels::BlockSum& running();
  [[nodiscard]] Tag finish() const;

 private:
  kernels::BlockSum sum_;
  bool ended_ = false;
};

// Two hashes at once over the two 128-bit lanes of 32-byte words: lane 0 takes the first 16 bytes
// of each word, lane 1 the last 16. Piece lengths must be multiples of 32.
class LaneHasher {
 public:
  explicit LaneHasher(const Key& key) : sums_{&key.prepared(), {}} {}
  // A whole number of blocks that go to lane 0 only (the prefix that names the chunk).
  void update_first_lane(ByteView blocks);
  void update(ByteView words);
  // The running sums, for a fused pass over whole words that come next.
  [[nodiscard]] kernels::LaneSums& running() { return sums_; }
  // 32 bytes: tag of lane 0, tag of lane 1.
  [[nodiscard]] std::array<Byte, 2 * kBlockBytes> finish() const;

 private:
  kernels::LaneSums sums_;
};

// h_r(message) in one call.
[[nodiscard]] Tag hash(const Key& key, ByteView message);

// out = h_r(message) XOR pad: a one-time tag. `pad` is 16 fresh bytes, never used again.
[[nodiscard]] Tag one_time_tag(const Key& key, ByteView message, ByteView pad);

// The kernels' variant on this machine: "portable", "avx2", "avx2+vpclmulqdq" or "neon".
[[nodiscard]] const char* variant_name();

}  // namespace warifu::mac
