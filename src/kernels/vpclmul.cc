// AVX2 with carry-less multiplication of 256-bit registers: two products per instruction.
#include "kernels/variants.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#define WARIFU_TARGET __attribute__((target("avx2,pclmul,vpclmulqdq")))

namespace warifu::kernels {
namespace {

// clang-format off: each needs the one before
#include "kernels/linear_body.h"
#include "kernels/avx2_words.h"
#include "kernels/hash_body.h"
#include "kernels/hash128_body.h"
#include "kernels/fused_body.h"
// clang-format on

WARIFU_INLINE __m256i load256(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

WARIFU_INLINE __m256i both_lanes(const void* at) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(at)));
}

// The sum of products in both lanes; Karatsuba as in Pclmul.
struct WideProducts {
  __m256i low;
  __m256i middle;
  __m256i high;

  WARIFU_MEMBER void clear() { low = middle = high = _mm256_setzero_si256(); }
  // Two words, their powers, and the folded powers of both.
  WARIFU_MEMBER void two(__m256i x, __m256i y, __m256i px, __m256i py, __m256i folded_powers) {
    const __m256i folded =
        _mm256_xor_si256(_mm256_unpacklo_epi64(x, y), _mm256_unpackhi_epi64(x, y));
    low = _mm256_xor_si256(low, _mm256_xor_si256(_mm256_clmulepi64_epi128(x, px, 0x00),
                                                 _mm256_clmulepi64_epi128(y, py, 0x00)));
    high = _mm256_xor_si256(high, _mm256_xor_si256(_mm256_clmulepi64_epi128(x, px, 0x11),
                                                   _mm256_clmulepi64_epi128(y, py, 0x11)));
    middle = _mm256_xor_si256(
        middle, _mm256_xor_si256(_mm256_clmulepi64_epi128(folded, folded_powers, 0x00),
                                 _mm256_clmulepi64_epi128(folded, folded_powers, 0x11)));
  }
  WARIFU_MEMBER void one(__m256i x, __m256i power) {
    const __m256i folded = _mm256_xor_si256(x, _mm256_shuffle_epi32(x, 0x4E));
    const __m256i folded_power = _mm256_xor_si256(power, _mm256_shuffle_epi32(power, 0x4E));
    low = _mm256_xor_si256(low, _mm256_clmulepi64_epi128(x, power, 0x00));
    high = _mm256_xor_si256(high, _mm256_clmulepi64_epi128(x, power, 0x11));
    middle = _mm256_xor_si256(middle, _mm256_clmulepi64_epi128(folded, folded_power, 0x00));
  }
  WARIFU_INLINE __m128i joined(__m256i x) {
    return _mm_xor_si128(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  }
  // The two lanes are parts of one sum.
  [[nodiscard]] WARIFU_MEMBER __m256i reduced_together() const {
    return _mm256_zextsi128_si256(Pclmul::reduce(joined(low), joined(middle), joined(high)));
  }
  // Each lane is a sum of its own.
  [[nodiscard]] WARIFU_MEMBER __m256i reduced_apart() const {
    const __m256i tail = _mm256_set_epi64x(0, 0x87, 0, 0x87);
    const __m256i inner = _mm256_xor_si256(middle, _mm256_xor_si256(low, high));
    const __m256i low1 = _mm256_xor_si256(low, _mm256_slli_si256(inner, 8));
    const __m256i high1 = _mm256_xor_si256(high, _mm256_srli_si256(inner, 8));
    const __m256i top = _mm256_clmulepi64_epi128(high1, tail, 0x01);
    const __m256i high2 = _mm256_xor_si256(high1, _mm256_srli_si256(top, 8));
    const __m256i low2 = _mm256_xor_si256(low1, _mm256_slli_si256(top, 8));
    return _mm256_xor_si256(low2, _mm256_clmulepi64_epi128(high2, tail, 0x00));
  }
};

struct WideBlocks {
  BlockSum& out;
  const HashKey& key;
  __m256i sum;  // in the low lane; the high lane is zero
  WideProducts products;

  WARIFU_MEMBER explicit WideBlocks(BlockSum& start)
      : out(start), key(*start.key), sum(_mm256_zextsi128_si256(Pclmul::load(&start.sum))) {
    products.clear();
  }
  template <bool kFirst>
  WARIFU_MEMBER void pair(__m256i first, __m256i second, std::size_t number) {
    if constexpr (kFirst) {
      products.clear();
      first = _mm256_xor_si256(first, sum);
    }
    const std::size_t at = 4 * number;
    products.two(first, second, load256(&key.descending[at]), load256(&key.descending[at + 2]),
                 load256(&key.folded_blocks[at]));
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(__m256i word, std::size_t index, std::size_t count) {
    if constexpr (kFirst) {
      products.clear();
      word = _mm256_xor_si256(word, sum);
    }
    products.one(word, load256(&key.descending[kHashPowers - 2 * count + 2 * index]));
  }
  WARIFU_MEMBER void reduce() { sum = products.reduced_together(); }
  WARIFU_MEMBER void finish() { Pclmul::store(&out.sum, _mm256_castsi256_si128(sum)); }
};

struct WideLanes {
  LaneSums& out;
  const HashKey& key;
  __m256i sum;
  WideProducts products;

  WARIFU_MEMBER explicit WideLanes(LaneSums& start)
      : out(start), key(*start.key), sum(load256(start.sum)) {
    products.clear();
  }
  template <bool kFirst>
  WARIFU_MEMBER void pair(__m256i first, __m256i second, std::size_t number) {
    if constexpr (kFirst) {
      products.clear();
      first = _mm256_xor_si256(first, sum);
    }
    const std::size_t at = kHashPowers - kGroupWords + 2 * number;
    products.two(first, second, both_lanes(&key.descending[at]),
                 both_lanes(&key.descending[at + 1]), both_lanes(&key.folded[at]));
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(__m256i word, std::size_t index, std::size_t count) {
    if constexpr (kFirst) {
      products.clear();
      word = _mm256_xor_si256(word, sum);
    }
    products.one(word, both_lanes(&key.descending[kHashPowers - count + index]));
  }
  WARIFU_MEMBER void reduce() { sum = products.reduced_apart(); }
  WARIFU_MEMBER void finish() { _mm256_storeu_si256(reinterpret_cast<__m256i*>(out.sum), sum); }
};

struct Vpclmul : Avx2Words {
  using Blocks = WideBlocks;
  using Lanes = WideLanes;
  WARIFU_TARGET static Element multiply(Element a, Element b) { return multiply_by<Pclmul>(a, b); }
};

}  // namespace

const Kernels* vpclmul_kernels() {
  static constexpr Kernels kTable = make_table<Vpclmul>("avx2+vpclmulqdq", gf256_combine_avx2);
  const bool runs = avx2_kernels() != nullptr && __builtin_cpu_supports("vpclmulqdq") != 0;
  return runs ? &kTable : nullptr;
}

}  // namespace warifu::kernels

#else

namespace warifu::kernels {

const Kernels* vpclmul_kernels() {
  return nullptr;
}

}  // namespace warifu::kernels

#endif
