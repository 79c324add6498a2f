// AVX2.
#include "kernels/variants.h"

namespace warifu::kernels {

#if defined(__x86_64__)

const Kernels* avx2_kernels() {
  static constexpr Kernels kTable{.name = "avx2", .gf256_combine = gf256_combine_avx2};
  const bool runs = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("pclmul") != 0;
  return runs ? &kTable : nullptr;
}

#else

const Kernels* avx2_kernels() {
  return nullptr;
}

#endif

}  // namespace warifu::kernels
