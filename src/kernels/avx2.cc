// AVX2, with carry-less multiplication of 128-bit registers (every processor with AVX2 has it).
#include "kernels/variants.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#define WARIFU_TARGET __attribute__((target("avx2,pclmul")))

namespace warifu::kernels {
namespace {

// clang-format off: each needs the one before
#include "kernels/linear_body.h"
#include "kernels/avx2_words.h"
#include "kernels/hash_body.h"
#include "kernels/hash128_body.h"
#include "kernels/fused_body.h"
// clang-format on

struct Avx2 : Avx2Words {
  using Blocks = Blocks128<Pclmul>;
  using Lanes = Lanes128<Pclmul>;
  WARIFU_TARGET static Element multiply(Element a, Element b) { return multiply_by<Pclmul>(a, b); }
};

}  // namespace

const Kernels* avx2_kernels() {
  static constexpr Kernels kTable = make_table<Avx2>("avx2", gf256_combine_avx2);
  const bool runs = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("pclmul") != 0;
  return runs ? &kTable : nullptr;
}

}  // namespace warifu::kernels

#else

namespace warifu::kernels {

const Kernels* avx2_kernels() {
  return nullptr;
}

}  // namespace warifu::kernels

#endif
