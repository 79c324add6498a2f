// The authority's key is not kept: a demonstration needs no more applications than it starts with.
#include "apps/kms_files.h"

#include <fmt/format.h>

#include "apps/certificate_files.h"
#include "os/files.h"

namespace warifu::apps {
namespace {

constexpr int kSaesPerSite = 2;

}  // namespace

Result<std::vector<std::string>> write_kms_files(const std::vector<KmsSite>& sites,
                                                 const std::string& sae_dir) {
  TRY_ASSIGN(const crypto::PemCertificate ca, crypto::make_ca("Warifu keys for applications"));
  std::string saes;
  for (const KmsSite& site : sites) {
    TRY(write_certificate(ca, site.dir, "server",
                          {.common_name = "KME-" + site.name,
                           .dns_names = {"localhost"},
                           .ip_addresses = {"127.0.0.1"},
                           .uris = {"urn:warifu:kme:" + site.name},
                           .use = crypto::CertificateUse::kServer}));
    for (int i = 1; i <= kSaesPerSite; ++i) {
      const std::string id = fmt::format("SAE-{}-{}", site.name, i);
      TRY(write_certificate(ca, sae_dir, id,
                            {.common_name = id,
                             .uris = {"urn:warifu:sae:" + id},
                             .use = crypto::CertificateUse::kClient}));
      saes += fmt::format(
          "\n[[kms.saes]]\nid = \"{}\"\nsite = \"{}\"\nidentity = \"urn:warifu:sae:{}\"\n", id,
          site.name, id);
    }
  }
  std::vector<std::string> texts;
  for (const KmsSite& site : sites) {
    texts.push_back(fmt::format(
        "\n[kms]\n# Keys for applications by ETSI GS QKD 014 (docs/kms.md).\n"
        "listen = \"127.0.0.1:{}\"\ncertificate = \"{}/server.pem\"\nkey = \"{}/server.key\"\n"
        "ca = \"{}/ca.pem\"\nstream_socket = \"{}/streams.sock\"\n{}",
        site.port, site.dir, site.dir, site.dir, site.dir, saes));
  }
  return texts;
}

}  // namespace warifu::apps
