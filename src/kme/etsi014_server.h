// ETSI GS QKD 014 for applications (SAEs): three methods over any source of keys.
//
// The caller is who its client certificate says, by an exact allow-list; every request is judged
// by itself. A refusal always carries {"message": ...}; where the standard has a literal message,
// it is that one. Keys leave their source before the answer is written: a lost answer burns them.
// Thread rule: a KeySource is called from several threads at once.
#pragma once

#include <map>

#include "base/log_limit.h"
#include "http/server.h"
#include "kme/etsi014_json.h"

namespace warifu::kme {

struct SourceStatus {
  std::string source_kme_id;
  std::string target_kme_id;
  std::int64_t key_size = 0;  // bits
  std::int64_t stored_key_count = 0;
  std::int64_t max_key_count = 0;
  std::int64_t max_key_per_request = 0;
  std::int64_t max_key_size = 0;
  std::int64_t min_key_size = 0;
  std::int64_t max_sae_id_count = 0;
  std::uint64_t bits_available = 0;
  double bits_per_second = 0;  // inflow of this direction, for Retry-After; 0: not known
  std::string extension;       // JSON object, or empty
};

struct KeyOrder {
  std::string master;
  std::string slave;
  std::vector<std::string> additional;
  std::size_t number = 0;
  std::size_t size_bits = 0;
};

// Errors: kRefused (401: the caller has no right here), kNotFound (400: no such SAE,
// or not all of the keys), kOutOfKey (503), kUnavailable (503).
class KeySource {
 public:
  virtual ~KeySource() = default;
  [[nodiscard]] virtual Result<SourceStatus> status(const std::string& master,
                                                    const std::string& slave) = 0;
  // The sizes and limits of status(), which every order is held against; the rest may be left out.
  [[nodiscard]] virtual Result<SourceStatus> limits(const std::string& master,
                                                    const std::string& slave) {
    return status(master, slave);
  }
  // Exactly order.number keys, or none and an error. They are out of the source when this returns.
  [[nodiscard]] virtual Result<std::vector<DeviceKey>> take_new(const KeyOrder& order) = 0;
  // All of them in the order of `ids`, or none and an error; each key once to each caller.
  // kRefused when a key is there that `caller` or `master` has nothing to do with.
  [[nodiscard]] virtual Result<std::vector<DeviceKey>> take_by_id(
      const std::string& master, const std::string& caller,
      const std::vector<std::string>& ids) = 0;
};

// Certificate identity -> SAE id. A key that starts with "urn:" or contains "://" is compared with
// the URI names of a certificate, any other key with its common name.
struct SaeMap {
  std::map<std::string, std::string, std::less<>> entries;
  bool common_name_first = false;  // else URI names first

  // Errors: kRefused when no entry fits, or URI names fit two different SAEs.
  [[nodiscard]] Result<std::string> find(const crypto::PeerIdentity& identity) const;
};

// Adds the routes under /api/v1/keys. `source` must outlive the server, and `refusals` too, where
// refusals are logged; without it the routes have one of their own.
void add_etsi014_routes(http::Router& router, KeySource& source, SaeMap saes,
                        LogLimit* refusals = nullptr);

}  // namespace warifu::kme
