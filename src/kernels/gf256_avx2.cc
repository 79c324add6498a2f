// GF(2^8) combination with AVX2: a byte times a public coefficient is two shuffles of the
// coefficient's nibble tables inside a register (Plank, Greenan, Miller 2013).
//
// Up to four rows at a time over 64 bytes (whole cache lines of every output), so that the nibbles
// of a source serve four rows and a table serves two words. A stretch of a few KiB is done for all
// rows before the next one, so that sources are fetched from memory once.
#include "kernels/variants.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <array>

#include "kernels/gf256.h"

#define WARIFU_TARGET __attribute__((target("avx2")))

namespace warifu::kernels {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kStretch = 2048;
constexpr std::size_t kRowsAtOnce = 4;

// What one coefficient is: its tables, and whether all rows have a plain 1 for this source.
struct Plan {
  alignas(32) std::array<std::array<NibbleTable, kGf256MaxSources>, kGf256MaxRows> tables;
  std::array<bool, kGf256MaxSources> all_ones;
};

void make_plan(const Gf256Pass& pass, Plan& plan) {
  for (std::size_t i = 0; i < pass.source_count; ++i) {
    plan.all_ones[i] = true;
    for (std::size_t j = 0; j < pass.rows; ++j) {
      const Byte coefficient = pass.coefficients[j * pass.source_count + i];
      plan.all_ones[i] = plan.all_ones[i] && coefficient == 1;
      plan.tables[j][i] = nibble_table(coefficient);
    }
  }
}

WARIFU_TARGET inline __m256i load(const Byte* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

template <bool kStream>
WARIFU_TARGET inline void store(Byte* at, __m256i value) {
  if constexpr (kStream) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(at), value);
  } else {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), value);
  }
}

WARIFU_TARGET inline __m256i broadcast(const Byte* table16) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table16)));
}

// Rows [row, row + kRows) of bytes [from, to); to - from is a multiple of kStep.
template <std::size_t kRows, bool kStream>
WARIFU_TARGET void combine_rows(const Gf256Pass& pass, const Plan& plan, std::size_t row,
                                std::size_t from, std::size_t to) {
  const __m256i mask = _mm256_set1_epi8(0x0F);
  for (std::size_t at = from; at < to; at += kStep) {
    __m256i sums[kRows][2];
    for (auto& sum : sums) sum[0] = sum[1] = _mm256_setzero_si256();
    for (std::size_t i = 0; i < pass.source_count; ++i) {
      const __m256i first = load(pass.sources[i] + at);
      const __m256i second = load(pass.sources[i] + at + 32);
      if (plan.all_ones[i]) {
        for (auto& sum : sums) {
          sum[0] = _mm256_xor_si256(sum[0], first);
          sum[1] = _mm256_xor_si256(sum[1], second);
        }
        continue;
      }
      const __m256i low0 = _mm256_and_si256(first, mask);
      const __m256i low1 = _mm256_and_si256(second, mask);
      const __m256i high0 = _mm256_and_si256(_mm256_srli_epi64(first, 4), mask);
      const __m256i high1 = _mm256_and_si256(_mm256_srli_epi64(second, 4), mask);
#pragma GCC unroll 4
      for (std::size_t j = 0; j < kRows; ++j) {
        const Byte* table = plan.tables[row + j][i].data();
        const __m256i low_table = broadcast(table);
        const __m256i high_table = broadcast(table + 16);
        sums[j][0] =
            _mm256_xor_si256(sums[j][0], _mm256_xor_si256(_mm256_shuffle_epi8(low_table, low0),
                                                          _mm256_shuffle_epi8(high_table, high0)));
        sums[j][1] =
            _mm256_xor_si256(sums[j][1], _mm256_xor_si256(_mm256_shuffle_epi8(low_table, low1),
                                                          _mm256_shuffle_epi8(high_table, high1)));
      }
    }
    for (std::size_t j = 0; j < kRows; ++j) {
      store<kStream>(pass.outputs[row + j] + at, sums[j][0]);
      store<kStream>(pass.outputs[row + j] + at + 32, sums[j][1]);
    }
  }
}

template <bool kStream>
WARIFU_TARGET void combine_all(const Gf256Pass& pass, const Plan& plan, std::size_t whole) {
  // Five rows are better cut 3 + 2 than 4 + 1.
  const std::size_t groups = (pass.rows + kRowsAtOnce - 1) / kRowsAtOnce;
  const std::size_t stretch = groups == 1 ? std::max<std::size_t>(whole, kStep) : kStretch;
  for (std::size_t from = 0; from < whole; from += stretch) {
    const std::size_t to = std::min(from + stretch, whole);
    std::size_t row = 0;
    for (std::size_t group = 0; group < groups; ++group) {
      const std::size_t left = groups - group;
      const std::size_t rows = (pass.rows - row + left - 1) / left;
      if (rows == 4) combine_rows<4, kStream>(pass, plan, row, from, to);
      if (rows == 3) combine_rows<3, kStream>(pass, plan, row, from, to);
      if (rows == 2) combine_rows<2, kStream>(pass, plan, row, from, to);
      if (rows == 1) combine_rows<1, kStream>(pass, plan, row, from, to);
      row += rows;
    }
  }
  if constexpr (kStream) _mm_sfence();
}

}  // namespace

void gf256_combine_avx2(const Gf256Pass& pass) {
  const std::size_t whole = pass.bytes / kStep * kStep;
  if (whole > 0) {
    Plan plan;
    make_plan(pass, plan);
    const bool aligned = std::all_of(pass.outputs, pass.outputs + pass.rows, [](const Byte* at) {
      return reinterpret_cast<std::uintptr_t>(at) % 32 == 0;
    });
    if (aligned && pass.stores == Stores::kStreaming) {
      combine_all<true>(pass, plan, whole);
    } else {
      combine_all<false>(pass, plan, whole);
    }
  }
  gf256_combine_tail(pass, whole);
}

}  // namespace warifu::kernels

#endif
