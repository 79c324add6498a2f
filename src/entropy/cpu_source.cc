// RDSEED with bounded retries: the instruction may have nothing at the moment.
#include "entropy/source.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace warifu::entropy {
namespace {

#if defined(__x86_64__)
constexpr int kTries = 10'000;  // some 10 ms; the unit recovers within microseconds

bool processor_says_yes() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 18 & 1U) != 0;
}

__attribute__((target("rdseed"))) bool draw(std::uint64_t& word) {
  unsigned long long value = 0;
  for (int i = 0; i < kTries; ++i) {
    if (_rdseed64_step(&value) == 1) {
      word = value;
      return true;
    }
    _mm_pause();
  }
  return false;
}
#else
bool processor_says_yes() {
  return false;
}
bool draw(std::uint64_t&) {
  return false;
}
#endif

class CpuSource final : public Source {
 public:
  Result<std::size_t> read(MutableBytes out) override {
    if (!cpu_has_rdseed()) {
      return fail(Code::kUnavailable, "this processor has no RDSEED");
    }
    std::size_t done = 0;
    while (done < out.size()) {
      std::uint64_t word = 0;
      if (!draw(word)) break;
      const std::size_t part = std::min<std::size_t>(sizeof word, out.size() - done);
      std::memcpy(out.data() + done, &word, part);
      done += part;
    }
    if (done == 0) return fail(Code::kTimeout, "RDSEED gave nothing in many tries");
    return done;
  }
};

}  // namespace

bool cpu_has_rdseed() {
  static const bool has = processor_says_yes();
  return has;
}

std::unique_ptr<Source> cpu_source() {
  return std::make_unique<CpuSource>();
}

}  // namespace warifu::entropy
