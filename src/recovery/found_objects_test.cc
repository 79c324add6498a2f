// Where shares are, out of what sites tell of them.
#include "recovery/found_objects.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace warifu::recovery {
namespace {

constexpr const char* kPolicy = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";
constexpr std::uint64_t kLength = 600'000;

SiteName site(const std::string& name) {
  return *SiteName::parse(name);
}

ShareId id(const std::string& name) {
  ShareId share;
  std::ranges::copy(name, share.bytes.begin());
  return share;
}

// Shares of one object as its holders describe them.
class Network {
 public:
  FoundShare& top(const std::string& name, std::uint8_t index, const std::string& at,
                  const std::map<std::string, std::string>& siblings) {
    const planner::PolicyNode policy = *planner::parse_policy(kPolicy);
    const sharing::Chunking chunking{{kLength}};
    FoundShare& found =
        add(name, index, at, policy.scheme, sharing::RecordLayout(chunking).below(policy.scheme));
    for (const auto& [sibling, where] : siblings) {
      found.siblings.push_back(
          {static_cast<sharing::ShareIndex>(sibling[0] - 'A'), id(sibling), site(where)});
    }
    return found;
  }
  FoundShare& part(const std::string& name, std::uint8_t index, const std::string& at,
                   const std::string& parent, bool finished) {
    const planner::PolicyNode policy = *planner::parse_policy(kPolicy);
    const sharing::Scheme scheme = policy.children[2].scheme;
    const sharing::Chunking chunking{{kLength}};
    FoundShare& found = add(name, index, at, scheme,
                            sharing::RecordLayout(chunking).below(policy.scheme).below(scheme));
    found.spec.parent = id(parent);
    found.spec.path = sharing::SharePath(sharing::ShareIndex::kC).part(index);
    for (std::uint8_t i = 0; finished && i < 3; ++i) {
      const std::string number = std::to_string(i + 1);
      found.siblings.push_back(
          {static_cast<sharing::ShareIndex>(i), id("C" + number), site("cloud" + number)});
    }
    return found;
  }
  // The reference: A at tommo, B at lsa, C cut again at tuh.
  void store() {
    const std::map<std::string, std::string> cut = {{"A", "tommo"}, {"B", "lsa"}, {"C", "tuh"}};
    top("A", 0, "tommo", cut);
    top("B", 1, "lsa", cut);
    for (std::uint8_t i = 0; i < 3; ++i) {
      const std::string number = std::to_string(i + 1);
      part("C" + number, i, "cloud" + number, "C", true);
    }
  }
  void lose(const std::string& at) {
    std::erase_if(shares, [&](const FoundShare& found) { return found.site == site(at); });
  }
  FoundShare& add(const std::string& name, std::uint8_t index, const std::string& at,
                  const sharing::Scheme& scheme, const sharing::RecordLayout& records) {
    FoundShare found{.site = site(at),
                     .created = {1000 + static_cast<std::int64_t>(shares.size())}};
    found.spec = {.share = id(name),
                  .path = sharing::SharePath().part(index),
                  .scheme = scheme,
                  .generation = 1,
                  .object_length = kLength,
                  .records = records,
                  .policy = kPolicy};
    found.spec.object.bytes[0] = 7;
    std::ranges::copy(at, found.spec.owner.bytes.begin());
    shares.push_back(found);
    return shares.back();
  }

  std::vector<FoundShare> shares;
};

// Where the tree says that a share is; "" for one that is kept nowhere.
std::string where(const FoundTree& tree, const std::string& name) {
  for (const auto& share : tree.found.shares) {
    if (share.share == id(name)) return share.site ? share.site->text() : "";
  }
  return "unknown";
}

std::vector<std::string> spares(const FoundTree& tree) {
  std::vector<std::string> names;
  for (const auto& share : tree.found.spare) {
    names.push_back(reinterpret_cast<const char*>(share.share.bytes.data()) + std::string("@") +
                    share.last_site.text());
  }
  std::ranges::sort(names);
  return names;
}

TEST(FoundObjects, AWholeObjectStandsWhereItIs) {
  Network network;
  network.store();
  const auto tree = settle(network.shares);
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(where(*tree, "A"), "tommo");
  EXPECT_EQ(where(*tree, "B"), "lsa");
  EXPECT_EQ(where(*tree, "C"), "");
  EXPECT_EQ(where(*tree, "C2"), "cloud2");
  EXPECT_EQ(tree->lost, 0u);
  EXPECT_TRUE(tree->found.spare.empty());
  EXPECT_EQ(tree->found.object.length, kLength);
  EXPECT_EQ(tree->found.object.chunk_count, 3u);
  EXPECT_EQ(tree->owner.size(), 5u);
  const auto cut = std::ranges::find(tree->found.shares, id("C"), &catalog::Share::share);
  EXPECT_EQ(cut->last_site, site("tuh"));
  const catalog::Sighting gateway{site("tuh"), *sharing::SharePath::parse("C")};
  EXPECT_NE(std::ranges::find(tree->found.sightings, gateway), tree->found.sightings.end());
}

TEST(FoundObjects, WhatBurntStandsWhereItsSiblingsSay) {
  for (const std::string burnt : {"tommo", "lsa", "cloud1", "cloud3"}) {
    Network network;
    network.store();
    network.lose(burnt);
    const auto tree = settle(network.shares);
    ASSERT_TRUE(tree) << tree.error().message;
    EXPECT_EQ(tree->lost, 1u);
    EXPECT_EQ(where(*tree, "A"), "tommo");
    EXPECT_EQ(where(*tree, "C1"), "cloud1");
    EXPECT_EQ(where(*tree, "C3"), "cloud3");
  }
}

TEST(FoundObjects, TooFewSharesAreNoObject) {
  Network network;
  network.store();
  for (const char* burnt : {"tommo", "cloud1", "cloud2"}) network.lose(burnt);
  const auto tree = settle(network.shares);
  ASSERT_FALSE(tree);
  EXPECT_EQ(tree.error().code, Code::kRefused);
  EXPECT_NE(tree.error().message.find("only 1 of its shares"), std::string::npos);
}

TEST(FoundObjects, AStoreThatWasNeverFinishedIsNone) {
  Network network;
  network.top("A", 0, "tommo", {});
  network.top("B", 1, "lsa", {});
  EXPECT_EQ(settle(network.shares).error().code, Code::kRefused);
}

TEST(FoundObjects, PartsCountOnlyWhenTheirCutIsFinished) {
  const std::map<std::string, std::string> cut = {{"A", "tommo"}, {"B", "lsa"}, {"C", "tuh"}};
  Network network;
  network.top("A", 0, "tommo", cut);
  network.top("B", 1, "lsa", cut);
  network.top("C", 2, "tuh", cut);
  network.part("C1", 0, "cloud1", "C", false);
  network.part("C2", 1, "cloud2", "C", false);
  auto tree = settle(network.shares);
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(where(*tree, "C"), "tuh");
  EXPECT_EQ(spares(*tree), (std::vector<std::string>{"C1@cloud1", "C2@cloud2"}));

  // All parts are there, and C is not deleted yet.
  network = {};
  network.store();
  network.top("C", 2, "tuh", cut);
  tree = settle(network.shares);
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(where(*tree, "C"), "");
  EXPECT_EQ(where(*tree, "C1"), "cloud1");
  const auto whole = std::ranges::find(tree->found.shares, id("C"), &catalog::Share::share);
  EXPECT_EQ(whole->state, catalog::ShareState::kDeletePending);
  EXPECT_EQ(whole->last_site, site("tuh"));
}

TEST(FoundObjects, OfTwoSharesOfOnePlaceTheOneThatSiblingsNameStands) {
  const std::map<std::string, std::string> old = {{"A", "tommo"}, {"B", "lsa"}, {"C", "tuh"}};
  Network network;
  network.store();
  // Repaired at kyoto, and A has heard of it; lsa comes back with what it had.
  network.top("BB", 1, "kyoto", {{"A", "tommo"}, {"BB", "kyoto"}, {"C", "tuh"}});
  for (control::Sibling& sibling : network.shares[0].siblings) {
    if (sibling.share == id("B")) sibling = {sharing::ShareIndex::kB, id("BB"), site("kyoto")};
  }
  const auto tree = settle(network.shares);
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(where(*tree, "BB"), "kyoto");
  EXPECT_EQ(spares(*tree), std::vector<std::string>{"B@lsa"});
}

TEST(FoundObjects, OfTwoGenerationsTheOneThatMostSitesShowStands) {
  // A refresh was interrupted: these sites show their share of generation 2 beside the old one, and
  // those have deleted the old one.
  const auto settled = [](const std::vector<std::string>& fresh,
                          const std::vector<std::string>& deleted) {
    Network network;
    network.store();
    const std::vector<FoundShare> old = network.shares;
    for (const std::string& at : deleted) network.lose(at);
    for (FoundShare found : old) {
      if (std::ranges::find(fresh, found.site.text()) == fresh.end()) continue;
      const auto renew = [](ShareId& share) { share.bytes[15] = 2; };
      found.spec.generation = 2;
      renew(found.spec.share);
      if (found.spec.parent) renew(*found.spec.parent);
      for (control::Sibling& sibling : found.siblings) renew(sibling.share);
      network.shares.push_back(found);
    }
    const auto tree = settle(network.shares);
    EXPECT_TRUE(tree) << tree.error().message;
    EXPECT_TRUE(!tree || tree->lost == 0);
    return tree ? tree->found.object.generation : 0;
  };
  const std::vector<std::string> all = {"tommo", "lsa", "cloud1", "cloud2", "cloud3"};
  EXPECT_EQ(settled({}, {}), 1u);
  EXPECT_EQ(settled({"tommo", "cloud2"}, {}), 1u);
  EXPECT_EQ(settled({"tommo", "lsa", "cloud1", "cloud3"}, {}), 1u);
  EXPECT_EQ(settled(all, {}), 2u);
  EXPECT_EQ(settled(all, {"lsa"}), 2u);
  EXPECT_EQ(settled(all, all), 2u);
}

// A share came back to a site that had still to delete the one of before.
TEST(FoundObjects, TwoSharesForOnePlaceAtOneSiteAreNoLie) {
  Network network;
  network.store();
  network.top("BB", 1, "lsa", {{"A", "tommo"}, {"BB", "lsa"}, {"C", "tuh"}});
  const auto tree = settle(network.shares);
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(where(*tree, "A"), "tommo");
  EXPECT_EQ(where(*tree, "B"), "lsa");  // which the others name
  EXPECT_EQ(spares(*tree), std::vector<std::string>{"BB@lsa"});
}

TEST(FoundObjects, OneSiteDoesNotOutvoteTheOthers) {
  Network network;
  network.store();
  const std::map<std::string, std::string> lie = {{"AA", "cloud1"}, {"BB", "cloud1"}, {"C", "tuh"}};
  network.top("AA", 0, "cloud1", lie);
  network.top("BB", 1, "cloud1", lie);
  auto tree = settle(network.shares);
  ASSERT_FALSE(tree);
  EXPECT_NE(tree.error().message.find("cloud1 shows several shares"), std::string::npos);
  // With one forged share, which names the others, the true one stands.
  network = {};
  network.store();
  network.lose("cloud1");
  network.top("BB", 1, "cloud1", {{"A", "tommo"}, {"BB", "cloud1"}, {"C", "tuh"}});
  tree = settle(network.shares);
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ(where(*tree, "B"), "lsa");
}

// Whatever sites are silent: an object comes out exactly when enough of it answers, and nothing
// stands at another place than it is.
TEST(FoundObjects, AnySitesMayBeSilent) {
  const std::vector<std::string> sites = {"tommo", "lsa", "cloud1", "cloud2", "cloud3"};
  for (unsigned silent = 0; silent < 31; ++silent) {
    Network network;
    network.store();
    std::size_t clouds = 3, live = 2;
    for (std::size_t i = 0; i < sites.size(); ++i) {
      if ((silent >> i & 1U) == 0) continue;
      network.lose(sites[i]);
      (i < 2 ? live : clouds) -= 1;
    }
    live += clouds >= 2 ? 1 : 0;
    const auto tree = settle(network.shares);
    ASSERT_EQ(tree.has_value(), live >= 2) << silent;
    if (!tree) continue;
    EXPECT_EQ(where(*tree, "A"), "tommo");
    EXPECT_EQ(where(*tree, "B"), "lsa");
    EXPECT_TRUE(tree->found.spare.empty());
    if (clouds > 0) {
      EXPECT_EQ(where(*tree, "C1"), "cloud1");
      EXPECT_EQ(where(*tree, "C"), "");
    }
  }
}

// Trees with a cut inside a cut; shares by name and place, cut by "gate".
class Tree {
 public:
  explicit Tree(const std::string& policy)
      : text_(policy), policy_(*planner::parse_policy(policy)) {}

  // A share as its holder shows it; its siblings are known by their names.
  void show(const std::string& name, bool finished = true) {
    const auto path = *sharing::SharePath::parse(name);
    FoundShare found{.site = at(name),
                     .created = {1000 + static_cast<std::int64_t>(shares.size())}};
    const planner::PolicyNode& cut = *policy_.find(path.parent());
    found.spec = {.share = id(name),
                  .path = path,
                  .scheme = cut.scheme,
                  .generation = 1,
                  .object_length = kLength,
                  .records = planner::records_at(
                      policy_, sharing::RecordLayout(sharing::Chunking{{kLength}}), path),
                  .policy = text_};
    found.spec.object.bytes[0] = 7;
    if (!path.is_top()) found.spec.parent = id(path.parent().text());
    for (std::size_t i = 0; finished && i < cut.children.size(); ++i) {
      const std::string sibling = path.parent().part(i).text();
      found.siblings.push_back({static_cast<sharing::ShareIndex>(i), id(sibling), at(sibling)});
    }
    shares.push_back(found);
  }
  static SiteName at(std::string name) {
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    return site("at-" + name);
  }

  std::vector<FoundShare> shares;

 private:
  std::string text_;
  planner::PolicyNode policy_;
};

TEST(FoundObjects, ACutInsideACutStandsInItsParts) {
  Tree tree("2 of (origin, vault, 2 of (cloud, cloud, 2 of (edge, edge, edge) via hub) via gate)");
  for (const char* name : {"A", "B", "C1", "C2", "C3a", "C3b", "C3c"}) tree.show(name);
  const auto settled = settle(tree.shares);
  ASSERT_TRUE(settled) << settled.error().message;
  for (const char* cut : {"C", "C3"}) EXPECT_EQ(where(*settled, cut), "") << cut;
  EXPECT_EQ(where(*settled, "C3b"), "at-c3b");
  EXPECT_EQ(settled->lost, 0u);
  EXPECT_TRUE(settled->unnamed.empty());
  const auto hub = std::ranges::find(settled->found.shares, id("C3"), &catalog::Share::share);
  EXPECT_EQ(hub->last_site, site("at-c3"));
  EXPECT_EQ(hub->parent, id("C"));
  // Parts that are lost stand where their siblings say; with too few of them C3 is lost, C is not.
  std::erase_if(tree.shares, [](const FoundShare& found) {
    return found.spec.path.text() == "C3a" || found.spec.path.text() == "C3b";
  });
  const auto fewer = settle(tree.shares);
  ASSERT_TRUE(fewer) << fewer.error().message;
  EXPECT_EQ(where(*fewer, "C3a"), "at-c3a");
  EXPECT_EQ(fewer->lost, 2u);
  // Then without C1 and A nothing restores.
  std::erase_if(tree.shares, [](const FoundShare& found) {
    return found.spec.path.text() == "C1" || found.spec.path.text() == "A";
  });
  const auto none = settle(tree.shares);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("only 1 of its shares are there"), std::string::npos)
      << none.error().message;
}

TEST(FoundObjects, ACutThatWasNotFinishedLeavesItsShareWhole) {
  Tree tree("2 of (origin, vault, 2 of (cloud, cloud, 2 of (edge, edge, edge) via hub) via gate)");
  for (const char* name : {"A", "B", "C1", "C2", "C3"}) tree.show(name);
  tree.show("C3a", false);
  const auto settled = settle(tree.shares);
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_EQ(where(*settled, "C3"), "at-c3");
  EXPECT_EQ(spares(*settled), std::vector<std::string>{"C3a@at-c3a"});
}

// B was cut into nothing but shares that were cut again: its own siblings still name it.
TEST(FoundObjects, AShareThatOnlyItsSiblingsNameIsCutAllTheSame) {
  Tree tree("2 of (origin, 2 of (2 of (a, b) via x, 2 of (c, d) via y) via g, vault)");
  for (const char* name : {"A", "B1a", "B1b", "B2a", "B2b", "C"}) tree.show(name);
  const auto settled = settle(tree.shares);
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_TRUE(settled->unnamed.empty());
  EXPECT_EQ(where(*settled, "B"), "");
  const auto part = std::ranges::find(settled->found.shares, id("B2"), &catalog::Share::share);
  EXPECT_EQ(part->parent, id("B"));
  EXPECT_EQ(settled->lost, 0u);
}

// Of A nobody tells: its siblings were cut again as well.
TEST(FoundObjects, AShareThatNobodyNamesGetsAnIdAndAlwaysTheSame) {
  Tree tree("2 of (2 of (2 of (a, b) via x, 2 of (c, d) via y) via g, 2 of (e, f) via h)");
  for (const char* name : {"A1a", "A1b", "A2a", "A2b", "B1", "B2"}) tree.show(name);
  const auto settled = settle(tree.shares);
  ASSERT_TRUE(settled) << settled.error().message;
  ASSERT_EQ(settled->unnamed.size(), 1u);
  const auto& [path, made_up] = *settled->unnamed.begin();
  EXPECT_EQ(path.text(), "A");
  EXPECT_FALSE(made_up.is_zero());
  const auto part = std::ranges::find(settled->found.shares, id("A1"), &catalog::Share::share);
  EXPECT_EQ(part->parent, made_up);
  std::ranges::reverse(tree.shares);
  const auto again = settle(tree.shares);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->unnamed, settled->unnamed);
}

}  // namespace
}  // namespace warifu::recovery
