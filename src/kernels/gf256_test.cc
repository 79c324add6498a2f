// Every variant's GF(2^8) combination against one multiplication at a time.
#include "kernels/gf256.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace warifu::kernels {
namespace {

using Bytes = std::vector<Byte>;

Bytes random_bytes(std::mt19937_64& generator, std::size_t size) {
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<Byte>(generator());
  return bytes;
}

TEST(Gf256, TheFieldIsTheOneOfAes) {
  EXPECT_EQ(gf256_multiply(0x57, 0x83), 0xC1);  // FIPS 197, section 4.2
  EXPECT_EQ(gf256_multiply(0x57, 0x13), 0xFE);
  EXPECT_EQ(gf256_inverse(0), 0);
  for (unsigned a = 1; a < 256; ++a) {
    const auto element = static_cast<Byte>(a);
    EXPECT_EQ(gf256_multiply(element, gf256_inverse(element)), 1) << a;
  }
}

TEST(Gf256, NibbleTablesAreProducts) {
  for (unsigned c = 0; c < 256; ++c) {
    const NibbleTable table = nibble_table(static_cast<Byte>(c));
    for (unsigned n = 0; n < 16; ++n) {
      EXPECT_EQ(table[n], gf256_multiply(static_cast<Byte>(c), static_cast<Byte>(n)));
      EXPECT_EQ(table[16 + n], gf256_multiply(static_cast<Byte>(c), static_cast<Byte>(n << 4)));
    }
  }
}

// One combination at a given shape; streams start at odd addresses when `shift` is odd.
void check(const Kernels& kernels, std::size_t source_count, std::size_t rows, std::size_t bytes,
           std::size_t shift, Stores stores) {
  std::mt19937_64 generator(source_count * 1000003 + rows * 1009 + bytes);
  Bytes coefficients = random_bytes(generator, rows * source_count);
  for (std::size_t j = 0; j < rows && source_count > 1; ++j) coefficients[j * source_count] = 1;
  std::vector<Bytes> sources(source_count);
  std::vector<Bytes> memory(rows);
  std::vector<const Byte*> from;
  std::vector<Byte*> to;
  for (auto& source : sources) {
    source = random_bytes(generator, bytes + shift);
    from.push_back(source.data() + shift);
  }
  for (auto& out : memory) {
    out.assign(bytes + 128, 0xA5);
    const auto misfit = reinterpret_cast<std::uintptr_t>(out.data()) % 32;
    to.push_back(out.data() + (32 - misfit) + shift);  // aligned when shift is 0
  }
  kernels.gf256_combine({.coefficients = coefficients.data(),
                         .sources = from.data(),
                         .source_count = source_count,
                         .outputs = to.data(),
                         .rows = rows,
                         .bytes = bytes,
                         .stores = stores});
  for (std::size_t j = 0; j < rows; ++j) {
    for (std::size_t b = 0; b < bytes; ++b) {
      Byte expected = 0;
      for (std::size_t i = 0; i < source_count; ++i) {
        expected = static_cast<Byte>(
            expected ^ gf256_multiply(coefficients[j * source_count + i], from[i][b]));
      }
      ASSERT_EQ(to[j][b], expected) << kernels.name << " sources " << source_count << " rows "
                                    << rows << " bytes " << bytes << " row " << j << " byte " << b;
    }
    EXPECT_EQ(to[j][-1], 0xA5) << "wrote before its output";
    EXPECT_EQ(to[j][bytes], 0xA5) << "wrote past its output";
  }
}

TEST(Gf256, EveryVariantEqualsTheReference) {
  for (const Kernels* kernels : runnable()) {
    for (const std::size_t bytes : {0u, 1u, 7u, 31u, 32u, 33u, 63u, 64u, 65u, 127u, 128u, 200u}) {
      for (const std::size_t rows : {0u, 1u, 2u, 3u, 4u, 5u, 8u, 9u}) {
        for (const std::size_t source_count : {0u, 1u, 2u, 3u, 7u}) {
          const auto stores = bytes % 2 == 0 ? Stores::kStreaming : Stores::kCached;
          check(*kernels, source_count, rows, bytes, bytes % 5, stores);
          check(*kernels, source_count, rows, bytes, 0, stores);
        }
      }
    }
  }
}

TEST(Gf256, LargestShapeAndLongStreams) {
  for (const Kernels* kernels : runnable()) {
    check(*kernels, kGf256MaxSources, kGf256MaxRows, 97, 1, Stores::kCached);
    check(*kernels, 3, 5, 6000, 0, Stores::kStreaming);
    check(*kernels, 3, 5, 6001, 3, Stores::kStreaming);
    check(*kernels, 3, 1, 6000, 0, Stores::kCached);
  }
}

}  // namespace
}  // namespace warifu::kernels
