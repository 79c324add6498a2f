// Proposals: decided once, by two people, and still so after power loss at any moment.
#include "operators/proposals.h"

#include <gtest/gtest.h>

#include <optional>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::operators {
namespace {

const std::string kFile = "proposals";
const std::string kAct = "POST /v1/objects/{object}/delete";

std::string code_of(const Result<Proposal>& result) {
  return result ? "ok" : std::string(code_name(result.error().code));
}

Result<Proposal> add_one(Proposals& all, const std::string& who = "sato") {
  return all.add(who, kAct, "/v1/objects/77/delete", as_bytes("{\"why\":\"asked\"}"));
}

class ProposalsTest : public testing::Test {
 protected:
  std::unique_ptr<Proposals> open() { return *Proposals::open(system_, kFile); }

  sim::SimDisk disk_;
  sim::SimClock clock_;
  sim::SimRandom random_{7};
  os::System system_{disk_, clock_, random_};
};

TEST_F(ProposalsTest, AnotherOperatorApprovesOnce) {
  auto all = open();
  const Proposal made = add_one(*all).value();
  EXPECT_EQ(code_of(all->approve(made.id, "sato")), "refused");
  const Proposal approved = all->approve(made.id, "mori").value();
  EXPECT_EQ(approved.decider, "mori");
  EXPECT_EQ(approved.body, made.body);
  EXPECT_EQ(code_of(all->approve(made.id, "mori")), "refused");
  EXPECT_EQ(code_of(all->approve(made.id, "hara")), "refused");
  EXPECT_EQ(code_of(all->reject(made.id, "hara")), "refused");
  ASSERT_TRUE(all->done(made.id, 200));
  EXPECT_EQ(open()->find(made.id)->state, ProposalState::kDone);
  EXPECT_EQ(open()->find(made.id)->status, 200);
  EXPECT_EQ(code_of(all->approve({}, "mori")), "not_found");
}

TEST_F(ProposalsTest, TheProposerMayTakeItBack) {
  auto all = open();
  const Proposal made = add_one(*all).value();
  ASSERT_TRUE(all->reject(made.id, "sato"));
  EXPECT_EQ(code_of(all->approve(made.id, "mori")), "refused");
}

TEST_F(ProposalsTest, AfterThreeDaysItIsOver) {
  auto all = open();
  const Proposal made = add_one(*all).value();
  clock_.advance(kProposalLife - std::chrono::seconds(1));
  EXPECT_EQ(all->find(made.id)->state, ProposalState::kOpen);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(code_of(all->approve(made.id, "mori")), "refused");
  EXPECT_EQ(all->list().at(0).state, ProposalState::kExpired);
  EXPECT_EQ(code_of(open()->approve(made.id, "mori")), "refused");
}

TEST_F(ProposalsTest, WhatWasUnderWayIsNotDoneAgain) {
  auto all = open();
  const Proposal made = add_one(*all).value();
  ASSERT_TRUE(all->approve(made.id, "mori"));
  auto later = open();
  EXPECT_EQ(later->find(made.id)->state, ProposalState::kInterrupted);
  EXPECT_EQ(code_of(later->approve(made.id, "hara")), "refused");
}

TEST_F(ProposalsTest, OldOnesMakeRoomAndOpenOnesDoNot) {
  auto all = open();
  const Proposal first = add_one(*all).value();
  ASSERT_TRUE(all->reject(first.id, "mori"));
  for (std::size_t i = 0; i < kMaxProposals; ++i) ASSERT_TRUE(add_one(*all));
  EXPECT_EQ(all->list().size(), kMaxProposals);
  EXPECT_EQ(code_of(all->find(first.id)), "not_found");
  EXPECT_EQ(code_of(add_one(*all)), "busy");
  const Bytes large(kMaxProposalBody + 1);
  EXPECT_EQ(code_of(all->add("sato", kAct, "/", large)), "invalid_argument");
}

TEST_F(ProposalsTest, ADamagedFileIsRefused) {
  ASSERT_TRUE(add_one(*open()));
  ASSERT_TRUE(disk_.rot(kFile, 30, 1));
  EXPECT_EQ(Proposals::open(system_, kFile).error().code, Code::kCorrupt);
}

TEST_F(ProposalsTest, AFullDiskChangesNothing) {
  auto all = open();
  const Proposal made = add_one(*all).value();
  disk_.set_full(true);
  EXPECT_EQ(code_of(all->approve(made.id, "mori")), "no_space");
  EXPECT_EQ(code_of(add_one(*all)), "no_space");
  disk_.set_full(false);
  EXPECT_EQ(all->list().size(), 1U);
  EXPECT_EQ(code_of(all->approve(made.id, "mori")), "ok");
}

// Power goes away at every change of the disk; whatever comes back, an act is begun at most once,
// and what was acknowledged is there.
TEST(ProposalsCrashTest, NothingIsDoneTwiceWhereverThePowerGoes) {
  for (std::uint64_t at = 1; at < 40; ++at) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      sim::SimDisk disk;
      sim::SimClock clock;
      sim::SimRandom random{seed};
      const os::System system{disk, clock, random};
      std::optional<Proposal> made;
      int begun = 0;
      bool done = false;
      disk.crash_at(at);
      try {
        auto all = *Proposals::open(system, kFile);
        if (auto added = add_one(*all)) made = *added;
        if (made && all->approve(made->id, "mori")) ++begun;
        if (begun > 0) done = all->done(made->id, 200).has_value();
      } catch (const sim::SimCrash&) {
      }
      const auto after = disk.dead() ? disk.crash_image(seed) : disk.kill_image();
      sim::SimRandom other{seed + 100};
      const os::System later{*after, clock, other};
      auto all = Proposals::open(later, kFile);
      ASSERT_TRUE(all) << "crash at " << at << ", seed " << seed << ": " << all.error().message;
      if (made) {
        ASSERT_TRUE((*all)->find(made->id)) << "crash at " << at << ", seed " << seed;
        if ((*all)->approve(made->id, "hara")) ++begun;
      }
      EXPECT_LE(begun, 1) << "crash at " << at << ", seed " << seed;
      EXPECT_TRUE(!done || (*all)->find(made->id)->state == ProposalState::kDone);
    }
  }
}

}  // namespace
}  // namespace warifu::operators
