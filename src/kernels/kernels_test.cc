// Every variant of every kernel against plain references, on random sizes and alignments: bit by
// bit in GF(2^128), limb by limb in GF(4).
#include "kernels/kernels.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

namespace warifu::kernels {
namespace {

using Bytes = std::vector<Byte>;
using Random = std::mt19937_64;

Element add(Element a, Element b) {
  return {a.low ^ b.low, a.high ^ b.high};
}

Element reference_multiply(Element a, Element b) {
  Element product;
  for (unsigned i = 0; i < 128; ++i) {
    const std::uint64_t bit = i < 64 ? (b.low >> i) & 1 : (b.high >> (i - 64)) & 1;
    if (bit != 0) product = add(product, a);
    const bool carry = (a.high >> 63) != 0;
    a.high = (a.high << 1) | (a.low >> 63);
    a.low <<= 1;
    if (carry) a.low ^= 0x87;
  }
  return product;
}

Element block_at(const Byte* at) {
  Element block;
  std::memcpy(&block, at, kBlockBytes);
  return block;
}

// Horner's rule over blocks that lie `stride` bytes apart.
Element reference_hash(Element sum, Element r, const Byte* data, std::size_t count,
                       std::size_t stride) {
  for (std::size_t i = 0; i < count; ++i) {
    sum = reference_multiply(add(sum, block_at(data + i * stride)), r);
  }
  return sum;
}

// factor * word, byte by byte.
std::array<Byte, kWordBytes> reference_times(Factor factor, const Byte* word) {
  std::array<Byte, kWordBytes> out{};
  for (std::size_t i = 0; i < 16; ++i) {
    const Byte one = word[i];
    const Byte two = word[16 + i];
    const Byte sum = static_cast<Byte>(one ^ two);
    out[i] = factor == Factor::kOne ? one : factor == Factor::kW ? two : sum;
    out[16 + i] = factor == Factor::kOne ? two : factor == Factor::kW ? sum : one;
  }
  return out;
}

Bytes times(Factor factor, const Bytes& data) {
  Bytes out(data.size());
  for (std::size_t at = 0; at < data.size(); at += kWordBytes) {
    const auto word = reference_times(factor, data.data() + at);
    std::memcpy(out.data() + at, word.data(), kWordBytes);
  }
  return out;
}

Bytes plus(const Bytes& a, const Bytes& b) {
  Bytes out(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = static_cast<Byte>(a[i] ^ b[i]);
  return out;
}

// Memory at a chosen distance from a 64-byte line, between guards that nobody may write.
class Stream {
 public:
  Stream(std::size_t bytes, std::size_t shift) : memory_(bytes + 256, 0xA5), bytes_(bytes) {
    const auto misfit = reinterpret_cast<std::uintptr_t>(memory_.data()) % 64;
    start_ = 64 + (64 - misfit) + shift;
  }
  Stream(const Bytes& content, std::size_t shift) : Stream(content.size(), shift) {
    if (bytes_ > 0) std::memcpy(data(), content.data(), bytes_);
  }
  Byte* data() { return memory_.data() + start_; }
  Bytes content() { return Bytes(data(), data() + bytes_); }
  [[nodiscard]] bool guards_whole() const {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if ((i < start_ || i >= start_ + bytes_) && memory_[i] != 0xA5) return false;
    }
    return true;
  }

 private:
  Bytes memory_;
  std::size_t bytes_;
  std::size_t start_ = 0;
};

Bytes random_bytes(Random& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<Byte>(random());
  return bytes;
}

// One setting of a test: sizes around the unrolling and beyond, any alignment, either store.
struct Setting {
  std::size_t words;
  std::size_t shift;
  Stores stores;
};

std::vector<Setting> settings() {
  std::vector<Setting> all;
  Random random(11);
  for (std::size_t words = 0; words <= 70; ++words) {
    all.push_back({words, 0, Stores::kStreaming});
    all.push_back({words, random() % 64, words % 2 == 0 ? Stores::kCached : Stores::kStreaming});
  }
  for (int i = 0; i < 8; ++i) {
    all.push_back({random() % 700, random() % 64, Stores::kCached});
    all.push_back({random() % 700, (random() % 2) * 32, Stores::kStreaming});
  }
  return all;
}

struct TestKey {
  Element r;
  HashKey key{};
  explicit TestKey(Random& random) : r{random(), random()} { prepare(key, r); }
};

constexpr std::array<Factor, 3> kFactors = {Factor::kOne, Factor::kW, Factor::kW2};

template <class Body>
void everywhere(Body body) {
  for (const Kernels* kernels : runnable()) {
    Random random(5);
    for (const Setting& setting : settings()) {
      SCOPED_TRACE(std::string(kernels->name) + ", words " + std::to_string(setting.words) +
                   ", shift " + std::to_string(setting.shift));
      body(*kernels, setting, random);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(Kernels, MultiplyEqualsTheReference) {
  for (const Kernels* kernels : runnable()) {
    Random random(1);
    for (int i = 0; i < 2000; ++i) {
      const Element a{random(), random()};
      const Element b{random(), i % 7 == 0 ? 0 : random()};
      ASSERT_EQ(kernels->multiply(a, b), reference_multiply(a, b)) << kernels->name;
    }
    Element power{1, 0};
    for (int i = 0; i < 128; ++i) power = kernels->multiply(power, {2, 0});
    EXPECT_EQ(power, (Element{0x87, 0})) << "x^128 is the tail";
  }
}

TEST(Kernels, APreparedKeyHoldsThePowers) {
  Random random(2);
  const TestKey key(random);
  Element power = key.r;
  for (std::size_t i = kHashPowers; i-- > 0;) {
    EXPECT_EQ(key.key.descending[i], power);
    EXPECT_EQ(key.key.folded[i], power.low ^ power.high);
    power = reference_multiply(power, key.r);
  }
}

TEST(Kernels, XorOfAnyNumberOfBytes) {
  for (const Kernels* kernels : runnable()) {
    Random random(3);
    for (std::size_t bytes = 0; bytes < 400; ++bytes) {
      const std::size_t shift = bytes % 3 == 0 ? 0 : random() % 64;
      Stream x(random_bytes(random, bytes), random() % 64);
      Stream y(random_bytes(random, bytes), random() % 64);
      Stream out(bytes, shift);
      const Bytes expected = plus(x.content(), y.content());
      kernels->xor_bytes({x.data(), y.data(), out.data(), bytes, Stores::kStreaming});
      ASSERT_EQ(out.content(), expected) << kernels->name << " " << bytes;
      EXPECT_TRUE(out.guards_whole());
      kernels->xor_bytes({x.data(), y.data(), x.data(), bytes, Stores::kCached});
      ASSERT_EQ(x.content(), expected) << "in place";
    }
  }
}

TEST(Kernels, SplitWithAndWithoutAThirdWrite) {
  everywhere([](const Kernels& kernels, const Setting& setting, Random& random) {
    const std::size_t bytes = setting.words * kWordBytes;
    Stream secret(random_bytes(random, bytes), setting.shift);
    Stream r(random_bytes(random, bytes), random() % 64);
    Stream a(bytes, setting.shift), b(bytes, setting.shift), c(bytes, setting.shift);
    SplitPass pass{secret.data(), r.data(), nullptr, b.data(), c.data(), bytes, setting.stores};
    for (const bool three : {false, true}) {
      if (three) pass.a = a.data();
      kernels.split(pass);
      EXPECT_EQ(b.content(), plus(r.content(), secret.content()));
      EXPECT_EQ(c.content(), plus(r.content(), times(Factor::kW, secret.content())));
    }
    EXPECT_EQ(a.content(), r.content());
    EXPECT_TRUE(a.guards_whole() && b.guards_whole() && c.guards_whole());
  });
}

TEST(Kernels, CombineAndScaleAddByEveryFactor) {
  everywhere([](const Kernels& kernels, const Setting& setting, Random& random) {
    const std::size_t bytes = setting.words * kWordBytes;
    Stream x(random_bytes(random, bytes), setting.shift);
    Stream y(random_bytes(random, bytes), random() % 64);
    for (const Factor fx : kFactors) {
      Stream out(bytes, setting.shift);
      kernels.combine({fx, x.data(), y.data(), out.data(), bytes, setting.stores});
      EXPECT_EQ(out.content(), times(fx, plus(x.content(), y.content())));
      for (const Factor fy : kFactors) {
        kernels.scale_add({fx, fy, x.data(), y.data(), out.data(), bytes, setting.stores});
        EXPECT_EQ(out.content(), plus(times(fx, x.content()), times(fy, y.content())));
      }
      EXPECT_TRUE(out.guards_whole());
    }
    const Bytes expected = times(Factor::kW2, plus(x.content(), y.content()));
    kernels.combine({Factor::kW2, x.data(), y.data(), x.data(), bytes, setting.stores});
    EXPECT_EQ(x.content(), expected) << "in place";
  });
}

TEST(Kernels, HashOfAnyNumberOfBlocks) {
  for (const Kernels* kernels : runnable()) {
    Random random(6);
    const TestKey key(random);
    for (std::size_t count = 0; count < 150; ++count) {
      Stream data(random_bytes(random, count * kBlockBytes), random() % 64);
      const Element start{random(), random()};
      BlockSum sum{&key.key, start};
      kernels->hash(sum, data.data(), count);
      ASSERT_EQ(sum.sum, reference_hash(start, key.r, data.data(), count, kBlockBytes))
          << kernels->name << " " << count;
    }
  }
}

void expect_lanes(const LaneSums& sums, const std::array<Element, 2>& start, const TestKey& key,
                  const Bytes& words) {
  for (std::size_t lane = 0; lane < 2; ++lane) {
    EXPECT_EQ(sums.sum[lane], reference_hash(start[lane], key.r, words.data() + lane * kBlockBytes,
                                             words.size() / kWordBytes, kWordBytes));
  }
}

void expect_blocks(const BlockSum& sum, Element start, const TestKey& key, const Bytes& words) {
  EXPECT_EQ(sum.sum,
            reference_hash(start, key.r, words.data(), words.size() / kBlockBytes, kBlockBytes));
}

TEST(Kernels, TwoLanes) {
  everywhere([](const Kernels& kernels, const Setting& setting, Random& random) {
    const TestKey key(random);
    Stream data(random_bytes(random, setting.words * kWordBytes), setting.shift);
    const std::array<Element, 2> start = {Element{random(), random()}, {random(), random()}};
    LaneSums sums{&key.key, {start[0], start[1]}};
    kernels.hash_lanes(sums, data.data(), setting.words);
    expect_lanes(sums, start, key, data.content());
  });
}

TEST(Kernels, SealHashesWhatItWritesAndOpenWhatItReads) {
  everywhere([](const Kernels& kernels, const Setting& setting, Random& random) {
    const std::size_t bytes = setting.words * kWordBytes;
    const TestKey key(random);
    const Bytes plain = random_bytes(random, bytes);
    Stream data(plain, setting.shift);
    Stream pad(random_bytes(random, bytes), random() % 64);
    Stream out(bytes, setting.shift);
    const Element start{random(), random()};
    BlockSum sum{&key.key, start};
    kernels.seal({data.data(), pad.data(), out.data(), bytes, setting.stores}, sum);
    const Bytes sealed = plus(plain, pad.content());
    EXPECT_EQ(out.content(), sealed);
    EXPECT_TRUE(out.guards_whole());
    expect_blocks(sum, start, key, sealed);
    sum.sum = start;
    kernels.open({out.data(), pad.data(), out.data(), bytes, setting.stores}, sum);
    EXPECT_EQ(out.content(), plain);
    expect_blocks(sum, start, key, sealed);
  });
}

TEST(Kernels, SplitWithTheStorageTag) {
  everywhere([](const Kernels& kernels, const Setting& setting, Random& random) {
    const std::size_t bytes = setting.words * kWordBytes;
    const TestKey key(random);
    Stream secret(random_bytes(random, bytes), random() % 64);
    Stream r(random_bytes(random, bytes), setting.shift);
    Stream a(bytes, setting.shift), b(bytes, setting.shift), c(bytes, setting.shift);
    SplitPass pass{secret.data(), r.data(), nullptr, b.data(), c.data(), bytes, setting.stores};
    for (const bool three : {false, true}) {
      if (three) pass.a = a.data();
      const std::array<Element, 2> start = {Element{random(), random()}, {random(), random()}};
      LaneSums sums{&key.key, {start[0], start[1]}};
      kernels.split_tag(pass, sums);
      EXPECT_EQ(b.content(), plus(r.content(), secret.content()));
      EXPECT_EQ(c.content(), plus(r.content(), times(Factor::kW, secret.content())));
      expect_lanes(sums, start, key, secret.content());
    }
    EXPECT_EQ(a.content(), r.content());
    EXPECT_TRUE(a.guards_whole() && b.guards_whole() && c.guards_whole());
  });
}

TEST(Kernels, FullSender) {
  everywhere([](const Kernels& kernels, const Setting& setting, Random& random) {
    const std::size_t bytes = setting.words * kWordBytes;
    const TestKey object(random), link_b(random), link_c(random);
    Stream s(random_bytes(random, bytes), random() % 64), r(random_bytes(random, bytes), 0);
    Stream pad_b(random_bytes(random, bytes), setting.shift);
    Stream pad_c(random_bytes(random, bytes), setting.shift);
    Stream out_b(bytes, setting.shift), out_c(bytes, setting.shift);
    const Bytes b = plus(plus(r.content(), s.content()), pad_b.content());
    const Bytes c = plus(plus(r.content(), times(Factor::kW, s.content())), pad_c.content());
    for (const bool over_pads : {false, true}) {
      Stream& to_b = over_pads ? pad_b : out_b;
      Stream& to_c = over_pads ? pad_c : out_c;
      const std::array<Element, 2> start = {Element{random(), random()}, {random(), random()}};
      LaneSums secret_sums{&object.key, {start[0], start[1]}};
      BlockSum b_sum{&link_b.key, start[0]};
      BlockSum c_sum{&link_c.key, start[1]};
      kernels.send({s.data(), r.data(), pad_b.data(), pad_c.data(), to_b.data(), to_c.data(), bytes,
                    setting.stores},
                   secret_sums, b_sum, c_sum);
      EXPECT_EQ(to_b.content(), b);
      EXPECT_EQ(to_c.content(), c);
      expect_lanes(secret_sums, start, object, s.content());
      expect_blocks(b_sum, start[0], link_b, b);
      expect_blocks(c_sum, start[1], link_c, c);
      EXPECT_TRUE(to_b.guards_whole() && to_c.guards_whole());
    }
  });
}

TEST(Kernels, CombineWithTheStorageTag) {
  everywhere([](const Kernels& kernels, const Setting& setting, Random& random) {
    const std::size_t bytes = setting.words * kWordBytes;
    const TestKey key(random);
    Stream x(random_bytes(random, bytes), random() % 64);
    Stream y(random_bytes(random, bytes), setting.shift);
    for (const Factor factor : kFactors) {
      Stream out(bytes, setting.shift);
      const std::array<Element, 2> start = {Element{random(), random()}, {random(), random()}};
      LaneSums sums{&key.key, {start[0], start[1]}};
      kernels.combine_tag({factor, x.data(), y.data(), out.data(), bytes, setting.stores}, sums);
      const Bytes expected = times(factor, plus(x.content(), y.content()));
      EXPECT_EQ(out.content(), expected);
      expect_lanes(sums, start, key, expected);
      EXPECT_TRUE(out.guards_whole());
    }
  });
}

TEST(Kernels, FullReceiverOfEveryPair) {
  everywhere([](const Kernels& kernels, const Setting& setting, Random& random) {
    const std::size_t bytes = setting.words * kWordBytes;
    const TestKey object(random), link(random);
    Stream sealed(random_bytes(random, bytes), random() % 64);
    Stream pad(random_bytes(random, bytes), random() % 64);
    Stream other(random_bytes(random, bytes), 32);
    for (const Factor factor : kFactors) {
      Stream secret(bytes, setting.shift);
      const std::array<Element, 2> start = {Element{random(), random()}, {random(), random()}};
      BlockSum link_sum{&link.key, start[0]};
      LaneSums secret_sums{&object.key, {start[0], start[1]}};
      kernels.receive(
          {factor, sealed.data(), pad.data(), other.data(), secret.data(), bytes, setting.stores},
          link_sum, secret_sums);
      const Bytes expected =
          times(factor, plus(plus(sealed.content(), pad.content()), other.content()));
      EXPECT_EQ(secret.content(), expected);
      expect_blocks(link_sum, start[0], link, sealed.content());
      expect_lanes(secret_sums, start, object, expected);
      EXPECT_TRUE(secret.guards_whole());
    }
  });
}

TEST(Kernels, TheBestIsTheLastOfTheRunnable) {
  ASSERT_FALSE(runnable().empty());
  EXPECT_STREQ(runnable().front()->name, "portable");
  EXPECT_EQ(&best(), runnable().back());
}

}  // namespace
}  // namespace warifu::kernels
