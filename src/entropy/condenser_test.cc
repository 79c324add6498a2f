// The hash against its definition, bit by bit; how much is read for a block; and that a strongly
// biased source comes out even.
#include "entropy/condenser.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace warifu::entropy {
namespace {

Bytes uniform(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<Byte>(generator());
  return bytes;
}

bool bit(ByteView bytes, std::size_t n) {
  return (std::uint32_t{bytes[n / 8]} >> (n % 8) & 1U) != 0;
}

TEST(Condenser, ReadsEnoughMinEntropyForABlock) {
  for (double entropy = 0.1; entropy <= 8; entropy += 0.1) {
    const auto size = static_cast<double>(Condenser::raw_bytes(entropy));
    EXPECT_GE(size * entropy + 1e-6, 1024 + 200) << entropy;
    EXPECT_LT((size - 9) * entropy, 1024 + 200) << entropy;
  }
  EXPECT_EQ(Condenser::raw_bytes(6.0), 208u);
  EXPECT_EQ(Condenser::raw_bytes(1.0), 1224u);
}

TEST(Condenser, IsTheToeplitzHashOfItsSeed) {
  for (const double entropy : {7.9, 6.0, 0.7}) {
    Bytes seed;
    const Condenser condenser(entropy, [&](MutableBytes out) {
      seed = uniform(out.size(), 11);
      copy_bytes(out, seed);
    });
    const Bytes raw = uniform(condenser.raw_bytes(), 12);
    Bytes out(Condenser::kOutBytes);
    condenser.condense(raw, out);
    for (std::size_t k = 0; k < out.size() * 8; ++k) {
      bool parity = false;
      for (std::size_t i = 0; i < raw.size() * 8; ++i) parity ^= bit(raw, i) && bit(seed, i + k);
      ASSERT_EQ(bit(out, k), parity) << k;
    }
  }
}

// Bytes of which three in four are zero have 0.41 bits of min-entropy; the output shows none of it.
TEST(Condenser, ABiasedSourceComesOutEven) {
  std::mt19937_64 generator(13);
  const Condenser condenser(0.4, [&](MutableBytes out) {
    for (auto& byte : out) byte = static_cast<Byte>(generator());
  });
  std::array<double, 256> count{};
  Bytes raw(condenser.raw_bytes()), out(Condenser::kOutBytes);
  constexpr int kBlocks = 2000;
  for (int i = 0; i < kBlocks; ++i) {
    for (auto& byte : raw) {
      byte = generator() % 4 != 0 ? Byte{0} : static_cast<Byte>(generator());
    }
    condenser.condense(raw, out);
    for (const Byte byte : out) ++count[byte];
  }
  const double expected = kBlocks * 128 / 256.0;
  double chi2 = 0;
  for (const double n : count) chi2 += (n - expected) * (n - expected) / expected;
  EXPECT_LT(chi2, 255 + 6 * 22.6);  // 255 degrees of freedom, six standard deviations
}

}  // namespace
}  // namespace warifu::entropy
