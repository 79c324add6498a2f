// Issued and written in one step.
#include "apps/certificate_files.h"

#include "http/pem_files.h"
#include "os/files.h"

namespace warifu::apps {

Result<> write_certificate(const crypto::PemCertificate& ca, const std::string& dir,
                           const std::string& stem, const crypto::CertificateSpec& spec) {
  os::FileSystem& files = os::real_files();
  TRY(files.make_directories(dir));
  TRY_ASSIGN(const crypto::PemCertificate pem, crypto::issue_certificate(ca, spec));
  TRY(http::write_pem_files(files, dir + "/" + stem + ".pem", dir + "/" + stem + ".key", pem));
  return os::replace_file(files, dir + "/ca.pem", as_bytes(ca.certificate));
}

}  // namespace warifu::apps
