// GF(2^8) combination on 64-bit words, eight field elements in each: the eight products
// src * x^0 .. src * x^7 by shifts, and for every row the sum of those that its coefficient names.
#include <algorithm>
#include <cstring>

#include "kernels/variants.h"

namespace warifu::kernels {
namespace {

// Words that are taken together, so that a compiler may use whatever registers it has.
constexpr std::size_t kWords = 8;
struct Words {
  std::uint64_t at[kWords];
};

// Every byte times x.
void times_x(Words& words) {
  constexpr std::uint64_t kTop = 0x8080808080808080;
  for (std::uint64_t& word : words.at) {
    const std::uint64_t carries = (word & kTop) >> 7;
    word = ((word & ~kTop) << 1) ^ (carries * 0x1B);
  }
}

}  // namespace

void gf256_combine_tail(const Gf256Pass& pass, std::size_t from) {
  for (std::size_t at = from; at < pass.bytes; at += sizeof(Words)) {
    const std::size_t count = std::min(sizeof(Words), pass.bytes - at);
    Words sums[kGf256MaxRows] = {};
    for (std::size_t i = 0; i < pass.source_count; ++i) {
      Words shifted{};
      std::memcpy(&shifted, pass.sources[i] + at, count);
      for (unsigned bit = 0; bit < 8; ++bit) {
        for (std::size_t j = 0; j < pass.rows; ++j) {
          // Coefficients are public.
          if (((pass.coefficients[j * pass.source_count + i] >> bit) & 1U) == 0) continue;
          for (std::size_t w = 0; w < kWords; ++w) sums[j].at[w] ^= shifted.at[w];
        }
        times_x(shifted);
      }
    }
    for (std::size_t j = 0; j < pass.rows; ++j) std::memcpy(pass.outputs[j] + at, &sums[j], count);
  }
}

void gf256_combine_portable(const Gf256Pass& pass) {
  gf256_combine_tail(pass, 0);
}

}  // namespace warifu::kernels
