// All links of a site, by peer and by link id, and the site's root key.
//
// Folder layout: DIR/root.key (32 bytes, mode 0600: a software root, weaker than a TPM) and
// DIR/pools/PEER/{send,receive}, of a relayed link also DIR/pools/PEER/ways; DIR/pools/random is
// the site's own; DIR/switches. Immutable after open(); the links inside are thread-safe.
#pragma once

#include <array>

#include "kme/link.h"
#include "kme/random_source.h"
#include "kme/switches.h"

namespace warifu::kme {

struct LinkConfig {
  SiteName peer;
  LinkClass link_class = LinkClass::kPreshared;
  std::optional<LinkId> id;  // none: whichever the pools are of
  KeyLimits limits;
  unsigned relay_paths = 0;  // of a relayed link
  // For simulations: told of every range that leaves the sending, the receiving pool.
  std::array<keypool::TakeWatcher*, 2> watchers = {};
};

class KeyManager {
 public:
  // Opens the pools of every configured link. Errors: kNotFound naming the missing pool, kCorrupt,
  // kBusy.
  [[nodiscard]] static Result<std::unique_ptr<KeyManager>> open(
      os::System system, const std::string& dir, const std::vector<LinkConfig>& links,
      RandomFrom random_from = RandomFrom::kPoolOrKernel);

  // nullptr when there is no such link.
  [[nodiscard]] Link* link_to(const SiteName& peer);
  [[nodiscard]] Link* link_by_id(const LinkId& id);
  [[nodiscard]] std::vector<Link*> links();
  // The site's random numbers for shares, each fill with its origin.
  [[nodiscard]] RandomSource& random() { return *random_; }
  // What the operator has switched; links and random numbers heed it.
  [[nodiscard]] Switches& switches() { return *switches_; }
  [[nodiscard]] const secret::Buffer& root_key() const { return root_key_; }

 private:
  KeyManager() = default;
  secret::Buffer root_key_;
  std::unique_ptr<Switches> switches_;
  std::vector<std::unique_ptr<Link>> links_;
  std::unique_ptr<RandomSource> random_;
};

// Makes DIR/root.key when it is missing, and returns it. Errors: kIo, kCorrupt (wrong size).
[[nodiscard]] Result<secret::Buffer> open_root_key(os::System system, const std::string& dir);

// Makes the two empty pools of a link, whose id must be set. Errors: kAlreadyExists.
[[nodiscard]] Result<> create_link_pools(os::System system, const std::string& dir,
                                         const LinkConfig& link);

[[nodiscard]] std::string pool_dir(const std::string& dir, const SiteName& peer,
                                   keypool::Direction direction);

}  // namespace warifu::kme
