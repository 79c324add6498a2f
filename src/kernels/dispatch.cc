// Which variants this machine runs; asked of the processor once.
#include <array>

#include "kernels/variants.h"

namespace warifu::kernels {
namespace {

struct Runnable {
  std::array<const Kernels*, 4> list{};
  std::size_t count = 0;

  Runnable() {
    for (const Kernels* variant :
         {portable_kernels(), avx2_kernels(), vpclmul_kernels(), neon_kernels()}) {
      if (variant != nullptr) list[count++] = variant;
    }
  }
};

const Runnable& all() {
  static const Runnable runnable;
  return runnable;
}

}  // namespace

const Kernels& best() {
  return *all().list[all().count - 1];
}

std::span<const Kernels* const> runnable() {
  return std::span(all().list).first(all().count);
}

void prepare(HashKey& key, Element r) {
  Element power = r;
  for (std::size_t i = kHashPowers; i-- > 0;) {
    key.descending[i] = power;
    key.folded[i] = power.low ^ power.high;
    if (i > 0) power = best().multiply(power, r);
  }
  constexpr std::size_t kExchanged[4] = {0, 2, 1, 3};
  for (std::size_t i = 0; i < kHashPowers; ++i) {
    key.folded_blocks[i] = key.folded[i / 4 * 4 + kExchanged[i % 4]];
  }
}

}  // namespace warifu::kernels
