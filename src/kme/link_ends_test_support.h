// Both ends of one link, each with a key manager on real files in a folder of the test's own.
//
// Whatever uses the managers must go before they do: declare the ends first.
#pragma once

#include "kme/key_manager.h"
#include "testing/temporary_folder.h"

namespace warifu::kme {

class LinkEnds {
 public:
  // Makes the pools of the left and the right end, in DIR/NAME, and opens both.
  LinkEnds(os::System system, LinkClass link_class, const std::string& one,
           const std::string& other, RandomFrom random_from = RandomFrom::kPoolOrKernel)
      : left_name(*SiteName::parse(one)),
        right_name(*SiteName::parse(other)),
        system_(system),
        random_from_(random_from) {
    const LinkId id = LinkId::from_view(Bytes(16, 5));
    left_config = {right_name, link_class, id};
    right_config = {left_name, link_class, id};
    WARIFU_CHECK(create_link_pools(system_, left_dir(), left_config).has_value());
    WARIFU_CHECK(create_link_pools(system_, right_dir(), right_config).has_value());
    open();
  }
  ~LinkEnds() { close(); }
  LinkEnds(const LinkEnds&) = delete;
  LinkEnds& operator=(const LinkEnds&) = delete;

  // Again, as after a restart; the limits of the configurations may have changed.
  void open() {
    close();
    left = *KeyManager::open(system_, left_dir(), {left_config}, random_from_);
    right = *KeyManager::open(system_, right_dir(), {right_config}, random_from_);
  }
  void close() {
    left.reset();
    right.reset();
  }
  [[nodiscard]] std::string left_dir() const { return dir + "/" + left_name.text(); }
  [[nodiscard]] std::string right_dir() const { return dir + "/" + right_name.text(); }
  [[nodiscard]] Link& left_link() { return *left->link_to(right_name); }
  [[nodiscard]] Link& right_link() { return *right->link_to(left_name); }
  // Synced preshared key from left to right, as the first segment of that direction.
  void preload(std::size_t bytes) {
    Bytes material(bytes);
    os::kernel_random().fill(material);
    for (keypool::Pool* pool : {&left_link().send(), &right_link().receive()}) {
      WARIFU_CHECK(pool->ingest({0}, keypool::Origin::kPreshared, material).has_value());
      WARIFU_CHECK(pool->mark_synced({0}, {0}).has_value());
    }
  }

  const SiteName left_name, right_name;
  sim::TemporaryFolder dir;
  LinkConfig left_config, right_config;
  std::unique_ptr<KeyManager> left, right;

 private:
  os::System system_;
  RandomFrom random_from_;
};

}  // namespace warifu::kme
