// 32-byte words in AVX2 registers, and carry-less products of 128-bit registers.
//
// Included by avx2.cc and vpclmul.cc inside their unnamed namespaces, after linear_body.h; the
// including file has <immintrin.h> and kernels.h before it.

struct Avx2Words {
  using Word = __m256i;
  WARIFU_INLINE Word load(const Byte* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  }
  template <bool kStream>
  WARIFU_INLINE void store(Byte* at, Word word) {
    if constexpr (kStream) {
      _mm256_stream_si256(reinterpret_cast<__m256i*>(at), word);
    } else {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), word);
    }
  }
  WARIFU_INLINE Word add(Word x, Word y) { return _mm256_xor_si256(x, y); }
  // w (s1, s2) = (s2, s1 + s2); w^2 (s1, s2) = (s1 + s2, s1).
  template <Factor kFactor>
  WARIFU_INLINE Word times(Word s) {
    if constexpr (kFactor == Factor::kOne) return s;
    const Word exchanged = _mm256_permute2x128_si256(s, s, 0x01);
    const Word zero = _mm256_setzero_si256();
    constexpr int kKept = kFactor == Factor::kW ? 0xF0 : 0x0F;
    return _mm256_xor_si256(exchanged, _mm256_blend_epi32(zero, s, kKept));
  }
  WARIFU_INLINE void fence() { _mm_sfence(); }
};

struct Pclmul {
  using Word = __m256i;
  using Block = __m128i;
  WARIFU_INLINE Block load(const void* at) {
    return _mm_loadu_si128(static_cast<const __m128i*>(at));
  }
  WARIFU_INLINE void store(void* at, Block block) {
    _mm_storeu_si128(static_cast<__m128i*>(at), block);
  }
  WARIFU_INLINE Block zero() { return _mm_setzero_si128(); }
  WARIFU_INLINE Block add(Block x, Block y) { return _mm_xor_si128(x, y); }
  template <int kLane>
  WARIFU_INLINE Block lane(__m256i word) {
    return _mm256_extracti128_si256(word, kLane);
  }
  // (low + high half of x, low + high half of y)
  WARIFU_INLINE Block fold(Block x, Block y) {
    return _mm_xor_si128(_mm_unpacklo_epi64(x, y), _mm_unpackhi_epi64(x, y));
  }
  WARIFU_INLINE Block low_product(Block x, Block y) { return _mm_clmulepi64_si128(x, y, 0x00); }
  WARIFU_INLINE Block high_product(Block x, Block y) { return _mm_clmulepi64_si128(x, y, 0x11); }
  WARIFU_INLINE Block reduce(Block low, Block middle, Block high) {
    const Block tail = _mm_set_epi64x(0, 0x87);
    const Block inner = _mm_xor_si128(middle, _mm_xor_si128(low, high));
    const Block low1 = _mm_xor_si128(low, _mm_slli_si128(inner, 8));
    const Block high1 = _mm_xor_si128(high, _mm_srli_si128(inner, 8));
    // Fold bits 192..255, then 128..191.
    const Block top = _mm_clmulepi64_si128(high1, tail, 0x01);
    const Block high2 = _mm_xor_si128(high1, _mm_srli_si128(top, 8));
    const Block low2 = _mm_xor_si128(low1, _mm_slli_si128(top, 8));
    return _mm_xor_si128(low2, _mm_clmulepi64_si128(high2, tail, 0x00));
  }
};
