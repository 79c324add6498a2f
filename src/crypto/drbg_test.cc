// The generator against the published vectors of its cipher, and the erasure of its keys.
#include "crypto/drbg.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace warifu::crypto {
namespace {

// AES-256-CTR from block 0 over zeros, in one call.
Bytes keystream(ByteView key, std::size_t size) {
  Bytes out(size);
  const Bytes zeros(size), first_block(16);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int length = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), nullptr, key.data(), first_block.data()),
            1);
  EXPECT_EQ(EVP_EncryptUpdate(context, out.data(), &length, zeros.data(), static_cast<int>(size)),
            1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

TEST(Drbg, TheFirstBlockIsThePublishedOneOfAes256) {
  // AES-256 of the zero block under the zero key (NIST AESAVS, all zeros) is the start of the next
  // key, so the first byte handed out comes from counter block 2.
  const Bytes stream = keystream(Bytes(32), 64);
  EXPECT_EQ(to_hex(ByteView(stream).first(16)), "dc95c078a2408989ad48a21492842087");
  Drbg drbg(Bytes(32, 0));
  Bytes out(32);
  drbg.fill(out);
  EXPECT_TRUE(std::ranges::equal(out, ByteView(stream).subspan(32)));
}

TEST(Drbg, EveryFillHasAKeyOfItsOwn) {
  const Bytes seed(32, 7);
  Drbg drbg(seed);
  Bytes first(100), second(100);
  drbg.fill(first);
  drbg.fill(second);
  const Bytes stream = keystream(seed, 132);
  EXPECT_TRUE(std::ranges::equal(first, ByteView(stream).subspan(32)));
  const Bytes next = keystream(ByteView(stream).first(32), 132);
  EXPECT_TRUE(std::ranges::equal(second, ByteView(next).subspan(32)));
}

TEST(Drbg, LongFillsChangeTheKeyOnTheWay) {
  const Bytes seed(32, 9);
  constexpr std::size_t kMebibyte = 1U << 20;
  Drbg drbg(seed);
  Bytes out(kMebibyte + 5);
  drbg.fill(out);
  const Bytes stream = keystream(seed, kMebibyte + 37);
  EXPECT_TRUE(
      std::ranges::equal(ByteView(out).first(kMebibyte), ByteView(stream).subspan(32, kMebibyte)));
  EXPECT_FALSE(std::ranges::equal(ByteView(out).subspan(kMebibyte), ByteView(stream).last(5)));
}

}  // namespace
}  // namespace warifu::crypto
