// The disk intakes of all preshared links of a site, each with its thread.
//
// Thread rule: start() once, then any thread.
#pragma once

#include <map>
#include <thread>

#include "kme/disk_intake.h"
#include "kme/key_manager.h"

namespace warifu::kme {

class DiskIntakes {
 public:
  // Asks the far end of the link to `peer`.
  using Ask = std::function<Result<Bytes>(const SiteName& peer, IntakeMethod method, Bytes body)>;

  // `dir` is the site's data folder. `keys` must outlive this. Errors: kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<DiskIntakes>> open(os::System system,
                                                                 const std::string& dir,
                                                                 const SiteName& self,
                                                                 KeyManager& keys);
  ~DiskIntakes() { stop(); }
  DiskIntakes(const DiskIntakes&) = delete;
  DiskIntakes& operator=(const DiskIntakes&) = delete;

  void start(const Ask& ask);
  void stop();

  // The link's peer, for the set in a folder. Errors: those of DiskIntake::begin(), kNotFound when
  // the site has no such link.
  [[nodiscard]] Result<SiteName> begin(const DiskOrder& order);
  // nullptr when there is no preshared link to that site.
  [[nodiscard]] DiskIntake* to(const SiteName& peer);
  // Errors: kRefused (no such link), those of DiskIntake::answer().
  [[nodiscard]] Result<Bytes> answer(const SiteName& from, ByteView body);

 private:
  DiskIntakes(os::System system, KeyManager& keys) : system_(system), keys_(keys) {}

  os::System system_;
  KeyManager& keys_;
  std::map<SiteName, std::unique_ptr<DiskIntake>> intakes_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace warifu::kme
