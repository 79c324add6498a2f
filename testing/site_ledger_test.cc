// What the ledger of one direction counts, and what it does not.
#include "testing/site_ledger.h"

#include <gtest/gtest.h>

namespace warifu::sim {
namespace {

constexpr PadOffset kGranted{1 << 20};

Use use(std::uint64_t begin, std::uint64_t size, std::uint64_t conversation = 1) {
  return {.begin = {begin}, .size = {size}, .conversation = conversation};
}

class SiteLedgerTest : public testing::Test {
 protected:
  void send(const Use& use) { EXPECT_FALSE(ledger_.sent(use, kGranted, false, found_)); }
  void receive(const Use& use) { EXPECT_FALSE(ledger_.received(use, false, found_)); }
  void check(const Use& use) { EXPECT_FALSE(ledger_.received(use, true, found_)); }

  SiteLedger ledger_;
  SiteViolations found_;
};

TEST_F(SiteLedgerTest, EndsThatUseTheSameForTheSameAgree) {
  send(use(0, 16));
  receive(use(0, 16));
  receive(use(16, 32));
  send(use(16, 32));
  EXPECT_EQ(tally_text(found_), "none");
}

TEST_F(SiteLedgerTest, AnotherRangeIsADisagreementWhicheverEndIsFirst) {
  send(use(0, 16));
  receive(use(0, 32));
  EXPECT_EQ(tally_text(found_), "1 disagreements");
  receive(use(100, 16));
  send(use(108, 16));
  EXPECT_EQ(tally_text(found_), "2 disagreements");
}

// An old frame in the place of a new one: its length says how much is taken to check it.
TEST_F(SiteLedgerTest, ACheckOfAFrameThatFailsMayTakeAnotherRange) {
  send(use(1056, 46));
  check(use(1056, 34));
  check(use(2048, 34));  // before the right one is even sent
  send(use(2048, 20));
  send(use(2068, 20));
  EXPECT_EQ(tally_text(found_), "none");
}

TEST_F(SiteLedgerTest, AFrameThatIsGoodWasOfTheSameRange) {
  send(use(0, 46));
  check(use(0, 46));
  ledger_.checked(use(0, 46), found_);
  EXPECT_EQ(tally_text(found_), "none");
  send(use(46, 46));
  check(use(46, 34));
  ledger_.checked(use(46, 34), found_);
  EXPECT_EQ(tally_text(found_), "1 disagreements");
}

TEST_F(SiteLedgerTest, AfterItIsGoodTheSendingEndMayNotUseAnother) {
  check(use(0, 34));
  ledger_.checked(use(0, 34), found_);
  send(use(0, 46));
  EXPECT_EQ(tally_text(found_), "1 disagreements");
}

TEST_F(SiteLedgerTest, EvenToCheckAFrameNothingIsTakenOfAnotherConversationOrPurpose) {
  send(use(0, 46, 1));
  check(use(0, 34, 2));
  EXPECT_EQ(tally_text(found_), "1 disagreements");
  Use share = use(100, 46);
  share.purpose = keypool::Purpose::kShare;
  send(share);
  check(use(100, 34));
  EXPECT_EQ(tally_text(found_), "2 disagreements");
}

TEST_F(SiteLedgerTest, WhatWasTakenForACheckIsTakenAllTheSame) {
  send(use(0, 46));
  check(use(0, 34));
  receive(use(16, 16));
  EXPECT_EQ(found_.overlaps, 1u);
}

TEST_F(SiteLedgerTest, AByteIsSentOnceAndOnlyWhereItWasGranted) {
  send(use(0, 16));
  send(use(8, 16));
  EXPECT_EQ(tally_text(found_), "1 overlaps");
  send(use(kGranted.value - 8, 16));
  EXPECT_EQ(tally_text(found_), "1 overlaps, 1 ungranted");
}

TEST_F(SiteLedgerTest, ARestoredEndIsForgivenWhatWasNeverAccepted) {
  receive(use(0, 16, 1));
  EXPECT_TRUE(ledger_.sent(use(0, 16, 2), kGranted, true, found_));
  EXPECT_EQ(tally_text(found_), "none");
  // Accepted, although the frame in it was changed on its way.
  send(use(32, 46, 3));
  check(use(32, 34, 3));
  receive(use(32, 34, 4));
  EXPECT_EQ(tally_text(found_), "1 overlaps, 1 disagreements");
}

}  // namespace
}  // namespace warifu::sim
