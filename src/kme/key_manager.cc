// Opening of root key and pools.
#include "kme/key_manager.h"

#include "crypto/crypto.h"
#include "os/folders.h"

namespace warifu::kme {

std::string pool_dir(const std::string& dir, const SiteName& peer, keypool::Direction direction) {
  return dir + "/pools/" + peer.text() +
         (direction == keypool::Direction::kSend ? "/send" : "/receive");
}

Result<secret::Buffer> open_root_key(os::System system, const std::string& dir) {
  const std::string path = dir + "/root.key";
  if (!system.files.exists(dir)) TRY(os::make_folder(system.files, dir));
  secret::Buffer key(crypto::kSealKeyBytes);
  if (!system.files.exists(path)) {
    system.random.fill(key.bytes());
    TRY(os::replace_file(system.files, path, key.bytes()));
    return key;
  }
  TRY_ASSIGN(const auto file, system.files.open(path, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  if (size != crypto::kSealKeyBytes) {
    return fail(Code::kCorrupt, "root key '" + path + "' must be 32 bytes long");
  }
  TRY(file->read_exact_at(0, key.bytes()));
  return key;
}

Result<> create_link_pools(os::System system, const std::string& dir, const LinkConfig& link) {
  WARIFU_CHECK(link.id);
  TRY_ASSIGN(const secret::Buffer root, open_root_key(system, dir));
  for (const auto direction : {keypool::Direction::kSend, keypool::Direction::kReceive}) {
    TRY(keypool::Pool::create(system, pool_dir(dir, link.peer, direction), *link.id, direction,
                              root.bytes()));
  }
  return {};
}

Result<std::unique_ptr<KeyManager>> KeyManager::open(os::System system, const std::string& dir,
                                                     const std::vector<LinkConfig>& links,
                                                     RandomFrom random_from) {
  std::unique_ptr<KeyManager> manager(new KeyManager);
  TRY_ASSIGN(manager->root_key_, open_root_key(system, dir));
  TRY_ASSIGN(manager->random_,
             RandomSource::open(system, dir, manager->root_key_.bytes(), random_from));
  TRY_ASSIGN(manager->switches_,
             Switches::open(system, dir + "/switches", dir + "/sae-keys-paused"));
  manager->random_->follow(*manager->switches_);
  for (const LinkConfig& config : links) {
    std::unique_ptr<keypool::Pool> pools[2];
    for (const auto direction : {keypool::Direction::kSend, keypool::Direction::kReceive}) {
      const std::size_t at = direction == keypool::Direction::kSend ? 0 : 1;
      TRY_ASSIGN(auto pool, keypool::Pool::open(system, pool_dir(dir, config.peer, direction),
                                                manager->root_key_.bytes(),
                                                {.sweep_after = keypool::kSweepAfter,
                                                 .trail_bytes = config.limits.trail_bytes,
                                                 .watcher = config.watchers[at]}));
      const keypool::Pool* other = pools[0].get();
      if ((config.id && pool->link() != *config.id) || pool->direction() != direction ||
          (other != nullptr && other->link() != pool->link())) {
        return fail(Code::kCorrupt, "the pool in '" + pool_dir(dir, config.peer, direction) +
                                        "' belongs to another link than " +
                                        (config.id ? "the configuration says" : "the other pool"));
      }
      pools[at] = std::move(pool);
    }
    manager->links_.push_back(std::make_unique<Link>(config.peer, config.link_class,
                                                     std::move(pools[0]), std::move(pools[1]),
                                                     system.clock, config.limits));
    manager->links_.back()->follow(*manager->switches_);
    if (config.link_class != LinkClass::kRelayed) continue;
    TRY_ASSIGN(auto ways, RelayWays::open(system, dir + "/pools/" + config.peer.text() + "/ways"));
    manager->links_.back()->set_relay(config.relay_paths, std::move(ways));
  }
  return manager;
}

Link* KeyManager::link_to(const SiteName& peer) {
  for (const auto& link : links_) {
    if (link->peer() == peer) return link.get();
  }
  return nullptr;
}

Link* KeyManager::link_by_id(const LinkId& id) {
  for (const auto& link : links_) {
    if (link->id() == id) return link.get();
  }
  return nullptr;
}

std::vector<Link*> KeyManager::links() {
  std::vector<Link*> all;
  for (const auto& link : links_) all.push_back(link.get());
  return all;
}

}  // namespace warifu::kme
