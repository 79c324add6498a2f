// An object read as a tree, with shares that were cut again and shares that were replaced.
#include "control/share_tree.h"

#include <gtest/gtest.h>

namespace warifu::control {
namespace {

using catalog::ShareState;

catalog::Share share(int id, std::uint8_t index, const std::string& site, ShareState state,
                     std::optional<int> parent = std::nullopt) {
  catalog::Share made{.share = ShareId::from_view(Bytes(16, static_cast<Byte>(id))),
                      .object = {},
                      .parent = {},
                      .index = index,
                      .site = {}};
  if (parent) made.parent = ShareId::from_view(Bytes(16, static_cast<Byte>(*parent)));
  made.generation = 1;
  made.state = state;
  made.last_site = *SiteName::parse(site);
  return made;
}

// A, a B that replaced another, C that was cut for three clouds, C2 replaced; and a C of a refresh
// that was given up.
ShareTree sample() {
  ShareTree tree;
  tree.shares = {share(1, 0, "tommo", ShareState::kDurable),
                 share(2, 1, "lsa", ShareState::kDeleted),
                 share(3, 1, "kyoto", ShareState::kDurable),
                 share(4, 2, "tuh", ShareState::kDeleted),
                 share(5, 0, "cloud1", ShareState::kDurable, 4),
                 share(6, 1, "cloud2", ShareState::kDeletePending, 4),
                 share(7, 1, "cloud4", ShareState::kDurable, 4),
                 share(8, 2, "cloud3", ShareState::kDurable, 4),
                 share(20, 2, "tuh", ShareState::kDeleted),
                 share(21, 0, "cloud1", ShareState::kDeletePending, 20)};
  return tree;
}

std::vector<std::string> sites_around(const catalog::Share& of) {
  std::vector<std::string> sites;
  for (const Sibling& sibling : siblings_of(sample().cut_around(of))) {
    EXPECT_EQ(static_cast<std::size_t>(sibling.index), sites.size());
    sites.push_back(sibling.site.text());
  }
  return sites;
}

TEST(ShareTree, ACutHasEveryShareOnce) {
  using Sites = std::vector<std::string>;
  EXPECT_EQ(sites_around(share(3, 1, "kyoto", ShareState::kDurable)),
            (Sites{"tommo", "kyoto", "tuh"}));
  // One that takes the place of another, and is not in the catalog yet.
  EXPECT_EQ(sites_around(share(9, 1, "nara", ShareState::kDurable)),
            (Sites{"tommo", "nara", "tuh"}));
  EXPECT_EQ(sites_around(share(9, 0, "nara", ShareState::kDurable)),
            (Sites{"nara", "kyoto", "tuh"}));
  EXPECT_EQ(sites_around(share(9, 2, "cloud5", ShareState::kDurable, 4)),
            (Sites{"cloud1", "cloud4", "cloud5"}));
}

}  // namespace
}  // namespace warifu::control
