// Coefficients of the linear maps between a secret and its shares: Lagrange interpolation with the
// leading coefficient as the value at infinity. Public numbers only; nothing here sees a secret.
//
// Field elements are bytes, addition is XOR, share i stands at the point x = i. A Field has static
// multiply(a, b) and inverse(a). Points of one call are different. Values only, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "kernels/gf256.h"
#include "kernels/kernels.h"

namespace warifu::sharing {

// GF(4) = {0, 1, w, w^2} as 0, 1, 2, 3; w^2 = w + 1. The non-zero elements are powers of w.
struct Gf4 {
  static constexpr Byte multiply(Byte a, Byte b) {
    return a == 0 || b == 0 ? Byte{0} : static_cast<Byte>((a + b - 2) % 3 + 1);
  }
  static constexpr Byte inverse(Byte a) { return multiply(a, a); }  // a^3 = 1
};

// GF(2^8) = GF(2)[x] / (x^8 + x^4 + x^3 + x + 1).
struct Gf256 {
  static constexpr Byte multiply(Byte a, Byte b) { return kernels::gf256_multiply(a, b); }
  static constexpr Byte inverse(Byte a) { return kernels::gf256_inverse(a); }
};

// The kernels' name of an element of GF(4) that is not zero.
[[nodiscard]] inline kernels::Factor factor_of(Byte element) {
  WARIFU_CHECK(element >= 1 && element <= 3);
  constexpr std::array kFactors = {kernels::Factor::kOne, kernels::Factor::kW,
                                   kernels::Factor::kW2};
  return kFactors[element - 1U];
}

// prod (x - x_i) over the points: the monic polynomial that vanishes at all of them.
template <typename Field>
[[nodiscard]] Byte vanishing(Byte x, const std::vector<Byte>& points) {
  Byte product = 1;
  for (const Byte point : points) {
    product = Field::multiply(product, static_cast<Byte>(x ^ point));
  }
  return product;
}

// 1 / prod over j != i of (x_i - x_j): what value i weighs in the leading coefficient of the
// polynomial of degree < points.size().
template <typename Field>
[[nodiscard]] Byte leading_weight(const std::vector<Byte>& points, std::size_t i) {
  Byte product = 1;
  for (std::size_t j = 0; j < points.size(); ++j) {
    if (j == i) continue;
    product = Field::multiply(product, static_cast<Byte>(points[i] ^ points[j]));
  }
  return Field::inverse(product);
}

// prod over j != i of (x - x_j) / (x_i - x_j): what value i weighs in the value at x.
template <typename Field>
[[nodiscard]] Byte value_weight(Byte x, const std::vector<Byte>& points, std::size_t i) {
  std::vector<Byte> others = points;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
  return Field::multiply(vanishing<Field>(x, others), leading_weight<Field>(points, i));
}

}  // namespace warifu::sharing
