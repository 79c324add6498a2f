// NEON with PMULL (aarch64).
#include "kernels/variants.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace warifu::kernels {

#if defined(__aarch64__)

const Kernels* neon_kernels() {
  static constexpr Kernels kTable{.name = "neon", .gf256_combine = gf256_combine_neon};
  return (::getauxval(AT_HWCAP) & HWCAP_PMULL) != 0 ? &kTable : nullptr;
}

#else

const Kernels* neon_kernels() {
  return nullptr;
}

#endif

}  // namespace warifu::kernels
