// The generator is AES-256-CTR under keys that change as promised; a child of fork() has a stream
// of its own; and its rate beside the kernel's.
#include "crypto/drbg.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace warifu::crypto {
namespace {

// AES-256-CTR from counter zero, by OpenSSL alone.
Bytes keystream(ByteView key, std::size_t size) {
  Bytes out(size);
  const Bytes zeros(size), counter(16);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int length = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), nullptr, key.data(), counter.data()), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context, out.data(), &length, zeros.data(), static_cast<int>(size)),
            1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

// Each call gives other bytes, told from outside.
struct CountingSeed {
  int calls = 0;
  void operator()(MutableBytes out) {
    ++calls;
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<Byte>(calls * 50 + static_cast<int>(i));
    }
  }
};

TEST(Drbg, IsCounterModeAndTakesItsNextKeyFromItsOwnStreamAndTheSeed) {
  CountingSeed seed;
  Drbg drbg([&](MutableBytes out) { seed(out); });
  Bytes got(Drbg::kBytesPerKey + 1000);
  for (std::size_t at = 0, step = 1; at < got.size(); step = step * 3 % 7919) {
    const std::size_t part = std::min(step, got.size() - at);
    drbg.fill(MutableBytes(got).subspan(at, part));
    at += part;
  }
  EXPECT_EQ(seed.calls, 2);
  CountingSeed same;
  Bytes first_key(32), fresh(32);
  same(first_key);
  same(fresh);
  const Bytes first = keystream(first_key, Drbg::kBytesPerKey + 32);
  EXPECT_TRUE(std::ranges::equal(ByteView(got).first(Drbg::kBytesPerKey),
                                 ByteView(first).first(Drbg::kBytesPerKey)));
  Bytes second_key(32);
  for (std::size_t i = 0; i < 32; ++i) {
    second_key[i] = static_cast<Byte>(fresh[i] ^ first[Drbg::kBytesPerKey + i]);
  }
  EXPECT_TRUE(
      std::ranges::equal(ByteView(got).subspan(Drbg::kBytesPerKey), keystream(second_key, 1000)));
}

TEST(Drbg, AForkedChildHasAStreamOfItsOwn) {
  CountingSeed seed;
  Drbg drbg([&](MutableBytes out) { seed(out); });
  Bytes before(16), parent(16), child(16);
  drbg.fill(before);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    drbg.fill(child);
    const bool told = ::write(ends[1], child.data(), child.size()) == 16;
    ::_exit(told ? 0 : 1);
  }
  drbg.fill(parent);
  ASSERT_EQ(::read(ends[0], child.data(), child.size()), 16);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_NE(parent, child);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace warifu::crypto
