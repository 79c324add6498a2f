// 2-of-3 threshold sharing, "form Q": two-point Shamir over GF(4) with the secret in the leading
// coefficient, f(x) = R + S x at x = 0, 1, w. Perfect and ideal: any two shares restore, any one
// share is uniform and independent of the secret. (Shamir 1979; same class as Kurihara et al.,
// ISC 2008.) Every share is as long as the secret.
//
// GF(4) acts on the two 128-bit lanes of a 32-byte word: w (s1, s2) = (s2, s1 + s2).
//   A = R   B = R + S   C = R + w S
//   AB: S = A + B    AC: S = w^2 (A + C)    BC: S = w (B + C)
// Constant time: only XORs at fixed addresses.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace warifu::sharing {

inline constexpr std::size_t kWordBytes = 32;

enum class ShareIndex : std::uint8_t { kA = 0, kB = 1, kC = 2 };

// The multiple of 32 that holds `size` bytes.
[[nodiscard]] constexpr std::size_t padded_size(std::size_t size) {
  return (size + kWordBytes - 1) / kWordBytes * kWordBytes;
}

// b = r + s, c = r + w s; share A is `r` itself, which must be uniform, fresh and secret.
// All views have one length, a multiple of 32. The four must not overlap.
void split(ByteView s, ByteView r, MutableBytes b, MutableBytes c);

// Restores the secret from two different shares. `x` is the share `ix`, `y` the share `iy`, ix !=
// iy. All views have one length, a multiple of 32; `s` may be the same memory as x or y.
void combine(ShareIndex ix, ByteView x, ShareIndex iy, ByteView y, MutableBytes s);

}  // namespace warifu::sharing
