// The gate under faults: restarts between all steps, full disks, damaged files, a broken decision.
#include <gtest/gtest.h>

#include <algorithm>

#include "consent/gate_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::consent {
namespace {

using namespace test;

class GateFaults : public testing::Test {
 protected:
  void SetUp() override { site_ = std::make_unique<TestSite>("tommo", dir_, clock_); }
  // Enrols and prepares a grant with its evidence.
  void prepare(std::uint32_t index = 1) {
    if (keys_.keys.empty()) keys_ = *site_->gate().enrol(enrolment());
    grant_ = grant_for(site_->name(), site_->gate().issue_nonce(enrolment().card)->nonce, {index},
                       clock_.now());
    bytes_ = *encode_grant(grant_);
    evidence_ = {site_->name(), card::CardKind::kOneTimeMacEmulated,
                 tag_for(keys_, index - 1, bytes_)};
  }
  Result<Permit> ask(Byte session = 1) {
    return site_->gate().request_release(bytes_, evidence_, request_for(grant_, session));
  }
  sim::TemporaryFolder dir_;
  FakeClock clock_;
  std::unique_ptr<TestSite> site_;
  card::SiteKeys keys_;
  Grant grant_;
  Bytes bytes_;
  Evidence evidence_;
};

TEST_F(GateFaults, RestartsBetweenAllStepsChangeNothing) {
  keys_ = *site_->gate().enrol(enrolment());
  site_->restart();
  prepare();
  site_->restart();
  ASSERT_TRUE(ask(1));  // the nonce and the keys survived
  site_->restart();
  EXPECT_TRUE(ask(1));
  EXPECT_EQ(site_->last_event().second, "resume");
  site_->restart();
  EXPECT_TRUE(ask(2));
  site_->restart();
  EXPECT_FALSE(ask(3));
  EXPECT_EQ(site_->last_event().second, "used_up");
  prepare(1);  // the burnt index stays burnt
  site_->restart();
  EXPECT_FALSE(ask(1));
  EXPECT_EQ(site_->last_event().second, "index_used");
  ASSERT_TRUE(site_->gate().revoke(enrolment().card));
  site_->restart();
  EXPECT_EQ(site_->gate().issue_nonce(enrolment().card).error().code, Code::kRefused);
  EXPECT_TRUE(audit::verify(site_->files(), site_->folder() + "/audit.log"));
}

TEST_F(GateFaults, WithoutAuditRecordThereIsNoPermit) {
  prepare();
  site_->files().broken = "audit.log";
  for (int i = 0; i < 3; ++i) {
    const auto permit = ask();
    ASSERT_FALSE(permit);
    EXPECT_EQ(permit.error().code, Code::kNoSpace);
    EXPECT_NE(permit.error().message.find("site tommo releases nothing"), std::string::npos);
  }
  site_->files().broken.clear();
  // The use was taken for this session; it gets its permit, and the other session the second use.
  EXPECT_TRUE(ask(1));
  EXPECT_TRUE(ask(2));
  EXPECT_FALSE(ask(3));
  // A refusal that cannot be logged stays a refusal.
  site_->files().broken = "audit.log";
  const auto refused = ask(3);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  EXPECT_NE(refused.error().message.find("could not be logged"), std::string::npos);
  EXPECT_FALSE(site_->gate().enrol(
      {id_of<CardId>(5), id_of<Pseudonym>(6), card::CardKind::kOneTimeMac, {{1}, 3}}));
}

TEST_F(GateFaults, WithoutDurableStateThereIsNoPermit) {
  prepare();
  site_->files().broken = ".card";
  const auto permit = ask();
  ASSERT_FALSE(permit);
  EXPECT_EQ(permit.error().code, Code::kNoSpace);
  EXPECT_EQ(*site_->gate().keys_left(enrolment().card), 20u);
  EXPECT_FALSE(site_->gate().issue_nonce(enrolment().card));
  EXPECT_FALSE(site_->gate().revoke(id_of<CardId>(5)));
  site_->files().broken.clear();
  EXPECT_TRUE(ask());
}

TEST_F(GateFaults, KeysAreSealedAndBurntKeysAreGone) {
  prepare();
  const auto contains = [&](ByteView needle) {
    const Bytes file = *os::read_file(site_->files(), site_->card_file(grant_.card), 1 << 20);
    return !std::ranges::search(file, needle).empty();
  };
  EXPECT_FALSE(contains(ByteView(keys_.keys.bytes()).first(16)));
  EXPECT_FALSE(contains(ByteView(keys_.keys.bytes()).subspan(16, 16)));
  const auto before =
      *parse_record(*os::read_file(site_->files(), site_->card_file(grant_.card), 1 << 20));
  const SealedKey sealed = before.keys.at(1);
  EXPECT_TRUE(contains(sealed.sealed));
  EXPECT_TRUE(open_key(site_->root(), grant_.card, {1}, sealed));
  EXPECT_FALSE(open_key(site_->root(), grant_.card, {2}, sealed));  // bound to its index
  ASSERT_TRUE(ask());
  EXPECT_FALSE(contains(sealed.sealed));
}

TEST_F(GateFaults, ADamagedFileStopsTheStart) {
  prepare();
  ASSERT_TRUE(ask());
  const std::string path = site_->card_file(enrolment().card);
  const Bytes good = *os::read_file(site_->files(), path, 1 << 20);
  const auto refuses_to_start = [&](const Bytes& bytes) {
    EXPECT_TRUE(os::replace_file(os::real_files(), path, bytes));
    const auto started = site_->try_restart();
    EXPECT_FALSE(started);
    if (started) return;
    EXPECT_EQ(started.error().code, Code::kCorrupt);
    EXPECT_NE(started.error().message.find(path), std::string::npos) << started.error().message;
  };
  for (std::size_t at = 0; at < good.size(); at += 13) {
    Bytes bad = good;
    bad[at] ^= 0x10;
    refuses_to_start(bad);
  }
  for (const std::size_t cut : {good.size(), good.size() - 3, good.size() - 60, std::size_t{1}}) {
    const std::size_t size = good.size() - cut;
    refuses_to_start(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  ASSERT_TRUE(os::replace_file(os::real_files(), path, good));
  site_->restart();
  EXPECT_TRUE(ask());
  // Another card's file under this card's name.
  const std::string other = site_->card_file(id_of<CardId>(1));
  ASSERT_TRUE(os::replace_file(os::real_files(), other, good));
  EXPECT_EQ(site_->try_restart().error().code, Code::kCorrupt);
  std::filesystem::remove(other);
  // What a crash left of an unfinished replacement is cleared away.
  ASSERT_TRUE(os::replace_file(os::real_files(), other + ".new", as_bytes("half")));
  EXPECT_TRUE(site_->try_restart());
  EXPECT_FALSE(std::filesystem::exists(other + ".new"));
  // Another root key opens nothing.
  site_->root().bytes()[0] ^= 1;
  EXPECT_EQ(site_->try_restart().error().code, Code::kCorrupt);
}

TEST_F(GateFaults, ASecondGateOnTheFolderIsRefused) {
  const os::System system{site_->files(), clock_, os::kernel_random()};
  const auto second =
      Gate::open(system, site_->folder() + "/gate", site_->name(), site_->root(), site_->log());
  EXPECT_EQ(second.error().code, Code::kBusy);
}

// Decisions with one check left out: the self-test must keep each of these gates closed.
Decision always_yes(const Inquiry& inquiry) {
  auto grant = parse_grant(inquiry.grant);
  if (!grant) return decide(inquiry);
  return Outcome{std::move(*grant), Step::kAccept, 0};
}

template <Reason kIgnored>
Decision decide_without(const Inquiry& inquiry) {
  auto decision = decide(inquiry);
  if (decision || decision.error().reason != kIgnored) return decision;
  auto grant = parse_grant(inquiry.grant);
  return Outcome{grant ? std::move(*grant) : Grant{}, Step::kAccept, 0};
}

template <Reason kIgnored>
Decision act_without(const Inquiry& inquiry, Act wanted) {
  auto decision = decide_act(inquiry, wanted);
  if (decision || decision.error().reason != kIgnored) return decision;
  auto grant = parse_grant(inquiry.grant);
  return Outcome{grant ? std::move(*grant) : Grant{}, Step::kAccept, 0};
}

TEST(SelfTest, TheRealDecisionPasses) {
  const auto passed = self_test(decide, decide_act);
  EXPECT_TRUE(passed) << passed.error().message;
}

TEST(SelfTest, EveryMissingCheckKeepsTheGateClosed) {
  const DecideFunction broken[] = {always_yes,
                                   decide_without<Reason::kMalformed>,
                                   decide_without<Reason::kNotThisSite>,
                                   decide_without<Reason::kUnknownCard>,
                                   decide_without<Reason::kRevoked>,
                                   decide_without<Reason::kWrongKind>,
                                   decide_without<Reason::kHeldBack>,
                                   decide_without<Reason::kUnknownNonce>,
                                   decide_without<Reason::kNonceExpired>,
                                   decide_without<Reason::kIndexUsed>,
                                   decide_without<Reason::kNoKey>,
                                   decide_without<Reason::kTooManyGrants>,
                                   decide_without<Reason::kWrongTag>,
                                   decide_without<Reason::kOtherObject>,
                                   decide_without<Reason::kOtherPerson>,
                                   decide_without<Reason::kOtherDestination>,
                                   decide_without<Reason::kOtherPurpose>,
                                   decide_without<Reason::kNotYet>,
                                   decide_without<Reason::kExpired>,
                                   decide_without<Reason::kUsedUp>,
                                   decide_without<Reason::kWithdrawn>,
                                   decide_without<Reason::kDied>,
                                   decide_without<Reason::kNotTogether>,
                                   decide_without<Reason::kEmergencyOff>,
                                   decide_without<Reason::kNotOfficer>,
                                   decide_without<Reason::kNotAllowedBefore>,
                                   decide_without<Reason::kNotTold>};
  for (const DecideFunction one : broken) EXPECT_FALSE(self_test(one, decide_act));
  const DecideActFunction broken_acts[] = {
      act_without<Reason::kMalformed>,    act_without<Reason::kOtherAct>,
      act_without<Reason::kNotThisSite>,  act_without<Reason::kUnknownCard>,
      act_without<Reason::kRevoked>,      act_without<Reason::kWrongKind>,
      act_without<Reason::kHeldBack>,     act_without<Reason::kWithdrawn>,
      act_without<Reason::kUnknownNonce>, act_without<Reason::kNonceExpired>,
      act_without<Reason::kIndexUsed>,    act_without<Reason::kNoKey>,
      act_without<Reason::kWrongTag>,     act_without<Reason::kDied>,
      act_without<Reason::kUnderAge>,     act_without<Reason::kExpired>,
      act_without<Reason::kUsedUp>,       act_without<Reason::kNotProven>,
      act_without<Reason::kNotTold>};
  for (const DecideActFunction one : broken_acts) EXPECT_FALSE(self_test(decide, one));
}

TEST_F(GateFaults, AGateWithABrokenDecisionDoesNotStart) {
  const os::System system{site_->files(), clock_, os::kernel_random()};
  GateOptions options;
  options.decide = always_yes;
  const auto gate =
      Gate::open(system, dir_ + "/other", site_->name(), site_->root(), site_->log(), options);
  ASSERT_FALSE(gate);
  EXPECT_NE(gate.error().message.find("self-test"), std::string::npos);
}

}  // namespace
}  // namespace warifu::consent
