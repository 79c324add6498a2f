// Files of the rate-model devices.
#include "apps/device_files.h"

#include <fmt/format.h>

#include "apps/certificate_files.h"
#include "os/files.h"

namespace warifu::apps {
namespace {

std::string device_urn(const DeviceFiles& device) {
  return "urn:warifu:kme:" + device.name;
}
std::string site_urn(const DeviceFiles& device) {
  return "urn:warifu:sae:" + device.own_sae;
}

std::string device_toml(const DeviceFiles& self, const DeviceFiles& peer, bool is_alice,
                        const std::string& rate) {
  const std::string way = is_alice
                              ? fmt::format("peer = \"127.0.0.1:{}\"\n", peer.model_port)
                              : fmt::format("model_listen = \"127.0.0.1:{}\"\n", self.model_port);
  return fmt::format(
      "# Made by warifu net init: a key device that models a rate (origin RATE_MODEL).\n"
      "[device]\nrole = \"{}\"\nkme_id = \"KME-{}\"\npeer_kme_id = \"KME-{}\"\n"
      "local_sae = \"{}\"\nremote_sae = \"{}\"\nlisten = \"127.0.0.1:{}\"\n{}"
      "link = \"tls\"\npeer_identity = \"{}\"\nrate = \"{}\"\nkey_size_bits = 8388608\n"
      "max_key_count = 32\nmax_keys_per_request = 16\n\n"
      "[tls]\ncertificate = \"{}/device.pem\"\nkey = \"{}/device.key\"\nca = \"{}/ca.pem\"\n\n"
      "[sae]\n\"{}\" = \"{}\"\n",
      is_alice ? "alice" : "bob", self.name, peer.name, self.own_sae, self.peer_sae, self.api_port,
      way, device_urn(peer), rate, self.dir, self.dir, self.dir, site_urn(self), self.own_sae);
}

}  // namespace

Result<> write_device_pair(const DeviceFiles& alice, const DeviceFiles& bob,
                           const std::string& rate) {
  TRY_ASSIGN(const crypto::PemCertificate ca, crypto::make_ca("Warifu key devices " + alice.name));
  for (const DeviceFiles* device : {&alice, &bob}) {
    TRY(write_certificate(ca, device->dir, "device",
                          {.common_name = "device " + device->name,
                           .dns_names = {"localhost"},
                           .ip_addresses = {"127.0.0.1"},
                           .uris = {device_urn(*device)},
                           .use = crypto::CertificateUse::kBoth}));
    TRY(write_certificate(ca, device->client_dir, "site",
                          {.common_name = device->own_sae,
                           .uris = {site_urn(*device)},
                           .use = crypto::CertificateUse::kClient}));
  }
  os::FileSystem& files = os::real_files();
  TRY(os::replace_file(files, alice.dir + "/device.toml",
                       as_bytes(device_toml(alice, bob, true, rate))));
  return os::replace_file(files, bob.dir + "/device.toml",
                          as_bytes(device_toml(bob, alice, false, rate)));
}

}  // namespace warifu::apps
