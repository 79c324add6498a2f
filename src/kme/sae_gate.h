// Who of a site's applications may take key now: pauses of applications and links, and quotas.
//
// A pause is durable before it is answered and holds until it is lifted, over restarts. A quota is
// a bucket that fills evenly within an hour; it is full when the site starts. Both bind what this
// site's applications take as masters; a pause of an application also keeps back what waits for it.
// Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "kme/sae_settings.h"
#include "os/system.h"

namespace warifu::kme {

class SaeGate {
 public:
  // `file`: where pauses stand; made when first needed. Errors: kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<SaeGate>> open(os::System system, std::string file,
                                                             const SaeSettings& settings);

  // Errors: kUnavailable "SAE ... is paused".
  [[nodiscard]] Result<> check_sae(const std::string& sae) const;
  // Errors: kUnavailable "applications' use of the link to ... is paused".
  [[nodiscard]] Result<> check_link(const SiteName& peer) const;
  // Takes `bytes` from the quota of an application. Errors: kOutOfKey, and nothing is taken.
  [[nodiscard]] Result<> charge(const std::string& sae, std::uint64_t bytes);
  // Gives back what was charged and not given.
  void refund(const std::string& sae, std::uint64_t bytes);

  struct Quota {
    std::uint64_t bytes_per_hour = 0;
    std::uint64_t left_bytes = 0;
  };
  // None: the application has no quota.
  [[nodiscard]] std::optional<Quota> quota(const std::string& sae) const;

  // Durably, before it returns; repeating is harmless. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> pause_sae(const std::string& sae, bool paused);
  [[nodiscard]] Result<> pause_link(const SiteName& peer, bool paused);
  [[nodiscard]] bool is_sae_paused(const std::string& sae) const;
  [[nodiscard]] bool is_link_paused(const SiteName& peer) const;

 private:
  struct Bucket {
    double most = 0, left = 0;
    std::chrono::nanoseconds filled{};
  };
  SaeGate(os::System system, std::string file) : system_(system), file_(std::move(file)) {}
  Result<> read();
  Result<> set(std::set<std::string>& names, const std::string& name, bool paused);
  double left(const Bucket& bucket) const;

  os::System system_;
  std::string file_;
  mutable std::mutex mutex_;
  std::set<std::string> saes_, links_;  // paused
  std::map<std::string, Bucket> buckets_;
};

}  // namespace warifu::kme
