// How key comes into the pools of a site's links: from the devices of its qkd links, in parts over
// other sites where a link is relayed, and from disks; and what the two ends of a link ask each
// other about it.
//
// Ownership: the site's parts must outlive it. Thread rule: the owner's thread; each link that
// takes key in has a thread of its own from start() to stop().
#pragma once

#include <atomic>
#include <map>
#include <thread>

#include "assembly/share_parts.h"
#include "control/key_relay.h"
#include "kme/disk_intakes.h"
#include "kme/etsi014_device.h"
#include "kme/intake.h"

namespace warifu::apps {

class SiteIntake {
 public:
  // Opens devices and disks and adds its handlers; nothing is taken in yet. Errors: those of the
  // devices' certificate files and of the files of disks.
  [[nodiscard]] static Result<std::unique_ptr<SiteIntake>> open(assembly::ShareParts& site);
  ~SiteIntake() { stop(); }
  SiteIntake(const SiteIntake&) = delete;
  SiteIntake& operator=(const SiteIntake&) = delete;

  void start();
  // Nothing new is taken in.
  void interrupt() { stopping_ = true; }
  // Waits for what is under way; idempotent. Once other sites are not served any more.
  void stop();

  [[nodiscard]] kme::DiskIntakes& disks() { return *disks_; }

 private:
  // Of one link. A relayed one has no device of its own but what `relay_` makes.
  struct LinkIntake {
    std::vector<std::unique_ptr<kme::Etsi014Device>> devices;
    std::unique_ptr<kme::Intake> intake;
    std::jthread thread;  // leads the sending direction
  };

  explicit SiteIntake(assembly::ShareParts& site) : site_(site) {}
  Result<> open_parts();
  void open_relayed(const config::PeerConfig& peer);
  Result<> open_devices(const config::PeerConfig& peer);
  void add_handlers();
  // To the other end of the link to `peer`.
  Result<Bytes> ask(const SiteName& peer, kme::IntakeMethod method, Bytes body);
  Result<Bytes> answer(const SiteName& from, kme::IntakeMethod method, ByteView body);

  assembly::ShareParts& site_;
  std::atomic<bool> stopping_ = false;
  // Later ones use earlier ones and go first.
  std::unique_ptr<control::KeyRelay> relay_;
  std::unique_ptr<kme::DiskIntakes> disks_;
  std::map<SiteName, LinkIntake> links_;
};

}  // namespace warifu::apps
