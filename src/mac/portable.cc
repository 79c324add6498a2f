// Carry-less multiplication by integer multiplication with holes: bits are spread four apart so
// that carries fall into bits that are masked away (T. Pornin's construction). Constant time
// wherever 64-bit integer multiplication is.
#include "mac/mac.h"

namespace warifu::mac::internal {
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

struct Product {
  std::uint64_t low, high;
};

Product carryless(std::uint64_t x, std::uint64_t y) {
  return {carryless_low(x, y), reverse_bits(carryless_low(reverse_bits(x), reverse_bits(y))) >> 1};
}

// x * (x^7 + x^2 + x + 1) as 128 bits.
Product times_tail(std::uint64_t x) {
  return {x ^ (x << 1) ^ (x << 2) ^ (x << 7), (x >> 63) ^ (x >> 62) ^ (x >> 57)};
}

}  // namespace

Element multiply_portable(Element a, Element b) {
  const Product low = carryless(a.low, b.low);
  const Product high = carryless(a.high, b.high);
  const Product cross_a = carryless(a.low, b.high);
  const Product cross_b = carryless(a.high, b.low);
  const std::uint64_t p0 = low.low;
  std::uint64_t p1 = low.high ^ cross_a.low ^ cross_b.low;
  std::uint64_t p2 = high.low ^ cross_a.high ^ cross_b.high;
  const std::uint64_t p3 = high.high;
  const Product top = times_tail(p3);
  p1 ^= top.low;
  p2 ^= top.high;
  const Product next = times_tail(p2);
  return {p0 ^ next.low, p1 ^ next.high};
}

Element horner_portable(Element sum, const Element* powers, const Byte* blocks, std::size_t count,
                        std::size_t stride) {
  for (std::size_t i = 0; i < count; ++i) {
    sum = multiply_portable(add(sum, load(blocks + i * stride)), powers[0]);
  }
  return sum;
}

}  // namespace warifu::mac::internal
