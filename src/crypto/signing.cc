// Ed25519 through OpenSSL's one-shot interface.
#include "crypto/signing.h"

#include "crypto/openssl.h"

namespace warifu::crypto {
namespace {}  // namespace

struct SigningKey::Key {
  KeyPtr pkey;
};

SigningKey::SigningKey(const secret::Buffer& seed) : key_(std::make_unique<Key>()) {
  WARIFU_CHECK(seed.size() == kSigningSeedBytes);
  key_->pkey.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.bytes().data(), seed.size()));
  std::size_t size = public_.size();
  WARIFU_CHECK(key_->pkey != nullptr &&
               EVP_PKEY_get_raw_public_key(key_->pkey.get(), public_.data(), &size) == 1 &&
               size == public_.size());
}

SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;

Signature SigningKey::sign(ByteView message) const {
  Signature signature{};
  std::size_t size = signature.size();
  const DigestPtr context(EVP_MD_CTX_new());
  WARIFU_CHECK(
      context != nullptr &&
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_->pkey.get()) == 1 &&
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1 &&
      size == signature.size());
  return signature;
}

bool verify_signature(const PublicKey& key, ByteView message, const Signature& signature) {
  const KeyPtr pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const DigestPtr context(EVP_MD_CTX_new());
  return pkey != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace warifu::crypto
