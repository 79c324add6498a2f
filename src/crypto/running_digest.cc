// OpenSSL's EVP interface.
#include "crypto/running_digest.h"

#include <openssl/evp.h>

#include <array>

namespace warifu::crypto {

void RunningDigest::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

std::optional<RunningDigest> RunningDigest::start(const evp_md_st* kind) {
  RunningDigest started;
  started.context_.reset(EVP_MD_CTX_new());
  WARIFU_CHECK(started.context_ != nullptr);
  if (EVP_DigestInit_ex(started.context_.get(), kind, nullptr) != 1) return {};
  return started;
}

RunningDigest RunningDigest::sha256() {
  auto started = start(EVP_sha256());
  WARIFU_CHECK(started.has_value());
  return std::move(*started);
}

std::optional<RunningDigest> RunningDigest::md5() {
  return start(EVP_md5());
}

void RunningDigest::add(ByteView bytes) {
  WARIFU_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string RunningDigest::finish() {
  std::array<Byte, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  WARIFU_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1);
  return to_hex(ByteView(digest).first(length));
}

}  // namespace warifu::crypto
