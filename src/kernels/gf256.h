// GF(2^8) = GF(2)[x] / (x^8 + x^4 + x^3 + x + 1), the field 0x11B of AES (FIPS 197, section 4).
//
// Arithmetic on single PUBLIC elements (coefficients, evaluation points); bulk data goes through
// Kernels::gf256_combine. Nothing here may be given a secret.
#pragma once

#include <array>
#include <bit>
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
  std::array<std::uint8_t, 8> shifted{};  // coefficient * x^bit
  shifted[0] = coefficient;
  for (std::size_t bit = 1; bit < 8; ++bit) shifted[bit] = gf256_multiply(shifted[bit - 1], 2);
  NibbleTable table{};
  for (unsigned n = 1; n < 16; ++n) {
    const auto bit = static_cast<std::size_t>(std::countr_zero(n));
    const unsigned rest = n & (n - 1);
    table[n] = static_cast<std::uint8_t>(table[rest] ^ shifted[bit]);
    table[16 + n] = static_cast<std::uint8_t>(table[16 + rest] ^ shifted[4 + bit]);
  }
  return table;
}

}  // namespace warifu::kernels
