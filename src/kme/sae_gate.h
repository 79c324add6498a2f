// Who of a site's applications may take key now: pauses of applications and links, and quotas.
//
// A pause is an entry in the site's switches (switches.h). A quota is a bucket that fills evenly
// within an hour. What an application spends is charged durably before it is given, a 64th of the
// quota ahead, so a crash forgives nothing and costs at most that much; a site that stops in order
// writes what is left:
//
//   file   := "WRFQUOT1" count:u16 bucket* crc32c:u32                    numbers little-endian
//   bucket := left:u64 time:i64 sae:text                                 text := length:u16 bytes
//
// Both bind what this site's applications take as masters; a pause of an application also keeps
// back what waits for it. The switches must outlive it. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>

#include "base/log_limit.h"
#include "kme/sae_settings.h"
#include "kme/switches.h"
#include "os/system.h"

namespace warifu::kme {

class SaeGate {
 public:
  // `quotas`: where quotas stand; made when first needed. Errors: kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<SaeGate>> open(os::System system, Switches& switches,
                                                             std::string quotas,
                                                             const SaeSettings& settings);

  // Errors: kUnavailable "SAE ... is paused".
  [[nodiscard]] Result<> check_sae(const std::string& sae) const;
  // Errors: kUnavailable "applications' use of the link to ... is paused".
  [[nodiscard]] Result<> check_link(const SiteName& peer) const;
  // Where requests that are turned away are told, whoever turns them away.
  [[nodiscard]] LogLimit& refusals() const { return refusals_; }
  // Takes `bytes` from the quota of an application. Errors: kOutOfKey; kNoSpace, kIo when it cannot
  // be charged durably; then nothing is taken.
  [[nodiscard]] Result<> charge(const std::string& sae, std::uint64_t bytes);
  // Gives back what was charged and not given.
  void refund(const std::string& sae, std::uint64_t bytes);
  // Writes what is left, to the byte: nothing is charged ahead any more. Errors: kNoSpace, kIo.
  [[nodiscard]] Result<> settle();

  struct Quota {
    std::uint64_t bytes_per_hour = 0;
    std::uint64_t left_bytes = 0;
  };
  // None: the application has no quota.
  [[nodiscard]] std::optional<Quota> quota(const std::string& sae) const;

  // As the site's switches say.
  [[nodiscard]] bool is_sae_paused(const std::string& sae) const;
  [[nodiscard]] bool is_link_paused(const SiteName& peer) const;

 private:
  struct Bucket {
    double most = 0, left = 0;
    std::chrono::nanoseconds filled{};
    double ahead = 0;  // charged durably, of `left`
  };
  SaeGate(os::System system, Switches& switches, std::string quotas)
      : system_(system), switches_(switches), file_(std::move(quotas)) {}
  Result<> read();
  Result<> write() const;
  double left(const Bucket& bucket) const;

  os::System system_;
  Switches& switches_;
  std::string file_;
  mutable std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
  mutable LogLimit refusals_{"refusals"};
};

}  // namespace warifu::kme
