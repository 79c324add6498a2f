// An object read as a tree, with shares that were cut again and shares that were replaced.
#include "control/share_tree.h"

#include <gtest/gtest.h>

namespace warifu::control {
namespace {

using catalog::ShareState;

catalog::Share share(int id, const std::string& name, const std::string& site, ShareState state,
                     std::optional<int> parent = std::nullopt) {
  catalog::Share made{.share = ShareId::from_view(Bytes(16, static_cast<Byte>(id))),
                      .object = {},
                      .parent = {},
                      .path = *sharing::SharePath::parse(name),
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
  tree.shares = {share(1, "A", "tommo", ShareState::kDurable),
                 share(2, "B", "lsa", ShareState::kDeleted),
                 share(3, "B", "kyoto", ShareState::kDurable),
                 share(4, "C", "tuh", ShareState::kDeleted),
                 share(5, "C1", "cloud1", ShareState::kDurable, 4),
                 share(6, "C2", "cloud2", ShareState::kDeletePending, 4),
                 share(7, "C2", "cloud4", ShareState::kDurable, 4),
                 share(8, "C3", "cloud3", ShareState::kDurable, 4),
                 share(20, "C", "tuh", ShareState::kDeleted),
                 share(21, "C1", "cloud1", ShareState::kDeletePending, 20)};
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
  EXPECT_EQ(sites_around(share(3, "B", "kyoto", ShareState::kDurable)),
            (Sites{"tommo", "kyoto", "tuh"}));
  // One that takes the place of another, and is not in the catalog yet.
  EXPECT_EQ(sites_around(share(9, "B", "nara", ShareState::kDurable)),
            (Sites{"tommo", "nara", "tuh"}));
  EXPECT_EQ(sites_around(share(9, "A", "nara", ShareState::kDurable)),
            (Sites{"nara", "kyoto", "tuh"}));
  EXPECT_EQ(sites_around(share(9, "C3", "cloud5", ShareState::kDurable, 4)),
            (Sites{"cloud1", "cloud4", "cloud5"}));
}

}  // namespace
}  // namespace warifu::control
