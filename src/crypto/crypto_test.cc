// Published vectors of SHA-256 and AES-256-GCM, and refusal of every changed bit.
#include "crypto/crypto.h"

#include <gtest/gtest.h>

#include "crypto/running_digest.h"

namespace warifu::crypto {
namespace {

TEST(Sha256, Fips180Vector) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hmac, Rfc4231TestCases1And2) {
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Seal, GcmSpecificationTestCase14) {  // McGrew & Viega, key, nonce and text all zero
  const Bytes key(32);
  Bytes out(32);
  seal(key, 0, 0, Bytes(16), out);
  EXPECT_EQ(to_hex(out), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(RunningDigest, Md5OfRfc1321) {
  auto parts = RunningDigest::md5();
  for (const std::string_view part : {"message", "", " digest"}) parts->add(as_bytes(part));
  EXPECT_EQ(parts->finish(), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(RunningDigest::md5()->finish(), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(RunningDigest, Sha256InPartsIsThatOfTheWhole) {
  auto parts = RunningDigest::sha256();
  for (const std::string_view part : {"a", "", "bc"}) parts.add(as_bytes(part));
  EXPECT_EQ(parts.finish(), to_hex(sha256(as_bytes("abc"))));
}

TEST(Seal, EveryChangedBitIsRefusedAndWiped) {
  const Bytes key(32, 7);
  const Bytes plain(40, 0x5a);
  Bytes sealed(plain.size() + kSealOverhead);
  seal(key, 3, 9, plain, sealed);
  Bytes out(plain.size());
  ASSERT_TRUE(open_sealed(key, 3, 9, sealed, out));
  EXPECT_EQ(out, plain);
  EXPECT_FALSE(open_sealed(key, 3, 10, sealed, out));
  EXPECT_FALSE(open_sealed(key, 4, 9, sealed, out));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    sealed[bit / 8] = static_cast<Byte>(sealed[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(open_sealed(key, 3, 9, sealed, out));
    EXPECT_EQ(out, Bytes(plain.size()));
    sealed[bit / 8] = static_cast<Byte>(sealed[bit / 8] ^ (1U << (bit % 8)));
  }
}

}  // namespace
}  // namespace warifu::crypto
