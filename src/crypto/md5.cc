// OpenSSL's.
#include "crypto/md5.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

namespace warifu::crypto {

std::optional<std::string> md5_text(std::span<const ByteView> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1) return {};
  for (const ByteView part : parts) {
    if (EVP_DigestUpdate(context.get(), part.data(), part.size()) != 1) return {};
  }
  std::array<Byte, 16> digest{};
  if (EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) return {};
  return to_hex(digest);
}

}  // namespace warifu::crypto
