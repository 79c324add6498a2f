// The rebuild read as an enemy would: crashes, silent sites, stale copies, damaged headers, two
// generations half present. Nothing that is needed may go, and nothing that does not join may stand
// together.
#include <gtest/gtest.h>

#include "recovery/rebuild_test_support.h"

namespace warifu::recovery {
namespace {

using catalog::ShareState;

constexpr const char* kFlat = "2 of (origin, vault, vault)";
constexpr const char* kNested = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)";

// A at tommo, B at lsa, C at tuh, of generation 1, and the catalog knows it.
void store_flat(RebuildWorld& world) {
  world.put("A", "A", "tommo", 1, "1");
  world.put("B", "B", "lsa", 1, "1");
  world.put("C", "C", "tuh", 1, "1");
  world.name_siblings({"A", "B", "C"});
  world.add_rows({world.row("A", "A", "tommo", 1, ShareState::kDurable),
                  world.row("B", "B", "lsa", 1, ShareState::kDurable),
                  world.row("C", "C", "tuh", 1, ShareState::kDurable)});
  world.commit();
}

// The next generation beside it, under these names; its rows are being written.
void deal(RebuildWorld& world, const std::vector<std::string>& names, std::uint32_t generation,
          const std::string& bytes) {
  const std::vector<std::string> sites = {"tommo", "lsa", "tuh"};
  const std::vector<std::string> places = {"A", "B", "C"};
  for (std::size_t i = 0; i < 3; ++i) {
    world.put(names[i], places[i], sites[i], generation, bytes);
  }
  world.name_siblings(names);
}
void plan(RebuildWorld& world, const std::vector<std::string>& names, std::uint32_t generation) {
  world.add_rows({world.row(names[0], "A", "tommo", generation, ShareState::kWriting),
                  world.row(names[1], "B", "lsa", generation, ShareState::kWriting),
                  world.row(names[2], "C", "tuh", generation, ShareState::kWriting)});
}

void rebuild_and_sweep(RebuildWorld& world, const std::set<std::string>& silent = {}) {
  (void)world.rebuild(silent);
  for (int i = 0; i < 3; ++i) world.sweep(silent);
}

// The copy says that C is whole at the gateway, and that its parts are being written; then they
// were finished, and C was deleted. The gateway is silent: what it had is not there any more.
TEST(Rebuild, PartsOfAShareWhoseGatewayIsSilentAreNotGivenUp) {
  RebuildWorld world(kNested);
  store_flat(world);
  std::vector<catalog::Share> parts;
  for (const char* name : {"C1", "C2", "C3"}) {
    parts.push_back(
        world.row(name, name, "cloud" + std::string(name + 1), 1, ShareState::kWriting, "C"));
  }
  world.add_rows(parts);
  world.copy_catalog();
  for (const std::string name : {"C1", "C2", "C3"}) {
    world.put(name, name, "cloud" + name.substr(1), 1, "1/x", "C");
  }
  world.name_siblings({"C1", "C2", "C3"});
  world.drop("C");
  world.burn(true);
  ASSERT_TRUE(world.restores());
  rebuild_and_sweep(world, {"tuh"});
  EXPECT_TRUE(world.restores());
  // The gateway answers: the parts stand.
  rebuild_and_sweep(world);
  EXPECT_TRUE(world.restores());
  EXPECT_EQ(world.state("C2"), "cloud2");
  EXPECT_EQ(world.state("B"), "lsa");
}

TEST(Rebuild, ARefreshThatWasCommittedIsFinished) {
  RebuildWorld world(kFlat);
  store_flat(world);
  world.copy_catalog();
  deal(world, {"A2", "B2", "C2"}, 2, "2");
  world.drop("B");  // deleting the old ones had begun
  world.burn(true);
  rebuild_and_sweep(world);
  EXPECT_EQ(world.catalog->object(world.object)->generation, 2u);
  EXPECT_EQ(world.state("B2"), "lsa");
  EXPECT_EQ(world.state("C"), "deleted");
  EXPECT_EQ(world.find("C"), nullptr);
  EXPECT_TRUE(world.restores());
}

// The same, and one that has the new share does not answer: the old one stays.
TEST(Rebuild, ARefreshIsNotFinishedWhileANewShareIsNotShown) {
  RebuildWorld world(kFlat);
  store_flat(world);
  world.copy_catalog();
  deal(world, {"A2", "B2", "C2"}, 2, "2");
  world.drop("B");
  world.burn(true);
  rebuild_and_sweep(world, {"tuh"});
  EXPECT_NE(world.find("C"), nullptr);
  EXPECT_TRUE(world.restores());
}

// A site was silent when the catalog came back, in the middle of a refresh; it has no new share.
// What was settled then stays: the new generation, of which that share is lost.
TEST(Rebuild, AGenerationThatWasSettledOnIsNotGivenUpForAnOlderOne) {
  RebuildWorld world(kNested);
  for (const std::string generation : {"1", "2"}) {
    const auto number = static_cast<std::uint32_t>(std::stoul(generation));
    world.put("A" + generation, "A", "tommo", number, generation);
    world.put("B" + generation, "B", "lsa", number, generation);
    world.put("C" + generation, "C", "tuh", number, generation);
    for (const std::string part : {"C1", "C2", "C3"}) {
      world.put(part + "." + generation, part, "cloud" + part.substr(1), number, generation + "/x",
                "C" + generation);
    }
    world.name_siblings({"A" + generation, "B" + generation, "C" + generation});
    world.name_siblings({"C1." + generation, "C2." + generation, "C3." + generation});
    world.drop("C" + generation);
  }
  world.drop("C2.2");
  world.burn(false);
  rebuild_and_sweep(world, {"cloud2"});
  ASSERT_EQ(world.catalog->object(world.object)->generation, 2u);
  rebuild_and_sweep(world);
  EXPECT_EQ(world.catalog->object(world.object)->generation, 2u);
  EXPECT_TRUE(world.rebuild({})) << world.rebuild({}).error().message;
  EXPECT_TRUE(world.restores());
}

// All of the old generation is there, one of it at a site that the copy does not know: nothing says
// that the refresh was committed.
TEST(Rebuild, AnOldGenerationThatIsWholeStays) {
  RebuildWorld world(kFlat);
  store_flat(world);
  world.copy_catalog();
  world.put("Bm", "B", "aist", 1, "1");
  world.name_siblings({"A", "Bm", "C"});
  world.drop("B");
  world.put("A2", "A", "tommo", 2, "2");
  world.put("B2", "B", "aist", 2, "2");
  world.put("C2", "C", "tuh", 2, "2");
  world.name_siblings({"A2", "B2", "C2"});
  world.burn(true);
  rebuild_and_sweep(world);
  EXPECT_EQ(world.catalog->object(world.object)->generation, 1u);
  EXPECT_EQ(world.state("Bm"), "aist");
  for (const char* name : {"Bm", "C", "B2", "C2"}) EXPECT_NE(world.find(name), nullptr) << name;
  EXPECT_TRUE(world.restores());
}

// Two refreshes had number 2, because the copy knew nothing of the first. One header of the second
// is damaged; nobody may put a share of the first in its place.
TEST(Rebuild, RefreshesOfOneNumberAreNotMixed) {
  for (const bool from_copy : {false, true}) {
    RebuildWorld world(kFlat);
    store_flat(world);
    deal(world, {"A2", "B2", "C2"}, 2, "2");
    plan(world, {"A3", "B3", "C3"}, 2);
    deal(world, {"A3", "B3", "C3"}, 2, "3");
    world.add_job();
    const auto committed = world.catalog->commit_generation(world.object, 2, world.job, {}, {});
    ASSERT_TRUE(committed) << committed.error().message;
    for (const char* old : {"A", "B", "C"}) world.drop(old);
    if (from_copy) world.copy_catalog();
    world.own = "aist";  // the control site keeps no share here
    world.find("B3")->unreadable = true;
    world.burn(from_copy);
    rebuild_and_sweep(world);
    EXPECT_TRUE(world.joins()) << from_copy;
    EXPECT_TRUE(world.restores()) << from_copy;
    EXPECT_NE(world.find("B3"), nullptr) << from_copy;
  }
}

// The first attempt at cutting C left a part at a cloud that was away when it was taken back.
TEST(Rebuild, PartsOfTwoAttemptsAreNotMixed) {
  RebuildWorld world(kNested);
  world.put("A", "A", "tommo", 1, "1");
  world.put("B", "B", "lsa", 1, "1");
  world.put("C", "C", "tuh", 1, "1");
  world.name_siblings({"A", "B", "C"});
  world.put("P1", "C1", "cloud1", 1, "1/first", "C");
  for (const std::string name : {"C1", "C2", "C3"}) {
    world.put(name, name, "cloud" + name.substr(1), 1, "1/second", "C");
  }
  world.name_siblings({"C1", "C2", "C3"});
  world.drop("C");
  world.find("C1")->unreadable = true;
  world.burn(false);
  const auto verdict = world.rebuild();
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_TRUE(world.joins());
  EXPECT_EQ(world.state("C1"), "cloud1");
  EXPECT_EQ(world.state("P1"), "unknown");
  EXPECT_EQ(verdict->spare, 1u);
  world.sweep();
  EXPECT_NE(world.find("C1"), nullptr);
}

// A damaged header is no missing share.
TEST(Rebuild, AShareThatCannotBeReadIsNotReplacedByWhatCameBefore) {
  RebuildWorld world(kFlat);
  store_flat(world);
  world.put("Bm", "B", "aist", 1, "1");
  world.name_siblings({"A", "Bm", "C"});
  ASSERT_TRUE(world.catalog->replace_share(
      share_id("B"), world.row("Bm", "B", "aist", 1, ShareState::kDurable), {}));
  world.copy_catalog();
  world.find("Bm")->unreadable = true;
  world.burn(true);
  rebuild_and_sweep(world);
  EXPECT_EQ(world.state("Bm"), "aist");
  EXPECT_NE(world.find("Bm"), nullptr);
  EXPECT_NE(world.find("B"), nullptr);  // until what stands for it can be read again
  EXPECT_TRUE(world.restores());
}

// What the copy gave up was taken up again by an earlier rebuild.
TEST(Rebuild, WhatWaitsForItsDeletionStaysUntilItsSuccessorAnswers) {
  RebuildWorld world(kFlat);
  store_flat(world);
  world.put("Bm", "B", "aist", 1, "1");
  ASSERT_TRUE(world.catalog->replace_share(
      share_id("B"), world.row("Bm", "B", "aist", 1, ShareState::kDurable), {}));
  world.copy_catalog();
  world.drop("Bm");  // aist has burnt since; B stands again
  world.burn(true);
  rebuild_and_sweep(world, {"aist"});
  EXPECT_NE(world.find("B"), nullptr);
  EXPECT_TRUE(world.restores());
  rebuild_and_sweep(world);
  EXPECT_EQ(world.state("B"), "lsa");
  EXPECT_TRUE(world.restores());
}

TEST(Rebuild, AnObjectThatAJobWorksOnIsLeftAlone) {
  RebuildWorld world(kFlat);
  store_flat(world);
  ASSERT_TRUE(world.catalog->start_job({.job = {.job = JobId{{5}},
                                                .kind = catalog::JobKind::kRefresh,
                                                .step = "plan",
                                                .object = world.object,
                                                .created = {2500},
                                                .updated = {2500}}}));
  plan(world, {"A2", "B2", "C2"}, 2);
  const auto verdict = world.rebuild();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, Code::kBusy);
  EXPECT_EQ(world.state("B2"), "writing");
}

// A site that names shares of two refreshes as its siblings brings nobody together.
TEST(Rebuild, OneLiarDoesNotMixTwoRefreshes) {
  RebuildWorld world("2 of (vault, vault, vault, vault)", "control");
  const std::vector<std::string> letters = {"A", "B", "C", "D"};
  for (const std::string refresh : {"2", "3"}) {
    std::vector<std::string> names;
    for (const std::string& letter : letters) {
      names.push_back(letter + refresh);
      world.put(names.back(), letter, "at-" + std::string(1, static_cast<char>(letter[0] + 32)), 2,
                refresh);
    }
    world.name_siblings(names);
  }
  for (const char* gone : {"A3", "B2", "C2", "C3", "D3"}) world.drop(gone);
  ShareFile& lie = world.put("X", "C", "at-c", 2, "lie");
  lie.header.siblings = {{sharing::ShareIndex::kA, share_id("A2"), at("at-a")},
                         {sharing::ShareIndex::kB, share_id("B3"), at("at-b")},
                         {sharing::ShareIndex::kC, share_id("X"), at("at-c")}};
  world.burn(false);
  const auto verdict = world.rebuild();
  if (!verdict) {
    EXPECT_NE(verdict.error().message.find("do not know each other"), std::string::npos)
        << verdict.error().message;
  }
  EXPECT_TRUE(!verdict || world.joins());
}

// When may what waits go: its holders are asked, generation by generation.
TEST(Rebuild, NothingGoesBeforeWhatIsCountedOnAnswers) {
  RebuildWorld world(kFlat);
  store_flat(world);
  plan(world, {"A2", "B2", "C2"}, 2);
  deal(world, {"A2", "B2", "C2"}, 2, "2");
  const auto may = [&](const std::string& name, const std::set<std::string>& there) {
    const auto is_held = [&](const catalog::Share& share) -> Result<bool> {
      if (there.contains("?" + share.site->text())) return fail(Code::kUnavailable, "silent");
      return there.contains(share.site->text());
    };
    const auto result = control::may_go(*world.catalog->object(world.object),
                                        *world.catalog->list_shares(world.object),
                                        *world.catalog->share(share_id(name)), is_held);
    return result && *result;
  };
  // A newer one: all of the old ones.
  EXPECT_TRUE(may("B2", {"tommo", "lsa", "tuh"}));
  EXPECT_FALSE(may("B2", {"tommo", "lsa"}));
  // Of the same generation: what stands at its place.
  ASSERT_TRUE(world.catalog->replace_share(
      share_id("B"), world.row("Bm", "B", "aist", 1, ShareState::kDurable), {}));
  EXPECT_TRUE(may("B", {"aist"}));
  EXPECT_FALSE(may("B", {"tommo", "lsa", "tuh"}));
  EXPECT_FALSE(may("B", {"?aist"}));
  // Of a deleted object everything.
  ASSERT_TRUE(world.catalog->delete_object(world.object));
  EXPECT_TRUE(may("B", {}));
}

}  // namespace
}  // namespace warifu::recovery
