// OpenSSL's EVP interface.
#include "crypto/running_digest.h"

#include <openssl/evp.h>

namespace warifu::crypto {

RunningDigest::RunningDigest() : context_(EVP_MD_CTX_new()) {
  WARIFU_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
}

RunningDigest::~RunningDigest() {
  EVP_MD_CTX_free(context_);
}

void RunningDigest::add(ByteView bytes) {
  WARIFU_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

Digest RunningDigest::finish() {
  Digest digest{};
  WARIFU_CHECK(EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1);
  return digest;
}

}  // namespace warifu::crypto
