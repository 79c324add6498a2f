// Ed25519 against RFC 8032, section 7.1, and changed messages.
#include "crypto/signing.h"

#include <gtest/gtest.h>

namespace warifu::crypto {
namespace {

struct Vector {
  const char *seed, *key, *message, *signature;
};
const Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(SigningTest, TheVectorsOfTheStandard) {
  for (const Vector& vector : kVectors) {
    const SigningKey key(secret::Buffer::copy_of(*from_hex(vector.seed)));
    EXPECT_EQ(to_hex(key.public_key()), vector.key);
    const Bytes message = *from_hex(vector.message);
    const Signature signature = key.sign(message);
    EXPECT_EQ(to_hex(signature), vector.signature);
    EXPECT_TRUE(verify_signature(key.public_key(), message, signature));
  }
}

TEST(SigningTest, WhatWasChangedIsNotSigned) {
  const SigningKey key(secret::Buffer::copy_of(Bytes(32, 5)));
  const Bytes message = {1, 2, 3};
  const Signature signature = key.sign(message);
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Signature bent = signature;
    bent[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
    EXPECT_FALSE(verify_signature(key.public_key(), message, bent)) << bit;
  }
  EXPECT_FALSE(verify_signature(key.public_key(), Bytes{1, 2, 4}, signature));
  EXPECT_FALSE(verify_signature(PublicKey{}, message, signature));
}

}  // namespace
}  // namespace warifu::crypto
