// GF(2^8) combination on 64-bit words, eight field elements at a time: the eight products
// src * x^0 .. src * x^7 by shifts, and for every row the sum of those that its coefficient names.
#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/variants.h"

namespace warifu::kernels {
namespace {

// Every byte times x.
std::uint64_t times_x(std::uint64_t bytes) {
  constexpr std::uint64_t kTop = 0x8080808080808080;
  const std::uint64_t carries = (bytes & kTop) >> 7;
  return ((bytes & ~kTop) << 1) ^ (carries * 0x1B);
}

}  // namespace

void gf256_combine_tail(const Gf256Pass& pass, std::size_t from) {
  for (std::size_t at = from; at < pass.bytes; at += 8) {
    const std::size_t count = std::min<std::size_t>(8, pass.bytes - at);
    std::array<std::uint64_t, kGf256MaxRows> sums{};
    for (std::size_t i = 0; i < pass.source_count; ++i) {
      std::uint64_t shifted = 0;
      std::memcpy(&shifted, pass.sources[i] + at, count);
      for (unsigned bit = 0; bit < 8; ++bit) {
        for (std::size_t j = 0; j < pass.rows; ++j) {
          const std::uint64_t named = (pass.coefficients[j * pass.source_count + i] >> bit) & 1U;
          sums[j] ^= shifted & (0 - named);
        }
        shifted = times_x(shifted);
      }
    }
    for (std::size_t j = 0; j < pass.rows; ++j) std::memcpy(pass.outputs[j] + at, &sums[j], count);
  }
}

void gf256_combine_portable(const Gf256Pass& pass) {
  gf256_combine_tail(pass, 0);
}

}  // namespace warifu::kernels
