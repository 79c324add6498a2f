// Making certificates for a site's edge: a certificate authority of its own, and end certificates
// for people, applications and devices, with ECDSA over P-256 and SHA-256.
//
// These identities are computational cryptography: they say who may talk at a site's edge and
// protect no genome on its way between sites. Times come from the system clock, serial numbers and
// keys from OpenSSL's generator. Nothing here touches a file; see http/pem_files.h.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "secret/secret.h"

namespace warifu::crypto {

enum class CertificateUse { kServer, kClient, kBoth };

struct CertificateSpec {
  std::string common_name;                // 1..64 characters without control characters
  std::vector<std::string> dns_names;     // for servers: the names that clients dial
  std::vector<std::string> ip_addresses;  // "127.0.0.1", "::1"
  std::vector<std::string> uris;          // "urn:warifu:sae:tommo"
  CertificateUse use = CertificateUse::kBoth;
  std::chrono::seconds starts_in{-300};  // from now; a little in the past, because clocks differ
  std::chrono::seconds lasts = std::chrono::days(825);  // from now
};

struct PemCertificate {
  std::string certificate;  // PEM text
  secret::Buffer key;       // PEM text, PKCS #8, not encrypted
};

// A self-signed authority that may sign end certificates only.
// Errors: kInvalidArgument naming the field.
[[nodiscard]] Result<PemCertificate> make_ca(const std::string& common_name,
                                             std::chrono::seconds lasts = std::chrono::days(3650));

// An end certificate signed by `ca`. Errors: kInvalidArgument naming the field, kCorrupt when the
// authority's texts are no certificate and key.
[[nodiscard]] Result<PemCertificate> issue_certificate(const PemCertificate& ca,
                                                       const CertificateSpec& spec);

}  // namespace warifu::crypto
