// Configuration of the key device stand-in, and its TOML form.
//
//   [device]
//   role = "alice"                  # alice makes the keys; bob gets a copy of each
//   kme_id = "KME-A"
//   peer_kme_id = "KME-B"
//   local_sae = "SAE-A"             # the one that takes keys here
//   remote_sae = "SAE-B"
//   listen = "0.0.0.0:8443"         # ETSI GS QKD 014, always mutual TLS
//   peer = "bob.example:9443"       # alice: where bob listens for her
//   model_listen = "0.0.0.0:9443"   # bob: where he waits for her
//   link = "tls"                    # or "plain", for tests on one machine
//   peer_identity = "urn:warifu:kme:b"  # needed with link = "tls": URI or common name of the peer
//   rate = "400Mbit/s"              # of both directions together
//   key_size_bits = 8388608
//   max_key_count = 64              # per direction
//   max_keys_per_request = 16
//   qber = 0.02                     # an error rate to tell, for trying alarms; usually left out
//   unclaimed_seconds = 600         # how long the far copy of a key that was taken waits
//   [tls]
//   certificate = "/etc/warifu/kme-a.pem"
//   key = "/etc/warifu/kme-a.key"
//   ca = "/etc/warifu/ca.pem"
//   [sae]                           # URI ("urn:...") or common name of a certificate -> SAE id
//   "urn:warifu:sae:a" = "SAE-A"
#pragma once

#include <chrono>

#include "kme/etsi014_server.h"

namespace warifu::kme {

enum class RateModelRole : std::uint8_t { kAlice = 1, kBob = 2 };

struct RateModelConfig {
  RateModelRole role = RateModelRole::kAlice;
  std::string kme_id;
  std::string peer_kme_id;
  std::string local_sae;
  std::string remote_sae;
  os::HostPort listen;
  os::HostPort peer;          // alice
  os::HostPort model_listen;  // bob
  bool link_tls = true;
  std::string peer_identity;
  std::uint64_t rate_bits_per_second = 0;
  std::uint64_t key_size_bits = 8ULL * 1024 * 1024;
  std::uint32_t max_key_count = 64;
  std::uint32_t max_keys_per_request = 16;
  std::chrono::milliseconds unclaimed{600'000};
  std::optional<double> qber;
  crypto::TlsConfig tls;
  SaeMap saes;

  [[nodiscard]] std::size_t key_bytes() const { return key_size_bits / 8; }
};

// "400Mbit/s", "1.5 Gbit/s", "256kbit/s", "8000bit/s". Errors: kInvalidArgument.
[[nodiscard]] Result<std::uint64_t> parse_bit_rate(std::string_view text);

// `source` names the text in errors. Errors: kInvalidArgument naming file, line or field, and what
// is wrong with it; unknown fields are errors.
[[nodiscard]] Result<RateModelConfig> parse_rate_model_config(std::string_view toml,
                                                              std::string_view source);
[[nodiscard]] Result<RateModelConfig> load_rate_model_config(os::FileSystem& files,
                                                             const std::string& path);

}  // namespace warifu::kme
