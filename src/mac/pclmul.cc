// Eight blocks at a time with PCLMULQDQ: the unreduced products by r^8 .. r^1 are summed and
// reduced once. Only x86-64 has this variant; elsewhere has_pclmul() is false.
#include "mac/mac.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace warifu::mac::internal {
namespace {

#define WARIFU_PCLMUL __attribute__((target("pclmul,sse4.1")))

struct Wide {
  __m128i low, middle, high;
};

WARIFU_PCLMUL inline __m128i load_element(const Element& element) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(&element));
}

WARIFU_PCLMUL inline void multiply_add(Wide& sum, __m128i a, __m128i b) {
  sum.low = _mm_xor_si128(sum.low, _mm_clmulepi64_si128(a, b, 0x00));
  sum.high = _mm_xor_si128(sum.high, _mm_clmulepi64_si128(a, b, 0x11));
  sum.middle = _mm_xor_si128(sum.middle, _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01),
                                                       _mm_clmulepi64_si128(a, b, 0x10)));
}

WARIFU_PCLMUL inline __m128i reduce(const Wide& sum) {
  const __m128i tail = _mm_set_epi64x(0, 0x87);
  const __m128i low = _mm_xor_si128(sum.low, _mm_slli_si128(sum.middle, 8));
  const __m128i high = _mm_xor_si128(sum.high, _mm_srli_si128(sum.middle, 8));
  // Fold bits 192..255, then 128..191.
  const __m128i top = _mm_clmulepi64_si128(high, tail, 0x01);
  const __m128i high2 = _mm_xor_si128(high, _mm_srli_si128(top, 8));
  const __m128i low2 = _mm_xor_si128(low, _mm_slli_si128(top, 8));
  return _mm_xor_si128(low2, _mm_clmulepi64_si128(high2, tail, 0x00));
}

WARIFU_PCLMUL Element horner(Element start, const Element* powers, const Byte* blocks,
                             std::size_t count, std::size_t stride) {
  __m128i sum = load_element(start);
  std::size_t i = 0;
  for (; i + Key::kPowers <= count; i += Key::kPowers) {
    Wide wide{_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    for (std::size_t j = 0; j < Key::kPowers; ++j) {
      __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks + (i + j) * stride));
      if (j == 0) block = _mm_xor_si128(block, sum);
      multiply_add(wide, block, load_element(powers[Key::kPowers - 1 - j]));
    }
    sum = reduce(wide);
  }
  for (; i < count; ++i) {
    Wide wide{_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks + i * stride));
    multiply_add(wide, _mm_xor_si128(block, sum), load_element(powers[0]));
    sum = reduce(wide);
  }
  Element out;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&out), sum);
  return out;
}

}  // namespace

Element horner_pclmul(Element sum, const Element* powers, const Byte* blocks, std::size_t count,
                      std::size_t stride) {
  return horner(sum, powers, blocks, count, stride);
}

bool has_pclmul() {
  return __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
}

}  // namespace warifu::mac::internal

#else

namespace warifu::mac::internal {
Element horner_pclmul(Element sum, const Element* powers, const Byte* blocks, std::size_t count,
                      std::size_t stride) {
  return horner_portable(sum, powers, blocks, count, stride);
}
bool has_pclmul() {
  return false;
}
}  // namespace warifu::mac::internal

#endif
