// Hot list, withdrawal, another card in the place of a lost one.
#include <gtest/gtest.h>

#include "consent/gate_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::consent {
namespace {

using namespace test;
using std::chrono::hours;

class GateOrdersTest : public testing::Test {
 protected:
  void SetUp() override {
    site_ = std::make_unique<TestSite>("tommo", dir_, clock_);
    keys_ = *gate().enrol(enrolment());
  }
  Gate& gate() { return site_->gate(); }
  void pass(std::chrono::milliseconds time) { clock_.time_ms += time.count(); }
  os::UnixMs in(std::chrono::milliseconds time) { return {clock_.time_ms + time.count()}; }
  Grant new_grant(std::uint32_t index = 1) {
    const auto challenge = *gate().issue_nonce(enrolment().card);
    return grant_for(site_->name(), challenge.nonce, {index}, clock_.now());
  }
  Result<Permit> ask(const Grant& grant, Byte session = 1) {
    const Bytes bytes = *encode_grant(grant);
    const Evidence evidence{site_->name(), card::CardKind::kOneTimeMacEmulated,
                            tag_for(keys_, grant.index.value - 1, bytes)};
    return gate().request_release(bytes, evidence, request_for(grant, session));
  }
  Enrolment another(Byte card) {
    Enrolment other = enrolment();
    other.card = id_of<CardId>(card);
    return other;
  }

  sim::TemporaryFolder dir_;
  FakeClock clock_;
  std::unique_ptr<TestSite> site_;
  card::SiteKeys keys_;
};

TEST_F(GateOrdersTest, AWithdrawnConsentIsRefusedWhetherItWasShownOrNot) {
  const Grant shown = new_grant(1);
  const auto permit = ask(shown);
  ASSERT_TRUE(permit);
  ASSERT_TRUE(gate().still_permits(*permit));
  const Grant unseen = new_grant(2);
  for (const Grant& grant : {shown, unseen}) {
    const GrantId id = grant_id(*encode_grant(grant));
    ASSERT_TRUE(gate().withdraw(grant.card, id, grant.expiry));
    ASSERT_TRUE(gate().withdraw(grant.card, id, grant.expiry));
  }
  EXPECT_EQ(gate().still_permits(*permit).error().code, Code::kRefused);
  EXPECT_EQ(gate().still_permits(*permit).error().reason, Reason::kWithdrawn);
  site_->restart();
  for (const Grant& grant : {shown, unseen}) {
    EXPECT_EQ(ask(grant).error().code, Code::kRefused);
    EXPECT_EQ(site_->last_event(), std::pair(std::string("refused"), std::string("withdrawn")));
  }
  // The others go on.
  EXPECT_TRUE(ask(new_grant(3)));
}

TEST_F(GateOrdersTest, WithdrawalsAreForgottenADayBehindTheGrant) {
  for (Byte i = 0; i < 100; ++i) {
    ASSERT_TRUE(gate().withdraw(enrolment().card, id_of<GrantId>(i), in(hours(1))));
  }
  const auto size = std::filesystem::file_size(site_->card_file(enrolment().card));
  pass(hours(26));
  ASSERT_TRUE(gate().issue_nonce(enrolment().card));
  // A withdrawal is as long as the nonce that has come.
  EXPECT_EQ(std::filesystem::file_size(site_->card_file(enrolment().card)), size - 99 * 24);
}

TEST_F(GateOrdersTest, ARevokedCardStopsWhatIsUnderWay) {
  const auto permit = ask(new_grant());
  ASSERT_TRUE(permit);
  ASSERT_TRUE(gate().revoke(enrolment().card));
  EXPECT_EQ(gate().still_permits(*permit).error().reason, Reason::kRevoked);
}

TEST_F(GateOrdersTest, APermitSaysWhatItDoesNotCover) {
  const Grant grant = new_grant();
  const auto permit = ask(grant);
  ASSERT_TRUE(permit);
  const os::UnixMs now = clock_.now();
  EXPECT_FALSE(permit->bar(grant.object, grant.destination, now));
  EXPECT_EQ(permit->bar(id_of<ObjectId>(9), grant.destination, now)->reason, Reason::kOtherObject);
  EXPECT_EQ(permit->bar(grant.object, site_name("lsa"), now)->reason, Reason::kOtherDestination);
  EXPECT_EQ(permit->bar(grant.object, grant.destination, grant.expiry)->reason, Reason::kExpired);
}

TEST_F(GateOrdersTest, AnotherCardNeedsTheOfficersLeaveAndTime) {
  EXPECT_EQ(gate().allow_reissue(enrolment().card, in(hours(60))).error().code,
            Code::kInvalidArgument);  // not on the hot list
  ASSERT_TRUE(gate().revoke(enrolment().card));
  EXPECT_EQ(gate().allow_reissue(id_of<CardId>(7), in(hours(60))).error().code, Code::kNotFound);
  EXPECT_EQ(gate().enrol(another(2)).error().code, Code::kRefused);
  ASSERT_TRUE(gate().allow_reissue(enrolment().card, in(hours(60))));
  pass(hours(47));
  EXPECT_EQ(gate().enrol(another(2)).error().code, Code::kRefused);  // too early
  site_->restart();
  pass(hours(1));
  EXPECT_TRUE(gate().enrol(another(2)));
  EXPECT_TRUE(gate().may_give_records(id_of<CardId>(2), enrolment().person, id_of<ObjectId>(0x0B)));
  EXPECT_FALSE(
      gate().may_give_records(id_of<CardId>(2), id_of<Pseudonym>(9), id_of<ObjectId>(0x0B)));
  EXPECT_FALSE(
      gate().may_give_records(enrolment().card, enrolment().person, id_of<ObjectId>(0x0B)));
  site_->restart();
  pass(kRecordsLife);
  EXPECT_FALSE(
      gate().may_give_records(id_of<CardId>(2), enrolment().person, id_of<ObjectId>(0x0B)));
}

TEST_F(GateOrdersTest, LostCardsSayWhenAnotherOneMayCome) {
  EXPECT_TRUE(gate().lost_cards().empty());
  EXPECT_EQ(gate().lost_card(enrolment().card).error().code, Code::kNotFound);
  ASSERT_TRUE(gate().revoke(enrolment().card));
  ASSERT_EQ(gate().lost_cards().size(), 1u);
  const LostCard lost = gate().lost_cards().front();
  EXPECT_EQ(lost.card, enrolment().card);
  EXPECT_EQ(lost.from.value - lost.revoked.value, std::chrono::milliseconds(hours(48)).count());
  EXPECT_EQ(lost.until.value, 0);
  ASSERT_TRUE(gate().allow_reissue(enrolment().card, in(hours(60))));
  EXPECT_EQ(gate().lost_cards().front().until, in(hours(60)));
  pass(hours(49));
  ASSERT_TRUE(gate().enrol(another(2)));
  EXPECT_TRUE(gate().lost_cards().empty());  // for an officer there is nothing left to do
  ASSERT_TRUE(gate().enrol(another(3)));     // card 2 was never finished
  EXPECT_TRUE(gate().lost_cards().empty());
  EXPECT_EQ(gate().lost_card(enrolment().card)->revoked, lost.revoked);
}

TEST_F(GateOrdersTest, LeaveThatHasEndedCountsForNothing) {
  ASSERT_TRUE(gate().revoke(enrolment().card));
  pass(hours(48));
  ASSERT_TRUE(gate().allow_reissue(enrolment().card, in(hours(1))));
  pass(hours(1));
  EXPECT_EQ(gate().enrol(another(2)).error().code, Code::kRefused);
}

TEST_F(GateOrdersTest, AnUnfinishedCardGivesWayUnderTheSameLeave) {
  ASSERT_TRUE(gate().revoke(enrolment().card));
  pass(hours(48));
  ASSERT_TRUE(gate().allow_reissue(enrolment().card, in(hours(1))));
  ASSERT_TRUE(gate().enrol(another(2)));
  ASSERT_TRUE(gate().enrol(another(3)));  // the terminal lost power before card 2 was loaded
  EXPECT_EQ(gate().issue_nonce(id_of<CardId>(2)).error().code, Code::kRefused);
  EXPECT_TRUE(gate().issue_nonce(id_of<CardId>(3)));
  pass(hours(1));
  EXPECT_EQ(gate().enrol(another(4)).error().code, Code::kRefused);
}

TEST_F(GateOrdersTest, ASecondLossNeedsLeaveOfItsOwn) {
  ASSERT_TRUE(gate().revoke(enrolment().card));
  pass(hours(48));
  ASSERT_TRUE(gate().allow_reissue(enrolment().card, in(hours(1000))));
  ASSERT_TRUE(gate().enrol(another(2)));
  pass(hours(1));
  ASSERT_TRUE(gate().revoke(id_of<CardId>(2)));
  EXPECT_EQ(gate().enrol(another(3)).error().code, Code::kRefused);
  pass(hours(48));
  EXPECT_EQ(gate().enrol(another(3)).error().code, Code::kRefused);
  ASSERT_TRUE(gate().allow_reissue(id_of<CardId>(2), in(hours(1))));
  EXPECT_TRUE(gate().enrol(another(3)));
}

TEST_F(GateOrdersTest, TheFirstCardOfAPersonIsGivenNoRecords) {
  EXPECT_FALSE(
      gate().may_give_records(enrolment().card, enrolment().person, id_of<ObjectId>(0x0B)));
}

}  // namespace
}  // namespace warifu::consent
