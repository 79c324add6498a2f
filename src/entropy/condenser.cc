// Toeplitz hashing with 64 shifted copies of the seed, so that every raw bit selects whole words.
#include "entropy/condenser.h"

#include <array>
#include <bit>
#include <cmath>

namespace warifu::entropy {

static_assert(std::endian::native == std::endian::little);

std::size_t Condenser::raw_bytes(double min_entropy_per_byte) {
  WARIFU_CHECK(min_entropy_per_byte > 0);
  const double wanted = kOutBytes * 8 + 2.0 * kSecurityBits;
  const auto bytes = static_cast<std::size_t>(std::ceil(wanted / min_entropy_per_byte));
  return (bytes + 7) / 8 * 8;
}

Condenser::Condenser(double min_entropy_per_byte, const std::function<void(MutableBytes)>& seed)
    : raw_words_(raw_bytes(min_entropy_per_byte) / 8), row_(raw_words_ + kOutWords) {
  Bytes drawn((row_ + 1) * 8);
  seed(drawn);
  std::vector<std::uint64_t> words(row_ + 1);
  std::memcpy(words.data(), drawn.data(), drawn.size());
  shifted_.resize(64 * row_);
  for (std::size_t shift = 0; shift < 64; ++shift) {
    for (std::size_t i = 0; i < row_; ++i) {
      const std::uint64_t high = shift == 0 ? 0 : words[i + 1] << (64 - shift);
      shifted_[shift * row_ + i] = words[i] >> shift | high;
    }
  }
}

void Condenser::condense(ByteView raw, MutableBytes out) const {
  WARIFU_CHECK(raw.size() == raw_bytes() && out.size() == kOutBytes);
  std::array<std::uint64_t, kOutWords> sum{};
  for (std::size_t w = 0; w < raw_words_; ++w) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, raw.data() + w * 8, 8);
    const std::uint64_t* from = shifted_.data() + w;
    for (std::size_t s = 0; s < 64; ++s, from += row_) {
      const std::uint64_t mask = 0 - (bits >> s & 1U);
      for (std::size_t k = 0; k < kOutWords; ++k) sum[k] ^= from[k] & mask;
    }
  }
  std::memcpy(out.data(), sum.data(), kOutBytes);
  secret::wipe({reinterpret_cast<Byte*>(sum.data()), sizeof sum});
}

}  // namespace warifu::entropy
