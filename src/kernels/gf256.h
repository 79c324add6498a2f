// GF(2^8) = GF(2)[x] / (x^8 + x^4 + x^3 + x + 1), the field 0x11B of AES (FIPS 197, section 4).
//
// Arithmetic on single PUBLIC elements (coefficients, evaluation points); bulk data goes through
// Kernels::gf256_combine. Nothing here may be given a secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace warifu::kernels {

inline constexpr unsigned kGf256Polynomial = 0x11B;

[[nodiscard]] constexpr std::uint8_t gf256_multiply(std::uint8_t a, std::uint8_t b) {
  unsigned product = 0;
  unsigned shifted = a;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if (((b >> bit) & 1U) != 0) product ^= shifted;
    shifted <<= 1;
    if ((shifted & 0x100U) != 0) shifted ^= kGf256Polynomial;
  }
  return static_cast<std::uint8_t>(product);
}

// 1 / a = a^254; 0 for a = 0.
[[nodiscard]] constexpr std::uint8_t gf256_inverse(std::uint8_t a) {
  std::uint8_t power = a;
  std::uint8_t result = 1;
  for (int bit = 1; bit < 8; ++bit) {
    power = gf256_multiply(power, power);
    result = gf256_multiply(result, power);
  }
  return result;
}

// Products of a coefficient with every low nibble (entries 0..15) and every high nibble (16..31);
// the layout that in-register byte shuffles want.
using NibbleTable = std::array<std::uint8_t, 32>;

[[nodiscard]] constexpr NibbleTable nibble_table(std::uint8_t coefficient) {
  NibbleTable table{};
  std::uint8_t shifted = coefficient;
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t bit = 1; bit < 16; bit *= 2) {
      for (std::size_t low = 0; low < bit; ++low) {
        table[half * 16 + bit + low] = static_cast<std::uint8_t>(table[half * 16 + low] ^ shifted);
      }
      shifted = gf256_multiply(shifted, 2);
    }
  }
  return table;
}

}  // namespace warifu::kernels
