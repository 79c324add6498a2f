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

}  // namespace warifu::kernels
