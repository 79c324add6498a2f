// NEON with PMULL, carry-less multiplication of 64-bit halves (aarch64 with the crypto extension).
#include "kernels/variants.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include <cstring>

#if defined(__clang__)
#define WARIFU_TARGET __attribute__((target("aes")))
#else
#define WARIFU_TARGET __attribute__((target("+crypto")))
#endif

namespace warifu::kernels {
namespace {

// clang-format off: each needs the one before
#include "kernels/linear_body.h"
#include "kernels/hash_body.h"
#include "kernels/hash128_body.h"
// clang-format on

struct NeonWord {
  uint64x2_t lane[2];
};

struct Pmull {
  using Word = NeonWord;
  using Block = uint64x2_t;
  WARIFU_INLINE Block load(const void* at) {
    return vreinterpretq_u64_u8(vld1q_u8(static_cast<const std::uint8_t*>(at)));
  }
  WARIFU_INLINE void store(void* at, Block block) {
    vst1q_u8(static_cast<std::uint8_t*>(at), vreinterpretq_u8_u64(block));
  }
  WARIFU_INLINE Block zero() { return vdupq_n_u64(0); }
  WARIFU_INLINE Block add(Block x, Block y) { return veorq_u64(x, y); }
  template <int kLane>
  WARIFU_INLINE Block lane(const NeonWord& word) {
    return word.lane[kLane];
  }
  // (low + high half of x, low + high half of y)
  WARIFU_INLINE Block fold(Block x, Block y) {
    return veorq_u64(vtrn1q_u64(x, y), vtrn2q_u64(x, y));
  }
  WARIFU_INLINE Block low_product(Block x, Block y) {
    return vreinterpretq_u64_p128(vmull_p64(static_cast<poly64_t>(vgetq_lane_u64(x, 0)),
                                            static_cast<poly64_t>(vgetq_lane_u64(y, 0))));
  }
  WARIFU_INLINE Block high_product(Block x, Block y) {
    return vreinterpretq_u64_p128(
        vmull_high_p64(vreinterpretq_p64_u64(x), vreinterpretq_p64_u64(y)));
  }
  WARIFU_INLINE Block reduce(Block low, Block middle, Block high) {
    const Block none = vdupq_n_u64(0);
    const Block tail = vdupq_n_u64(0x87);
    const Block inner = veorq_u64(middle, veorq_u64(low, high));
    const Block low1 = veorq_u64(low, vextq_u64(none, inner, 1));
    const Block high1 = veorq_u64(high, vextq_u64(inner, none, 1));
    // Fold bits 192..255, then 128..191.
    const Block top = high_product(high1, tail);
    const Block high2 = veorq_u64(high1, vextq_u64(top, none, 1));
    const Block low2 = veorq_u64(low1, vextq_u64(none, top, 1));
    return veorq_u64(low2, low_product(high2, tail));
  }
};

struct Neon {
  using Word = NeonWord;
  using Blocks = Blocks128<Pmull>;
  using Lanes = Lanes128<Pmull>;
  WARIFU_INLINE Word load(const Byte* at) { return {{Pmull::load(at), Pmull::load(at + 16)}}; }
  template <bool kStream>
  WARIFU_INLINE void store(Byte* at, const Word& word) {
    Pmull::store(at, word.lane[0]);
    Pmull::store(at + 16, word.lane[1]);
  }
  WARIFU_INLINE Word add(const Word& x, const Word& y) {
    return {{veorq_u64(x.lane[0], y.lane[0]), veorq_u64(x.lane[1], y.lane[1])}};
  }
  // w (s1, s2) = (s2, s1 + s2); w^2 (s1, s2) = (s1 + s2, s1).
  template <Factor kFactor>
  WARIFU_INLINE Word times(const Word& s) {
    if constexpr (kFactor == Factor::kOne) return s;
    const uint64x2_t sum = veorq_u64(s.lane[0], s.lane[1]);
    if constexpr (kFactor == Factor::kW) return {{s.lane[1], sum}};
    return {{sum, s.lane[0]}};
  }
  WARIFU_INLINE void fence() {}
  WARIFU_TARGET static Element multiply(Element a, Element b) { return multiply_by<Pmull>(a, b); }
};

#include "kernels/fused_body.h"

}  // namespace

const Kernels* neon_kernels() {
  static constexpr Kernels kTable = make_table<Neon>("neon", gf256_combine_neon);
  return (::getauxval(AT_HWCAP) & HWCAP_PMULL) != 0 ? &kTable : nullptr;
}

}  // namespace warifu::kernels

#else

namespace warifu::kernels {

const Kernels* neon_kernels() {
  return nullptr;
}

}  // namespace warifu::kernels

#endif
