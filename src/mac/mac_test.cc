// The hash against a plain bit-by-bit reference, its linearity, and its exact error bound.
#include "mac/mac.h"

#include <gtest/gtest.h>

#include <random>

namespace warifu::mac {
namespace {

Element reference_multiply(Element a, Element b) {
  Element product;
  for (int i = 0; i < 128; ++i) {
    const std::uint64_t bit = i < 64 ? (b.low >> i) & 1 : (b.high >> (i - 64)) & 1;
    if (bit != 0) product = add(product, a);
    const bool carry = (a.high >> 63) != 0;
    a.high = (a.high << 1) | (a.low >> 63);
    a.low <<= 1;
    if (carry) a.low ^= 0x87;
  }
  return product;
}

Bytes random_bytes(std::mt19937_64& generator, std::size_t size) {
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<Byte>(generator());
  return bytes;
}

// Over `count` blocks that lie `stride` bytes apart, one multiplication at a time.
Element horner(Element sum, Element r, const Byte* blocks, std::size_t count, std::size_t stride) {
  for (std::size_t i = 0; i < count; ++i) {
    sum = reference_multiply(add(sum, load(blocks + i * stride)), r);
  }
  return sum;
}

TEST(Field, EveryVariantEqualsTheReference) {
  std::mt19937_64 generator(1);
  for (int i = 0; i < 2000; ++i) {
    const Element a{generator(), generator()};
    const Element b{generator(), i % 7 == 0 ? 0 : generator()};
    const Element expected = reference_multiply(a, b);
    for (const auto* kernels : kernels::runnable()) EXPECT_EQ(kernels->multiply(a, b), expected);
    EXPECT_EQ(multiply(a, b), expected);
  }
}

TEST(Field, XTo128IsTheTail) {
  const Element x{2, 0};
  Element power{1, 0};
  for (int i = 0; i < 128; ++i) power = multiply(power, x);
  EXPECT_EQ(power, (Element{0x87, 0}));
}

TEST(Hash, VariantsAgreeOnAnyLengthAndStride) {
  std::mt19937_64 generator(2);
  const Bytes r = random_bytes(generator, 16);
  const Key key(r);
  for (std::size_t count = 0; count < 70; ++count) {
    for (const std::size_t stride : {16u, 32u}) {
      const Bytes data = random_bytes(generator, count * stride + 3);
      const Element start{generator(), generator()};
      const Element expected = horner(start, load(r.data()), data.data() + 1, count, stride);
      for (const auto* kernels : kernels::runnable()) {
        if (stride == 16) {
          kernels::BlockSum sum{&key.prepared(), start};
          kernels->hash(sum, data.data() + 1, count);
          EXPECT_EQ(sum.sum, expected) << kernels->name << " " << count;
        } else {
          kernels::LaneSums sums{&key.prepared(), {start, start}};
          kernels->hash_lanes(sums, data.data() + 1, count);
          EXPECT_EQ(sums.sum[0], expected) << kernels->name << " " << count;
        }
      }
    }
  }
}

TEST(Hash, IsThePolynomialWithoutConstantTerm) {
  std::mt19937_64 generator(3);
  const Bytes r = random_bytes(generator, 16);
  const Bytes message = random_bytes(generator, 48);
  const Element key = load(r.data());
  Element expected;
  Element power = key;
  for (int block = 2; block >= 0; --block) {
    expected = add(expected, reference_multiply(load(message.data() + block * 16), power));
    power = reference_multiply(power, key);
  }
  EXPECT_EQ(load(hash(Key(r), message).data()), expected);
}

TEST(Hash, PiecesAndLanesEqualTheWhole) {
  std::mt19937_64 generator(4);
  const Key key(random_bytes(generator, 16));
  const Bytes message = random_bytes(generator, 32 * 41);
  Hasher pieces(key);
  pieces.update(ByteView(message).first(160));
  pieces.update(ByteView(message).subspan(160));
  EXPECT_EQ(pieces.finish(), hash(key, message));

  Bytes lane[2];
  for (std::size_t i = 0; i < message.size(); i += 16) {
    auto& to = lane[(i / 16) % 2];
    to.insert(to.end(), message.begin() + static_cast<std::ptrdiff_t>(i),
              message.begin() + static_cast<std::ptrdiff_t>(i + 16));
  }
  LaneHasher lanes(key);
  lanes.update(message);
  const auto tags = lanes.finish();
  const Tag first = hash(key, lane[0]);
  const Tag second = hash(key, lane[1]);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), tags.begin()));
  EXPECT_TRUE(std::equal(second.begin(), second.end(), tags.begin() + 16));
}

TEST(Hash, LinearForEqualLengths) {
  std::mt19937_64 generator(5);
  const Key key(random_bytes(generator, 16));
  const Bytes a = random_bytes(generator, 320);
  const Bytes b = random_bytes(generator, 320);
  Bytes sum(320);
  for (std::size_t i = 0; i < 320; ++i) sum[i] = static_cast<Byte>(a[i] ^ b[i]);
  EXPECT_EQ(add(load(hash(key, a).data()), load(hash(key, b).data())), load(hash(key, sum).data()));
}

TEST(Hash, APartialBlockCountsAsABlockWithZeros) {
  std::mt19937_64 generator(7);
  const Key key(random_bytes(generator, 16));
  for (const std::size_t size : {1u, 15u, 17u, 50u, 143u}) {
    const Bytes message = random_bytes(generator, size);
    Bytes padded = message;
    padded.resize((size + 15) / 16 * 16);
    EXPECT_EQ(hash(key, message), hash(key, padded)) << size;
  }
}

TEST(OneTimeTag, IsTheHashMaskedByThePad) {
  std::mt19937_64 generator(8);
  const Key key(random_bytes(generator, 16));
  const Bytes pad = random_bytes(generator, 16);
  const Bytes message = random_bytes(generator, 64);
  EXPECT_EQ(load(one_time_tag(key, message, pad).data()),
            add(load(hash(key, message).data()), load(pad.data())));
}

TEST(OneTimeTag, EveryBitOfTheMessageChangesIt) {
  std::mt19937_64 generator(6);
  const Key key(random_bytes(generator, 16));
  const Bytes pad = random_bytes(generator, 16);
  Bytes message = random_bytes(generator, 50);
  const Tag tag = one_time_tag(key, message, pad);
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    message[bit / 8] = static_cast<Byte>(message[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_NE(one_time_tag(key, message, pad), tag);
    message[bit / 8] = static_cast<Byte>(message[bit / 8] ^ (1U << (bit % 8)));
  }
}

}  // namespace
}  // namespace warifu::mac
