// AVX2 with carry-less multiplication of 256-bit registers.
#include "kernels/variants.h"

namespace warifu::kernels {

#if defined(__x86_64__)

const Kernels* vpclmul_kernels() {
  static constexpr Kernels kTable{.name = "avx2+vpclmulqdq", .gf256_combine = gf256_combine_avx2};
  const bool runs = avx2_kernels() != nullptr && __builtin_cpu_supports("vpclmulqdq") != 0;
  return runs ? &kTable : nullptr;
}

#else

const Kernels* vpclmul_kernels() {
  return nullptr;
}

#endif

}  // namespace warifu::kernels
