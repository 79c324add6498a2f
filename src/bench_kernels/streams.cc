// One mapping for all streams.
#include "bench_kernels/streams.h"

#include <sys/mman.h>

#include <cstring>

namespace warifu::bench_kernels {
namespace {

constexpr std::size_t kHugePage = 2U << 20;
constexpr std::size_t kStagger = 4096 + 640;

}  // namespace

Streams::Streams(std::size_t count, std::size_t bytes) : bytes_(bytes) {
  const std::size_t each = (bytes + count * kStagger + kHugePage - 1) / kHugePage * kHugePage;
  mapped_ = each * count + kHugePage;
  void* memory =
      ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  memory_ = memory;
  (void)::madvise(memory_, mapped_, MADV_HUGEPAGE);  // without it the figures are a little lower
  const auto address = reinterpret_cast<std::uintptr_t>(memory_);
  auto* base = static_cast<std::uint8_t*>(memory_) + (kHugePage - address % kHugePage) % kHugePage;
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    starts_.push_back(base + i * each + i * kStagger);
    for (std::size_t at = 0; at + 8 <= bytes; at += 8) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      std::memcpy(starts_[i] + at, &state, 8);
    }
  }
}

Streams::~Streams() {
  if (memory_ != nullptr) ::munmap(memory_, mapped_);
}

}  // namespace warifu::bench_kernels
