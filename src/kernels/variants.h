// What the files of this component show one another: each variant's table and its parts.
#pragma once

#include "kernels/kernels.h"

// For the bodies that are compiled once per variant: the file that includes them defines
// WARIFU_TARGET, the function attribute that switches the variant's instructions on. Everything
// small is inlined by force, because registers must not be spilled between steps.
#define WARIFU_INLINE WARIFU_TARGET __attribute__((always_inline)) static inline
#define WARIFU_MEMBER WARIFU_TARGET __attribute__((always_inline)) inline

namespace warifu::kernels {

// The table of a variant, or nullptr when this machine (or this build) has not got it.
[[nodiscard]] const Kernels* portable_kernels();  // never nullptr
[[nodiscard]] const Kernels* avx2_kernels();
[[nodiscard]] const Kernels* vpclmul_kernels();
[[nodiscard]] const Kernels* neon_kernels();

void gf256_combine_portable(const Gf256Pass& pass);
// The same for bytes [from, pass.bytes): the tails of the other variants.
void gf256_combine_tail(const Gf256Pass& pass, std::size_t from);
void gf256_combine_avx2(const Gf256Pass& pass);
void gf256_combine_neon(const Gf256Pass& pass);

}  // namespace warifu::kernels
