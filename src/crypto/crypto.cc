// SHA-256, HMAC and AES-256-GCM through OpenSSL's EVP interface.
#include "crypto/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

namespace warifu::crypto {
namespace {

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

std::array<Byte, 12> nonce_of(std::uint32_t domain, std::uint64_t index) {
  std::array<Byte, 12> nonce{};
  std::memcpy(nonce.data(), &domain, 4);
  std::memcpy(nonce.data() + 4, &index, 8);
  return nonce;
}

}  // namespace

Digest sha256(ByteView bytes) {
  Digest digest{};
  WARIFU_CHECK(
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

Digest hmac_sha256(ByteView key, ByteView message) {
  Digest digest{};
  unsigned length = 0;
  WARIFU_CHECK(::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(),
                      message.size(), digest.data(), &length) != nullptr &&
               length == digest.size());
  return digest;
}

void seal(ByteView key, std::uint32_t domain, std::uint64_t index, ByteView plain,
          MutableBytes out) {
  WARIFU_CHECK(key.size() == kSealKeyBytes && out.size() == plain.size() + kSealOverhead);
  const auto nonce = nonce_of(domain, index);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  WARIFU_CHECK(
      cipher != nullptr &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
      EVP_EncryptUpdate(cipher.get(), out.data(), &length, plain.data(),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), out.data() + length, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kSealOverhead,
                          out.data() + plain.size()) == 1);
}

Result<> open_sealed(ByteView key, std::uint32_t domain, std::uint64_t index, ByteView sealed,
                     MutableBytes plain) {
  WARIFU_CHECK(key.size() == kSealKeyBytes);
  if (sealed.size() < kSealOverhead || plain.size() != sealed.size() - kSealOverhead) {
    return fail(Code::kCorrupt, "sealed block has a wrong length");
  }
  const auto nonce = nonce_of(domain, index);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  std::array<Byte, kSealOverhead> tag{};
  copy_bytes(tag, sealed.last(kSealOverhead));
  int length = 0;
  WARIFU_CHECK(cipher != nullptr && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                                       key.data(), nonce.data()) == 1);
  const bool good =
      EVP_DecryptUpdate(cipher.get(), plain.data(), &length, sealed.data(),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kSealOverhead, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), plain.data() + length, &length) == 1;
  if (!good) {
    secret::wipe(plain);
    return fail(Code::kCorrupt, "sealed block does not open: changed bytes or another key");
  }
  return {};
}

}  // namespace warifu::crypto
