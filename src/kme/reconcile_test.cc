// Two ends of a link that have fallen apart come together again: the same bytes at the same places,
// nothing used twice, what only one end has in quarantine. And retiring.
#include "kme/reconcile.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "kme/link_ends_test_support.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

namespace fs = std::filesystem;
using keypool::Pool;
using keypool::Purpose;

constexpr std::uint64_t kPart = 400'000;  // a segment

class ReconcileTest : public testing::Test {
 protected:
  void close() { ends_.close(); }
  void open() { ends_.open(); }
  Link& left() { return ends_.left_link(); }
  Link& right() { return ends_.right_link(); }
  // Equal key for one direction, at both ends or at one.
  void feed(Pool* one, Pool* other = nullptr) {
    Bytes material(kPart);
    for (auto& b : material) b = static_cast<Byte>(generator_());
    for (Pool* pool : {one, other}) {
      if (pool == nullptr) continue;
      const SegmentNumber number = pool->next_segment();
      ASSERT_TRUE(pool->ingest(number, keypool::Origin::kRateModel, material));
      ASSERT_TRUE(pool->mark_synced(number, pool->status().synced_end));
    }
  }
  void feed_both() {
    feed(&left().send(), &right().receive());
    feed(&right().send(), &left().receive());
  }
  AskPeer ask_right() {
    return [this](IntakeMethod method, Bytes body) {
      return method == IntakeMethod::kRetire ? answer_retire(right(), body)
                                             : answer_reconcile(right(), body);
    };
  }
  // A use of one direction, as the channel makes it; the bytes at both ends.
  static void use(Pool& receiver, Pool& sender, std::uint64_t size) {
    auto granted = receiver.reserve({size}, Purpose::kControl);
    ASSERT_TRUE(granted) << granted.error().message;
    auto accepted = sender.accept(granted->begin(), {size});
    ASSERT_TRUE(accepted) << accepted.error().message;
    const auto a = granted->take(size);
    const auto b = accepted->take(size);
    EXPECT_TRUE(std::ranges::equal(a->bytes(), b->bytes()));
  }
  void expect_together() {
    for (const auto& [a, b] : {std::pair{&left().send(), &right().receive()},
                               std::pair{&left().receive(), &right().send()}}) {
      EXPECT_EQ(a->status().mark, b->status().mark);
      EXPECT_EQ(a->status().synced_end, b->status().synced_end);
      EXPECT_EQ(a->next_segment(), b->next_segment());
    }
  }

  os::System system_ = os::real_system();
  LinkEnds ends_{system_, LinkClass::kQkd, "left", "right"};
  std::mt19937_64 generator_{7};
};

TEST_F(ReconcileTest, EndsInStepStayAsTheyAre) {
  feed_both();
  use(left().receive(), right().send(), 1000);
  const auto result = reconcile(left(), ask_right(), true);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->send.in_step() && result->receive.in_step());
  EXPECT_EQ(left().receive().status().available_bytes, kPart - 1000);
  expect_together();
}

TEST_F(ReconcileTest, AnOlderBackupOfOneEndCatchesUpAndReusesNothing) {
  feed_both();
  feed_both();
  use(right().receive(), left().send(), 1000);
  use(left().receive(), right().send(), 1000);
  close();
  fs::copy(ends_.left_dir(), ends_.dir + "/backup", fs::copy_options::recursive);
  open();
  // What the backup does not know of: use in both directions, and key that came in later.
  use(right().receive(), left().send(), 300'000);
  use(left().receive(), right().send(), 200'000);
  feed_both();
  close();
  fs::remove_all(ends_.left_dir());
  fs::rename(ends_.dir + "/backup", ends_.left_dir());
  open();

  const auto looked = reconcile(left(), ask_right(), false);
  ASSERT_TRUE(looked) << looked.error().message;
  EXPECT_FALSE(looked->applied);
  EXPECT_EQ(looked->send.burn_here, 300'000u);
  EXPECT_EQ(looked->receive.burn_here, 200'000u);
  EXPECT_EQ(looked->send.quarantine_there, kPart);
  EXPECT_EQ(looked->receive.quarantine_there, kPart);
  EXPECT_EQ(left().send().status().mark.value, 1000u) << "only looked";
  EXPECT_EQ(right().receive().status().quarantined_bytes, 0u) << "only looked";

  ASSERT_TRUE(reconcile(left(), ask_right(), true));
  expect_together();
  EXPECT_EQ(left().send().status().mark.value, 301'000u);
  EXPECT_EQ(right().receive().status().quarantined_bytes, kPart);
  EXPECT_EQ(right().send().status().quarantined_bytes, kPart);
  // Both ends go on, also with new key at the place of the one that was quarantined, also after a
  // restart.
  feed_both();
  open();
  use(right().receive(), left().send(), 700'000);
  use(left().receive(), right().send(), 700'000);
  const auto again = reconcile(left(), ask_right(), true);
  EXPECT_TRUE(again->send.in_step() && again->receive.in_step());
}

TEST_F(ReconcileTest, WhatOnlyThisEndHasIsQuarantinedHere) {
  feed_both();
  feed(&left().send());
  feed(&left().receive());
  const auto result = reconcile(left(), ask_right(), true);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->send.quarantine_here, kPart);
  EXPECT_EQ(left().send().status().quarantined_bytes, kPart);
  EXPECT_EQ(left().receive().status().quarantined_bytes, kPart);
  expect_together();
}

TEST_F(ReconcileTest, SegmentsThatDifferEndTheCommonStream) {
  feed_both();
  feed(&left().send());
  Bytes other(1000, 3);
  const SegmentNumber number = right().receive().next_segment();
  ASSERT_TRUE(right().receive().ingest(number, keypool::Origin::kRateModel, other));
  ASSERT_TRUE(right().receive().mark_synced(number, {kPart}));
  const auto result = reconcile(left(), ask_right(), true);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->send.to.end.value, kPart);
  EXPECT_EQ(result->send.quarantine_here, kPart);
  EXPECT_EQ(result->send.quarantine_there, 1000u);
  expect_together();
}

// A backup may bring back key whose place was given away since: to key of the same length, as
// devices deliver it.
TEST_F(ReconcileTest, OtherKeyOfTheSameLengthAtTheSamePlaceIsNotTheSame) {
  feed_both();
  feed(&left().send());
  keypool::Pool& theirs = right().receive();
  const Bytes other(kPart, 3);
  const SegmentNumber given_up = theirs.next_segment(), number{given_up.value + 1};
  ASSERT_TRUE(theirs.ingest(given_up, keypool::Origin::kRateModel, other));
  ASSERT_TRUE(theirs.discard(given_up));
  ASSERT_TRUE(theirs.ingest(number, keypool::Origin::kRateModel, other));
  ASSERT_TRUE(theirs.mark_synced(number, {kPart}));
  // Nor is the one that was given up confirmed there.
  EXPECT_EQ(theirs.mark_synced(given_up, {kPart}).error().code, Code::kNotFound);
  const auto result = reconcile(left(), ask_right(), true);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->send.to.end.value, kPart);
  EXPECT_EQ(result->send.quarantine_here, kPart);
  EXPECT_EQ(result->send.quarantine_there, kPart);
  expect_together();
}

TEST_F(ReconcileTest, AnEndThatLacksWhatWasUsedIsRefused) {
  feed_both();
  feed(&right().receive());
  ASSERT_TRUE(right().receive().burn_to({kPart + 5}));
  const auto result = reconcile(left(), ask_right(), true);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kRefused);
  EXPECT_EQ(left().send().status().available_bytes, kPart);
}

TEST_F(ReconcileTest, KeyInUseBeyondTheEndIsNotTakenAway) {
  feed_both();
  feed(&left().receive());
  auto held = left().receive().reserve({kPart + 10}, Purpose::kControl);
  ASSERT_TRUE(held);
  const auto refused = left().receive().align({.mark = {kPart}, .end = {kPart}, .next = {1}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kBusy);
  EXPECT_TRUE(held->take(kPart + 10)) << "the holder still has its pad";
}

TEST_F(ReconcileTest, MalformedRequestsAreErrorsAndChangeNothing) {
  feed_both();
  wire::Writer good;
  good.u8(1);
  for (int i = 0; i < 2; ++i) {
    good.u64(0);
    good.u64(kPart);
    good.u64(1);
    good.u32(1);
    good.u64(0);  // where the segment stands, and its number
    good.u64(0);
    good.u32(kPart);
    good.u8(3);
  }
  const Bytes body = good.take();
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(answer_reconcile(right(), ByteView(body).first(size))) << size;
  }
  Bytes bad = body;
  bad[0] = 3;
  EXPECT_FALSE(answer_reconcile(right(), bad));
  bad = body;
  bad[8] = 0xFF;  // a mark beyond the stream
  EXPECT_FALSE(answer_reconcile(right(), bad));
  bad = body;
  bad[body.size() - 1] = 99;  // an origin that is none
  EXPECT_FALSE(answer_reconcile(right(), bad));
  bad[0] = 2;  // to pause takes no states
  EXPECT_FALSE(answer_reconcile(right(), bad));
  EXPECT_EQ(right().receive().status().available_bytes, kPart);
  EXPECT_TRUE(answer_reconcile(right(), body));
}

TEST_F(ReconcileTest, TheFarEndsIntakePausesUntilItIsDone) {
  feed_both();
  ASSERT_TRUE(answer_reconcile(right(), Bytes{2}));
  EXPECT_TRUE(right().sync_paused());
  ASSERT_TRUE(reconcile(left(), ask_right(), false));
  EXPECT_FALSE(right().sync_paused());
}

TEST_F(ReconcileTest, RetiringBurnsAtBothEndsAndLeavesTheFloor) {
  for (int i = 0; i < 4; ++i) feed_both();
  const auto looked = retire(left(), {.all = true}, ask_right(), false);
  ASSERT_TRUE(looked);
  EXPECT_EQ(looked->send_bytes, 4 * kPart - limits::kControlFloorBytes);
  EXPECT_EQ(right().receive().status().mark.value, 0u);
  ASSERT_TRUE(retire(left(), {.all = true}, ask_right(), true));
  expect_together();
  EXPECT_EQ(left().send().status().available_bytes, limits::kControlFloorBytes);
  EXPECT_EQ(left().receive().status().available_bytes, limits::kControlFloorBytes);
}

TEST_F(ReconcileTest, RetiringTakesWhatFitsAndWhatLiesBeforeIt) {
  for (int i = 0; i < 4; ++i) feed_both();
  const os::UnixMs long_ago{1000};
  EXPECT_EQ(retire(left(), {.older_than = long_ago}, ask_right(), true)->send_bytes, 0u);
  EXPECT_EQ(retire(left(), {.origin = keypool::Origin::kPreshared}, ask_right(), true)->send_bytes,
            0u);
  const auto all = retire(left(), {.origin = keypool::Origin::kRateModel}, ask_right(), true);
  EXPECT_GT(all->send_bytes, kPart);
  expect_together();
}

TEST_F(ReconcileTest, BurningTakesSoManyBytesAtBothEndsAndOfEitherDirection) {
  for (int i = 0; i < 4; ++i) feed_both();
  const auto looked = retire(left(), {.bytes = 1000}, ask_right(), false);
  ASSERT_TRUE(looked);
  EXPECT_EQ(looked->send_bytes, 1000u);
  EXPECT_EQ(right().receive().status().mark.value, 0u);
  ASSERT_TRUE(retire(left(), {.bytes = 1000}, ask_right(), true));
  for (Pool* pool : {&left().send(), &left().receive(), &right().send(), &right().receive()}) {
    EXPECT_EQ(pool->status().mark.value, 1000u);
    EXPECT_EQ(pool->status().discarded_bytes, 1000u);
    const auto records = pool->trail()->read({}).value();
    ASSERT_FALSE(records.empty());
    EXPECT_EQ(records.back().use, keypool::TrailUse::kBurnt);
    EXPECT_EQ(records.back().length.value, 1000u);
  }
  ASSERT_TRUE(retire(left(), {.bytes = 500, .receive = false}, ask_right(), true));
  EXPECT_EQ(right().receive().status().mark.value, 1500u);
  EXPECT_EQ(right().send().status().mark.value, 1000u);
  const auto all = 4 * kPart - limits::kControlFloorBytes;
  EXPECT_EQ(retire(left(), {.bytes = all}, ask_right(), true).error().code, Code::kOutOfKey);
  EXPECT_EQ(left().send().status().mark.value, 1500u);
  expect_together();
}

TEST_F(ReconcileTest, TheEmergencyReserveIsForUrgentJobs) {
  close();
  ends_.left_config.limits.emergency_bytes = 100'000;
  open();
  feed_both();
  feed_both();
  const std::uint64_t above = 2 * kPart - limits::kControlFloorBytes;
  const JobId store = JobId::from_view(Bytes(16, 1));
  const JobId restore = JobId::from_view(Bytes(16, 2));
  using enum Link::Urgency;
  EXPECT_EQ(left().drawable(store), above - 100'000);
  EXPECT_EQ(left().drawable(restore, kUrgent), above);
  EXPECT_EQ(left().status().residual_bytes, above - 100'000);
  left().lease(store, {500'000});  // more than there is
  EXPECT_EQ(left().drawable(JobId{}), 0u);
  EXPECT_EQ(left().drawable(restore, kUrgent), 100'000u) << "leases do not reach into it";
  EXPECT_EQ(left().drawable(store), above - 100'000);
  EXPECT_FALSE(left().wait_drawable(restore, {100'001}, std::chrono::milliseconds(1), kUrgent));
  EXPECT_TRUE(left().wait_drawable(restore, {100'000}, std::chrono::milliseconds(1), kUrgent));
}

}  // namespace
}  // namespace warifu::kme
