// [htsget]: how views are served to samtools, bcftools and IGV (docs/htsget.md).
//
// Values, checked when the configuration is read; thread-safe from then on.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "os/net.h"

namespace warifu::htsget {

struct Settings {
  std::optional<os::HostPort> listen;  // of its own; none: only where the pages and the API are
  std::string certificate, key;        // PEM; empty: plain HTTP, on loopback only
  std::string url;                     // "https://genomes.example.org": as clients reach it, where
                                       // that is not the name that they use
  std::vector<std::string> origins;    // pages of other origins that may ask
  std::uint64_t memory_bytes = 256ULL << 20;  // locked, of all views and answers together
  std::size_t most_views = 16;
  std::chrono::seconds life{8 * 3600};  // of a view, at most
  [[nodiscard]] bool is_tls() const { return !certificate.empty(); }
};

}  // namespace warifu::htsget
