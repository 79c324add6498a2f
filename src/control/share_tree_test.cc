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

TEST(ShareTree, WhatStandsWholeAndIsToBeCut) {
  ShareTree tree = sample();
  tree.policy = *planner::parse_policy(
      "2 of (origin, vault, 2 of (cloud, 2 of (edge, edge) via cloud, cloud) via gateway)");
  tree.object.generation = 1;
  ASSERT_EQ(tree.uncut().size(), 1u);  // C2, which the policy cuts again
  EXPECT_EQ(tree.uncut().front().last_site.text(), "cloud4");
  EXPECT_FALSE(tree.is_to_be_cut(tree.uncut().front().share));
  tree.object.generation = 2;
  EXPECT_TRUE(tree.uncut().empty());
  tree.object.generation = 1;
  tree.shares.push_back(share(30, "C", "tuh", ShareState::kDurable));
  EXPECT_EQ(tree.uncut().size(), 2u);
}

TEST(ShareTree, PlannedSharesAreOfTheGenerationOfWhatIsCut) {
  os::System system = os::real_system();
  catalog::Share whole = share(4, "C", "tuh", ShareState::kDurable);
  whole.generation = 3;
  const auto target = [](const std::string& site) {
    const auto name = *SiteName::parse(site);
    return planner::ShareTarget{
        .site = name, .route = {*SiteName::parse("tuh"), name}, .nested = {}, .cut = {}};
  };
  std::vector<planner::ShareTarget> targets = {target("cloud1"), target("cloud2"),
                                               target("cloud3")};
  targets[1].nested = {target("edge1"), target("edge2")};
  targets[1].cut = *sharing::Scheme::threshold_of(2, 2);
  const sharing::RecordLayout records(sharing::Chunking{{1'000'000}});
  const auto parts =
      planned_shares(whole, targets, *sharing::Scheme::threshold_of(2, 3), records, system.random);
  std::string names;
  for (const catalog::Share& part : parts) {
    names += part.path.text() + " ";
    EXPECT_EQ(part.generation, 3u);
    EXPECT_EQ(part.state, ShareState::kPlanned);
  }
  EXPECT_EQ(names, "C1 C2 C2a C2b C3 ");
  EXPECT_EQ(parts[1].parent, whole.share);
  EXPECT_EQ(parts[2].parent, parts[1].share);
  EXPECT_EQ(parts[2].cut_shares, 2u);
}

}  // namespace
}  // namespace warifu::control
