// The variant that every machine runs: 64-bit integers only.
#include "kernels/variants.h"

namespace warifu::kernels {

const Kernels* portable_kernels() {
  static constexpr Kernels kTable{.name = "portable", .gf256_combine = gf256_combine_portable};
  return &kTable;
}

}  // namespace warifu::kernels
