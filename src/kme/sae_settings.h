// The [kms] section of a site: where applications ask for keys, which of them live where, and how
// large and how many keys may be.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/ids.h"
#include "os/net.h"

namespace warifu::kme {

// The largest key: it lies in one block, and a block is one data frame of the channel.
inline constexpr std::int64_t kMaxSaeKeyBits = 1 << 20;
inline constexpr std::int64_t kMaxSaeKeysPerRequest = 1024;
inline constexpr std::int64_t kMaxAdditionalSaes = 16;

// One application. Every site that has to do with it lists it.
struct SaeEntry {
  std::string id;
  SiteName site;
  std::string identity;  // URI or common name in its certificate; used at its own site only
  // Of this site's applications:
  std::uint64_t quota = 0;           // bytes an hour that it may take as master; 0: no limit
  std::vector<std::uint32_t> users;  // uids that may open its key streams; empty: the site's own
};

// Key streams for applications on the site's machine (kme/key_streams.h).
struct StreamSettings {
  std::string socket;               // path; empty: no streams
  std::int64_t most = 8;            // streams at once, of both roles
  std::chrono::seconds life{3600};  // the longest
};

struct SaeSettings {
  os::HostPort listen;
  std::string certificate, key, ca;  // PEM files; `ca` signs the certificates of own SAEs
  bool common_name_first = false;
  std::int64_t key_size = 256;  // bits, like all sizes here
  std::int64_t min_key_size = 64;
  std::int64_t max_key_size = 65536;
  std::int64_t max_keys_per_request = 128;
  std::int64_t max_additional = 4;      // additional slaves of one request
  std::chrono::seconds life{3600};      // how long a key waits here for its slave SAE
  std::uint64_t max_waiting = 500'000;  // keys that wait at this site
  StreamSettings streams;
  std::vector<SaeEntry> saes;

  // Errors: kInvalidArgument: what cannot work, as a text for the operator.
  [[nodiscard]] Result<> check(const SiteName& self) const;
  // nullptr when there is no such SAE.
  [[nodiscard]] const SaeEntry* find(std::string_view id) const {
    for (const SaeEntry& sae : saes) {
      if (sae.id == id) return &sae;
    }
    return nullptr;
  }
};

}  // namespace warifu::kme
