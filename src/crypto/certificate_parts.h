// What every certificate made here begins with. Only files of this folder include this.
#pragma once

#include <chrono>

#include "base/bytes.h"
#include "crypto/openssl.h"

namespace warifu::crypto {

// Version 3, a random serial number of 16 bytes, its subject, key and times from now; no issuer, no
// extensions. Errors: kInvalidArgument naming the field.
[[nodiscard]] Result<CertificatePtr> begin_certificate(const std::string& common_name,
                                                       EVP_PKEY* key,
                                                       std::chrono::seconds starts_in,
                                                       std::chrono::seconds lasts);
// `value` is always a literal of the program. Errors: kInvalidArgument.
[[nodiscard]] Result<> add_extension(X509* certificate, X509* issuer, int nid, const char* value);

}  // namespace warifu::crypto
