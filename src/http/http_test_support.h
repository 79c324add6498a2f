// For tests of this folder and of its users: a folder with an authority, certificates of a server
// and of clients, and TLS contexts made from them.
#pragma once

#include <string>

#include "http/pem_files.h"
#include "http/tls_stream.h"
#include "testing/temporary_folder.h"

namespace warifu::http {

class TestIdentities {
 public:
  TestIdentities() {
    ca_ = *crypto::make_ca("Test authority");
    WARIFU_CHECK(write_pem_files(os::real_files(), dir_ + "/ca.pem", dir_ + "/ca.key", ca_));
    crypto::CertificateSpec server{.common_name = "server"};
    server.dns_names = {"localhost"};
    server.ip_addresses = {"127.0.0.1"};
    issue("server", server);
  }
  TestIdentities(const TestIdentities&) = delete;
  TestIdentities& operator=(const TestIdentities&) = delete;

  [[nodiscard]] const std::string& dir() const { return dir_; }
  [[nodiscard]] const crypto::PemCertificate& ca() const { return ca_; }

  void issue(const std::string& name, const crypto::CertificateSpec& spec) {
    issue(ca_, name, spec);
  }
  void issue(const crypto::PemCertificate& ca, const std::string& name,
             const crypto::CertificateSpec& spec) {
    WARIFU_CHECK(write_pem_files(os::real_files(), dir_ + "/" + name + ".pem",
                                 dir_ + "/" + name + ".key", *crypto::issue_certificate(ca, spec)));
  }
  // A client's certificate with this common name and, if not empty, URI.
  void client(const std::string& name, const std::string& common_name, const std::string& uri) {
    crypto::CertificateSpec spec{.common_name = common_name};
    if (!uri.empty()) spec.uris = {uri};
    spec.use = crypto::CertificateUse::kClient;
    issue(name, spec);
  }
  [[nodiscard]] crypto::TlsConfig config(const std::string& name) const {
    return {dir_ + "/" + name + ".pem", dir_ + "/" + name + ".key", dir_ + "/ca.pem"};
  }
  [[nodiscard]] std::shared_ptr<const crypto::TlsContext> context(crypto::TlsSide side,
                                                                  const std::string& name) const {
    auto loaded = crypto::TlsContext::load(side, config(name));
    WARIFU_CHECK(loaded);
    return *loaded;
  }

 private:
  sim::TemporaryFolder dir_;
  crypto::PemCertificate ca_;
};

}  // namespace warifu::http
