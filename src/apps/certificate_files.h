// Certificates that a demonstration network is made with.
#pragma once

#include "crypto/certificate.h"

namespace warifu::apps {

// Issues a certificate and writes DIR/STEM.pem, DIR/STEM.key and the authority's DIR/ca.pem; makes
// the folder. Errors: those of crypto and files.
[[nodiscard]] Result<> write_certificate(const crypto::PemCertificate& ca, const std::string& dir,
                                         const std::string& stem,
                                         const crypto::CertificateSpec& spec);

}  // namespace warifu::apps
