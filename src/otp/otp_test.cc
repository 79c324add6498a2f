// Sealing round trip, refusal of every changed bit, and uniformity of the ciphertext.
#include "otp/otp.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace warifu::secret {
struct PadTestAccess {
  static Pad make(ByteView bytes) { return Pad(Buffer::copy_of(bytes), PadOffset{}); }
};
}  // namespace warifu::secret

namespace warifu::otp {
namespace {

Bytes random_bytes(std::mt19937_64& generator, std::size_t size) {
  Bytes bytes(size);
  for (auto& b : bytes) b = static_cast<Byte>(generator());
  return bytes;
}

TEST(Otp, RoundTripOfManyLengths) {
  std::mt19937_64 generator(1);
  const mac::Key key(random_bytes(generator, 16));
  const Bytes header = random_bytes(generator, 32);
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 1000u, 262176u}) {
    const Bytes plain = random_bytes(generator, size);
    const Bytes pad = random_bytes(generator, pad_needed(size));
    Bytes data = plain;
    const auto tag = seal(secret::PadTestAccess::make(pad), key, header, data);
    ASSERT_TRUE(open(secret::PadTestAccess::make(pad), key, header, data, tag));
    EXPECT_EQ(data, plain);
  }
}

TEST(Otp, EveryChangedBitIsRefusedAndNothingIsDecrypted) {
  std::mt19937_64 generator(2);
  const mac::Key key(random_bytes(generator, 16));
  Bytes header = random_bytes(generator, 32);
  const Bytes pad = random_bytes(generator, pad_needed(40));
  Bytes data(40, 0x11);
  mac::Tag tag = seal(secret::PadTestAccess::make(pad), key, header, data);
  const auto flip_all = [&](MutableBytes target) {
    for (std::size_t bit = 0; bit < target.size() * 8; ++bit) {
      target[bit / 8] = static_cast<Byte>(target[bit / 8] ^ (1U << (bit % 8)));
      Bytes received = data;
      EXPECT_FALSE(open(secret::PadTestAccess::make(pad), key, header, received, tag));
      EXPECT_EQ(received, data);
      target[bit / 8] = static_cast<Byte>(target[bit / 8] ^ (1U << (bit % 8)));
    }
  };
  flip_all(header);
  flip_all(data);
  flip_all(tag);
}

TEST(Otp, NoByteOfThePadServesTwiceAndTheTagIsMaskedByTheLast16) {
  std::mt19937_64 generator(4);
  const mac::Key key(random_bytes(generator, 16));
  const Bytes header = random_bytes(generator, 32);
  for (const std::size_t size : {0u, 1u, 16u, 40u, 1000u}) {
    const Bytes plain = random_bytes(generator, size);
    const Bytes pad = random_bytes(generator, pad_needed(size));
    Bytes data = plain;
    const mac::Tag tag = seal(secret::PadTestAccess::make(pad), key, header, data);
    for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(data[i], plain[i] ^ pad[i]);
    Bytes message = header;
    message.insert(message.end(), data.begin(), data.end());
    const mac::Tag hash = mac::hash(key, message);
    for (std::size_t i = 0; i < tag.size(); ++i) EXPECT_EQ(tag[i], hash[i] ^ pad[size + i]);
  }
}

TEST(Otp, CiphertextOfAConstantIsUniform) {
  // Chi-squared over byte values, 255 degrees of freedom: mean 255, deviation 22.6. The generator
  // is seeded, so the test is deterministic.
  std::mt19937_64 generator(3);
  const mac::Key key(random_bytes(generator, 16));
  Bytes data(1 << 20, 0);
  const Bytes pad = random_bytes(generator, pad_needed(data.size()));
  (void)seal(secret::PadTestAccess::make(pad), key, Bytes(16), data);
  std::array<double, 256> counts{};
  for (const Byte b : data) counts[b] += 1;
  double chi = 0;
  const double expected = static_cast<double>(data.size()) / 256;
  for (const double c : counts) chi += (c - expected) * (c - expected) / expected;
  EXPECT_LT(chi, 255 + 5 * 22.6);
  EXPECT_GT(chi, 255 - 5 * 22.6);
}

}  // namespace
}  // namespace warifu::otp
