// Keystream through OpenSSL's EVP interface: the cipher over zeros.
#include "crypto/drbg.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace warifu::crypto {
namespace {

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// Below the limit of EVP's int lengths, and small enough that zeros and keystream share a cache.
constexpr std::size_t kMostPerKey = 1U << 20;

void encrypt_zeros(EVP_CIPHER_CTX* context, MutableBytes out) {
  std::ranges::fill(out, Byte{0});
  int length = 0;
  WARIFU_CHECK(EVP_EncryptUpdate(context, out.data(), &length, out.data(),
                                 static_cast<int>(out.size())) == 1);
}

}  // namespace

Drbg::Drbg(ByteView seed) : key_(secret::Buffer::copy_of(seed)) {
  WARIFU_CHECK(seed.size() == kDrbgSeedBytes);
}

void Drbg::fill(MutableBytes out) {
  const std::unique_ptr<EVP_CIPHER_CTX, CipherFree> context(EVP_CIPHER_CTX_new());
  WARIFU_CHECK(context != nullptr);
  while (!out.empty()) {
    const MutableBytes part = out.first(std::min(out.size(), kMostPerKey));
    constexpr std::array<Byte, 16> kFirstBlock{};  // a key serves one counter sequence only
    WARIFU_CHECK(EVP_EncryptInit_ex(context.get(), EVP_aes_256_ctr(), nullptr, key_.bytes().data(),
                                    kFirstBlock.data()) == 1);
    encrypt_zeros(context.get(), key_.bytes());
    encrypt_zeros(context.get(), part);
    out = out.subspan(part.size());
  }
}

}  // namespace warifu::crypto
