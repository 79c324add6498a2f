// GF(2^8) combination with NEON: two table instructions per coefficient, whose tables stay in
// registers; the same construction as gf256_avx2.cc.
#include "kernels/variants.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <algorithm>
#include <array>

#include "kernels/gf256.h"

namespace warifu::kernels {
namespace {

constexpr std::size_t kStep = 32;
constexpr std::size_t kStretch = 2048;
constexpr std::size_t kRowsAtOnce = 4;
using Tables = std::array<std::array<NibbleTable, kGf256MaxSources>, kGf256MaxRows>;

template <std::size_t kRows>
void combine_rows(const Gf256Pass& pass, const Tables& tables, std::size_t row, std::size_t from,
                  std::size_t to) {
  const uint8x16_t mask = vdupq_n_u8(0x0F);
  for (std::size_t at = from; at < to; at += kStep) {
    uint8x16_t sums[kRows][2];
    for (auto& sum : sums) sum[0] = sum[1] = vdupq_n_u8(0);
    for (std::size_t i = 0; i < pass.source_count; ++i) {
      const uint8x16_t first = vld1q_u8(pass.sources[i] + at);
      const uint8x16_t second = vld1q_u8(pass.sources[i] + at + 16);
      const uint8x16_t low0 = vandq_u8(first, mask);
      const uint8x16_t low1 = vandq_u8(second, mask);
      const uint8x16_t high0 = vshrq_n_u8(first, 4);
      const uint8x16_t high1 = vshrq_n_u8(second, 4);
      for (std::size_t j = 0; j < kRows; ++j) {
        const uint8x16_t low_table = vld1q_u8(tables[row + j][i].data());
        const uint8x16_t high_table = vld1q_u8(tables[row + j][i].data() + 16);
        sums[j][0] = veorq_u8(sums[j][0],
                              veorq_u8(vqtbl1q_u8(low_table, low0), vqtbl1q_u8(high_table, high0)));
        sums[j][1] = veorq_u8(sums[j][1],
                              veorq_u8(vqtbl1q_u8(low_table, low1), vqtbl1q_u8(high_table, high1)));
      }
    }
    for (std::size_t j = 0; j < kRows; ++j) {
      vst1q_u8(pass.outputs[row + j] + at, sums[j][0]);
      vst1q_u8(pass.outputs[row + j] + at + 16, sums[j][1]);
    }
  }
}

}  // namespace

void gf256_combine_neon(const Gf256Pass& pass) {
  const std::size_t whole = pass.bytes / kStep * kStep;
  Tables tables;
  for (std::size_t j = 0; j < pass.rows && whole > 0; ++j) {
    for (std::size_t i = 0; i < pass.source_count; ++i) {
      tables[j][i] = nibble_table(pass.coefficients[j * pass.source_count + i]);
    }
  }
  for (std::size_t from = 0; from < whole; from += kStretch) {
    const std::size_t to = std::min(from + kStretch, whole);
    for (std::size_t row = 0; row < pass.rows; row += kRowsAtOnce) {
      const std::size_t rows = std::min(kRowsAtOnce, pass.rows - row);
      if (rows == 4) combine_rows<4>(pass, tables, row, from, to);
      if (rows == 3) combine_rows<3>(pass, tables, row, from, to);
      if (rows == 2) combine_rows<2>(pass, tables, row, from, to);
      if (rows == 1) combine_rows<1>(pass, tables, row, from, to);
    }
  }
  gf256_combine_tail(pass, whole);
}

}  // namespace warifu::kernels

#endif
