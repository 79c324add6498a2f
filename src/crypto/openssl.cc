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

CertificatePtr certificate_from_der(ByteView der) {
  const unsigned char* at = der.data();
  CertificatePtr certificate(::d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate != nullptr && at == der.data() + der.size()) return certificate;
  (void)openssl_errors();
  return nullptr;
}

}  // namespace warifu::crypto
