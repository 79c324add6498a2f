// The error queue as text.
#include "crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace warifu::crypto {

std::string openssl_errors() {
  std::string text;
  while (const unsigned long code = ::ERR_get_error()) {
    const char* reason = ::ERR_reason_error_string(code);
    if (!text.empty()) text += "; ";
    text += reason != nullptr ? reason : "error " + std::to_string(code);
  }
  return text.empty() ? "no reason given" : text;
}

CertificatePtr certificate_from_pem(const std::string& pem) {
  const BioPtr bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return nullptr;
  return CertificatePtr(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

}  // namespace warifu::crypto
