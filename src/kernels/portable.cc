// The variant that every machine runs: 64-bit integers only.
//
// Carry-less multiplication by integer multiplication with holes: bits are spread four apart so
// that carries fall into bits that are masked away (T. Pornin's construction). Constant time
// wherever 64-bit integer multiplication is.
#include <cstring>

#include "kernels/variants.h"

#define WARIFU_TARGET

namespace warifu::kernels {
namespace {

// Low 64 bits of the carry-less product.
std::uint64_t carryless_low(std::uint64_t x, std::uint64_t y) {
  constexpr std::uint64_t kMask0 = 0x1111111111111111;
  constexpr std::uint64_t kMask1 = 0x2222222222222222;
  constexpr std::uint64_t kMask2 = 0x4444444444444444;
  constexpr std::uint64_t kMask3 = 0x8888888888888888;
  const std::uint64_t x0 = x & kMask0, x1 = x & kMask1, x2 = x & kMask2, x3 = x & kMask3;
  const std::uint64_t y0 = y & kMask0, y1 = y & kMask1, y2 = y & kMask2, y3 = y & kMask3;
  const std::uint64_t z0 = (x0 * y0) ^ (x1 * y3) ^ (x2 * y2) ^ (x3 * y1);
  const std::uint64_t z1 = (x0 * y1) ^ (x1 * y0) ^ (x2 * y3) ^ (x3 * y2);
  const std::uint64_t z2 = (x0 * y2) ^ (x1 * y1) ^ (x2 * y0) ^ (x3 * y3);
  const std::uint64_t z3 = (x0 * y3) ^ (x1 * y2) ^ (x2 * y1) ^ (x3 * y0);
  return (z0 & kMask0) | (z1 & kMask1) | (z2 & kMask2) | (z3 & kMask3);
}

std::uint64_t reverse_bits(std::uint64_t x) {
  x = ((x & 0x5555555555555555) << 1) | ((x >> 1) & 0x5555555555555555);
  x = ((x & 0x3333333333333333) << 2) | ((x >> 2) & 0x3333333333333333);
  x = ((x & 0x0F0F0F0F0F0F0F0F) << 4) | ((x >> 4) & 0x0F0F0F0F0F0F0F0F);
  return __builtin_bswap64(x);
}

Element carryless(std::uint64_t x, std::uint64_t y) {
  return {carryless_low(x, y), reverse_bits(carryless_low(reverse_bits(x), reverse_bits(y))) >> 1};
}

// x * (x^7 + x^2 + x + 1) as 128 bits.
Element times_tail(std::uint64_t x) {
  return {x ^ (x << 1) ^ (x << 2) ^ (x << 7), (x >> 63) ^ (x >> 62) ^ (x >> 57)};
}

Element multiply_portable(Element a, Element b) {
  const Element low = carryless(a.low, b.low);
  const Element high = carryless(a.high, b.high);
  const Element inner = carryless(a.low ^ a.high, b.low ^ b.high);  // Karatsuba
  const std::uint64_t p1 = low.high ^ inner.low ^ low.low ^ high.low;
  const std::uint64_t p2 = high.low ^ inner.high ^ low.high ^ high.high;
  const Element top = times_tail(high.high);
  const Element next = times_tail(p2 ^ top.high);
  return {low.low ^ next.low, p1 ^ top.low ^ next.high};
}

// clang-format off: each needs the one before
#include "kernels/linear_body.h"
#include "kernels/hash_body.h"
// clang-format on

struct Word {
  std::uint64_t limb[4];  // lane 1 = limbs 0, 1; lane 2 = limbs 2, 3
};

// Horner's rule, block by block: nothing to gather and nothing to put off.
void absorb(Element& sum, const HashKey& key, std::uint64_t low, std::uint64_t high) {
  sum = multiply_portable({sum.low ^ low, sum.high ^ high}, key.descending[kHashPowers - 1]);
}

struct HornerBlocks {
  BlockSum& out;
  explicit HornerBlocks(BlockSum& start) : out(start) {}
  void word(const Word& word) {
    absorb(out.sum, *out.key, word.limb[0], word.limb[1]);
    absorb(out.sum, *out.key, word.limb[2], word.limb[3]);
  }
  template <bool kFirst>
  void pair(const Word& first, const Word& second, std::size_t) {
    word(first);
    word(second);
  }
  template <bool kFirst>
  void one(const Word& only, std::size_t, std::size_t) {
    word(only);
  }
  void reduce() {}
  void finish() {}
};

struct HornerLanes {
  LaneSums& out;
  explicit HornerLanes(LaneSums& start) : out(start) {}
  void word(const Word& word) {
    absorb(out.sum[0], *out.key, word.limb[0], word.limb[1]);
    absorb(out.sum[1], *out.key, word.limb[2], word.limb[3]);
  }
  template <bool kFirst>
  void pair(const Word& first, const Word& second, std::size_t) {
    word(first);
    word(second);
  }
  template <bool kFirst>
  void one(const Word& only, std::size_t, std::size_t) {
    word(only);
  }
  void reduce() {}
  void finish() {}
};

struct Portable {
  using Word = kernels::Word;
  using Blocks = HornerBlocks;
  using Lanes = HornerLanes;
  static Word load(const Byte* at) {
    Word word;
    std::memcpy(&word, at, kWordBytes);
    return word;
  }
  template <bool kStream>
  static void store(Byte* at, const Word& word) {
    std::memcpy(at, &word, kWordBytes);
  }
  static Word add(const Word& x, const Word& y) {
    return {{x.limb[0] ^ y.limb[0], x.limb[1] ^ y.limb[1], x.limb[2] ^ y.limb[2],
             x.limb[3] ^ y.limb[3]}};
  }
  // w (s1, s2) = (s2, s1 + s2); w^2 (s1, s2) = (s1 + s2, s1).
  template <Factor kFactor>
  static Word times(const Word& s) {
    if constexpr (kFactor == Factor::kOne) return s;
    const std::uint64_t sum[2] = {s.limb[0] ^ s.limb[2], s.limb[1] ^ s.limb[3]};
    if constexpr (kFactor == Factor::kW) return {{s.limb[2], s.limb[3], sum[0], sum[1]}};
    return {{sum[0], sum[1], s.limb[0], s.limb[1]}};
  }
  static void fence() {}
  static Element multiply(Element a, Element b) { return multiply_portable(a, b); }
};

#include "kernels/fused_body.h"

}  // namespace

const Kernels* portable_kernels() {
  static constexpr Kernels kTable = make_table<Portable>("portable", gf256_combine_portable);
  return &kTable;
}

}  // namespace warifu::kernels
