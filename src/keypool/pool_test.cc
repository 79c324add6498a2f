// Two ends of a pool: same bytes once each, marks across restarts, out-of-order grants, older
// peers, damaged files.
#include "keypool/pool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/limits.h"
#include "testing/temporary_folder.h"

namespace warifu::keypool {
namespace {

class PoolTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Pool::create(system_, dir_ + "/tx", link_, Direction::kSend, root_));
    ASSERT_TRUE(Pool::create(system_, dir_ + "/rx", link_, Direction::kReceive, root_));
    open_tx();
    open_rx();
  }
  void open_tx() {
    tx_.reset();
    auto pool = Pool::open(system_, dir_ + "/tx", root_);
    ASSERT_TRUE(pool) << pool.error().message;
    tx_ = std::move(*pool);
  }
  void open_rx() {
    rx_.reset();
    auto pool = Pool::open(system_, dir_ + "/rx", root_);
    ASSERT_TRUE(pool) << pool.error().message;
    rx_ = std::move(*pool);
  }
  void fill(std::size_t size) {
    Bytes material(size);
    for (auto& b : material) b = static_cast<Byte>(generator_());
    for (Pool* pool : {tx_.get(), rx_.get()}) {
      const SegmentNumber number = pool->next_segment();
      ASSERT_TRUE(pool->ingest(number, Origin::kPreshared, material));
      ASSERT_TRUE(pool->mark_synced(number, pool->status().synced_end));
    }
    stream_.insert(stream_.end(), material.begin(), material.end());
  }
  Bytes expected(std::uint64_t begin, std::size_t size) {
    return Bytes(stream_.begin() + static_cast<std::ptrdiff_t>(begin),
                 stream_.begin() + static_cast<std::ptrdiff_t>(begin + size));
  }
  static Bytes take(Reservation& reservation, std::size_t size) {
    auto pad = reservation.take(size);
    EXPECT_TRUE(pad);
    return Bytes(pad->bytes().begin(), pad->bytes().end());
  }

  os::System system_ = os::real_system();
  sim::TemporaryFolder dir_;
  LinkId link_ = LinkId::from_view(Bytes(16, 9));
  Bytes root_ = Bytes(32, 3);
  std::mt19937_64 generator_{1};
  Bytes stream_;
  std::unique_ptr<Pool> tx_, rx_;
};

TEST_F(PoolTest, BothEndsTakeTheSameBytesAcrossBlocksAndSegments) {
  fill(100'000);
  fill(200'000);
  auto granted = rx_->reserve({150'000}, Purpose::kControl);
  ASSERT_TRUE(granted);
  auto accepted = tx_->accept(granted->begin(), {granted->remaining()});
  ASSERT_TRUE(accepted);
  for (const std::size_t size : {1u, 65'535u, 2u, 60'000u, 24'462u}) {
    const std::uint64_t at = granted->begin().value;
    EXPECT_EQ(take(*granted, size), expected(at, size));
    EXPECT_EQ(take(*accepted, size), expected(at, size));
  }
  EXPECT_EQ(accepted->remaining(), 0u);
}

TEST_F(PoolTest, UsedSegmentsAreForgottenWhenTheLastReservationGoes) {
  fill(1000);
  fill(1000);
  auto granted = *rx_->reserve({1500}, Purpose::kControl);
  EXPECT_EQ(rx_->segments().size(), 2u);
  (void)take(granted, 1500);
  granted = Reservation();
  ASSERT_EQ(rx_->segments().size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/rx/seg-000000000000"));
  EXPECT_EQ(rx_->status().available_bytes, 500u);
}

// Files wait for a quiet pool; a pool that is closed first leaves them to its next opening.
TEST_F(PoolTest, FilesOfForgottenSegmentsGoWhenThePoolIsQuiet) {
  const auto file = [&](int number) {
    return dir_ + "/rx/seg-00000000000" + std::to_string(number);
  };
  const auto open_with = [&](std::chrono::milliseconds quiet) {
    rx_.reset();
    rx_ = *Pool::open(system_, dir_ + "/rx", root_, {.sweep_after = quiet});
  };
  const auto use_all = [&] {
    auto granted = *rx_->reserve({1000}, Purpose::kControl);
    (void)take(granted, 1000);
  };
  for (int i = 0; i < 3; ++i) fill(1000);
  open_with(std::chrono::hours(1));
  use_all();
  EXPECT_EQ(rx_->segments().size(), 2u);  // forgotten all the same
  EXPECT_TRUE(std::filesystem::exists(file(0)));
  open_with(std::chrono::milliseconds(1));
  use_all();
  while (std::filesystem::exists(file(0)) || std::filesystem::exists(file(1))) {
    std::this_thread::yield();
  }
  open_with(std::chrono::hours(1));
  use_all();
  EXPECT_TRUE(std::filesystem::exists(file(2)));
  open_rx();
  EXPECT_FALSE(std::filesystem::exists(file(2)));
}

TEST_F(PoolTest, WhatIsKeptInMemoryNeedsItsSegmentNoMore) {
  fill(1000);
  fill(1000);
  auto granted = *rx_->reserve({950}, Purpose::kControl);
  EXPECT_EQ(take(granted, 50), expected(0, 50));
  ASSERT_TRUE(granted.keep_in_memory());
  {
    auto next = *rx_->reserve({100}, Purpose::kControl);  // to the end of the first segment
    EXPECT_EQ(take(next, 100), expected(950, 100));
  }
  EXPECT_EQ(rx_->segments().size(), 1u);
  EXPECT_FALSE(system_.files.exists(dir_ + "/rx/seg-000000000000"));
  EXPECT_EQ(granted.remaining(), 900u);
  EXPECT_EQ(granted.begin().value, 50u);
  EXPECT_EQ(take(granted, 300), expected(50, 300));
  EXPECT_EQ(take(granted, 600), expected(350, 600));
  EXPECT_EQ(granted.remaining(), 0u);
}

TEST_F(PoolTest, TheMarkSurvivesARestartAndWhatWasGrantedIsLost) {
  fill(1000);
  {
    auto granted = *rx_->reserve({300}, Purpose::kControl);
    auto accepted = *tx_->accept(granted.begin(), {300});
    (void)take(accepted, 10);
  }
  open_tx();
  open_rx();
  EXPECT_EQ(tx_->status().mark.value, 300u);
  EXPECT_EQ(rx_->status().mark.value, 300u);
  EXPECT_EQ(rx_->reserve({700}, Purpose::kControl)->begin().value, 300u);
}

TEST_F(PoolTest, BulkLeavesTheFloorAlone) {
  fill(limits::kControlFloorBytes + 100);
  EXPECT_EQ(rx_->reserve({101}, Purpose::kBulk).error().code, Code::kOutOfKey);
  EXPECT_TRUE(rx_->reserve({100}, Purpose::kBulk));
  EXPECT_TRUE(rx_->reserve({101}, Purpose::kControl));
}

// --- key as share
// ---------------------------------------------------------------------------------

TEST_F(PoolTest, AShareIsTheSameAtBothEndsAndItsRangeNeverComesAgain) {
  fill(limits::kControlFloorBytes);
  fill(300'000);
  ASSERT_TRUE(rx_->burn_to({limits::kControlFloorBytes - 100'000}));
  ASSERT_TRUE(tx_->burn_to({limits::kControlFloorBytes - 100'000}));
  EXPECT_EQ(rx_->reserve({200'000}, Purpose::kShare).error().code, Code::kOutOfKey) << "floor";
  fill(limits::kControlFloorBytes);
  const std::uint64_t begin = rx_->status().mark.value;
  {
    auto granted = *rx_->reserve({200'016}, Purpose::kShare);
    auto accepted = *tx_->accept(granted.begin(), {200'016}, Purpose::kShare);
    const std::vector<KeyPiece> pieces = granted.pieces();
    EXPECT_EQ(pieces, accepted.pieces());
    ASSERT_EQ(pieces.size(), 2u);
    EXPECT_EQ(pieces[0].segment.value, 0u);
    EXPECT_EQ(pieces[0].offset.value, begin);
    EXPECT_EQ(pieces[1].length.value, 100'016u);
    Bytes here(150'000), there(150'000);
    EXPECT_EQ(take(granted, kShareHashKeyBytes), take(accepted, kShareHashKeyBytes));
    ASSERT_TRUE(granted.draw(here));
    ASSERT_TRUE(accepted.draw(there));
    EXPECT_EQ(here, there);
    EXPECT_EQ(here, expected(begin + 16, 150'000));
  }
  tx_->record_use({.share = 150'000});
  ASSERT_TRUE(tx_->flush_account());
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(tx_->accept({begin}, {16}).error().code, Code::kRefused);
    EXPECT_EQ(tx_->accept({begin + 100}, {50}, Purpose::kShare).error().code, Code::kRefused);
    EXPECT_EQ(rx_->reserve({1}, Purpose::kControl)->begin().value,
              begin + 200'016 + static_cast<std::uint64_t>(restart));
    open_tx();
    open_rx();
  }
  EXPECT_EQ(tx_->status().share_bytes, 150'000u);
}

TEST_F(PoolTest, AReservationGivesPadsOrSharesNeverBoth) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  fill(limits::kControlFloorBytes + 1000);
  auto share = *rx_->reserve({100}, Purpose::kShare);
  Bytes bytes(10);
  EXPECT_DEATH((void)share.draw(bytes), "behind_key") << "the hash key is no share";
  (void)take(share, kShareHashKeyBytes);
  EXPECT_DEATH((void)share.take(10), "kShare") << "a share is no pad";
  auto pads = *rx_->reserve({100}, Purpose::kBulk);
  (void)take(pads, kShareHashKeyBytes);
  EXPECT_DEATH((void)pads.draw(bytes), "behind_key") << "a pad is no share";
}

TEST_F(PoolTest, AMarkOfTheFirstFormatIsRefusedByName) {
  tx_.reset();
  const std::string path = dir_ + "/tx/mark";
  Bytes slots = *os::read_file(system_.files, path, 1 << 20);
  slots[7] = slots[kMarkSlotBytes + 7] = '1';
  ASSERT_TRUE(os::replace_file(system_.files, path, slots));
  const auto opened = Pool::open(system_, dir_ + "/tx", root_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kRefused);
  EXPECT_NE(opened.error().message.find("earlier version"), std::string::npos);
}

TEST_F(PoolTest, GrantsThatArriveOutOfOrderAreEachAcceptedOnce) {
  fill(1000);
  const auto first = *rx_->reserve({100}, Purpose::kControl);
  const auto second = *rx_->reserve({100}, Purpose::kControl);
  ASSERT_TRUE(tx_->accept(second.begin(), {100}));
  auto late = tx_->accept(first.begin(), {60});
  ASSERT_TRUE(late);
  EXPECT_EQ(take(*late, 60), expected(0, 60));
  EXPECT_EQ(tx_->accept(first.begin(), {60}).error().code, Code::kRefused);
  EXPECT_TRUE(tx_->accept({60}, {40}));
  EXPECT_EQ(tx_->accept({60}, {40}).error().code, Code::kRefused);
}

TEST_F(PoolTest, APeerWithAnOlderStateIsRefused) {
  fill(1000);
  const std::string backup = dir_ + "/rx-backup";
  rx_.reset();
  std::filesystem::copy(dir_ + "/rx", backup, std::filesystem::copy_options::recursive);
  open_rx();
  ASSERT_TRUE(tx_->accept(rx_->reserve({400}, Purpose::kControl)->begin(), {400}));
  rx_.reset();
  std::filesystem::remove_all(dir_ + "/rx");
  std::filesystem::rename(backup, dir_ + "/rx");
  open_rx();
  const auto again = *rx_->reserve({100}, Purpose::kControl);
  EXPECT_EQ(tx_->accept(again.begin(), {100}).error().code, Code::kRefused);
  ASSERT_TRUE(rx_->burn_to(tx_->status().mark));
  EXPECT_TRUE(tx_->accept(rx_->reserve({100}, Purpose::kControl)->begin(), {100}));
}

TEST_F(PoolTest, QuarantinedAndUnconfirmedMaterialIsNeverUsed) {
  ASSERT_TRUE(rx_->ingest({0}, Origin::kRateModel, Bytes(500, 1)));
  EXPECT_EQ(rx_->reserve({1}, Purpose::kControl).error().code, Code::kOutOfKey);
  ASSERT_TRUE(rx_->quarantine({0}));
  EXPECT_FALSE(rx_->mark_synced({0}, {0}));
  EXPECT_EQ(rx_->status().quarantined_bytes, 500u);
  ASSERT_TRUE(rx_->discard({0}));
  EXPECT_EQ(rx_->status().quarantined_bytes, 0u);
}

TEST_F(PoolTest, ASegmentContinuesTheStreamOrIsRefused) {
  ASSERT_TRUE(rx_->ingest({0}, Origin::kPreshared, Bytes(100, 1)));
  for (const std::uint64_t base : {1u, 100u}) {
    EXPECT_EQ(rx_->mark_synced({0}, {base}).error().code, Code::kCorrupt);
  }
  EXPECT_EQ(rx_->status().synced_end.value, 0u);
  ASSERT_TRUE(rx_->mark_synced({0}, {0}));
  ASSERT_TRUE(rx_->mark_synced({0}, {0}));  // again: nothing changes
  EXPECT_EQ(rx_->mark_synced({0}, {100}).error().code, Code::kCorrupt);
  ASSERT_TRUE(rx_->ingest({1}, Origin::kPreshared, Bytes(50, 2)));
  for (const std::uint64_t base : {0u, 99u, 101u}) {
    EXPECT_EQ(rx_->mark_synced({1}, {base}).error().code, Code::kCorrupt);
  }
  ASSERT_TRUE(rx_->mark_synced({1}, {100}));
  EXPECT_EQ(rx_->status().synced_end.value, 150u);
}

TEST_F(PoolTest, ASegmentNumberComesInOnce) {
  ASSERT_TRUE(rx_->ingest({3}, Origin::kPreshared, Bytes(10, 1)));
  for (const std::uint64_t number : {0u, 2u, 3u}) {
    EXPECT_EQ(rx_->ingest({number}, Origin::kPreshared, Bytes(10, 2)).error().code,
              Code::kAlreadyExists);
  }
  EXPECT_EQ(rx_->segments().size(), 1u);
  EXPECT_EQ((*rx_->read_ingested({3})).bytes()[0], 1);
  ASSERT_TRUE(rx_->discard({3}));  // a number that was given up does not come back either
  EXPECT_EQ(rx_->ingest({3}, Origin::kPreshared, Bytes(10, 2)).error().code, Code::kAlreadyExists);
}

TEST_F(PoolTest, TheOldestOfTooManyGapsIsBurnt) {
  fill(1000);
  for (std::uint64_t i = 0; i < 65; ++i) ASSERT_TRUE(tx_->accept({2 * i + 1}, {1}));
  EXPECT_EQ(tx_->accept({0}, {1}).error().code, Code::kRefused);
  EXPECT_TRUE(tx_->accept({2}, {1}));
}

TEST_F(PoolTest, AMarkOverwritesTheOlderSlotAlone) {
  fill(1000);
  const auto slots = [&] { return *os::read_file(system_.files, dir_ + "/rx/mark", 1 << 20); };
  int last = -1;
  for (int i = 0; i < 6; ++i) {
    const Bytes before = slots();
    ASSERT_TRUE(rx_->reserve({10}, Purpose::kControl));
    const Bytes after = slots();
    const auto middle = static_cast<std::ptrdiff_t>(kMarkSlotBytes);
    const bool first = !std::equal(before.begin(), before.begin() + middle, after.begin());
    const bool second = !std::equal(before.begin() + middle, before.end(), after.begin() + middle);
    ASSERT_NE(first, second) << i;
    EXPECT_NE(second ? 1 : 0, last) << i;
    last = second ? 1 : 0;
  }
}

TEST_F(PoolTest, AccountAndMarkAddUp) {
  fill(1000);
  auto granted = *rx_->reserve({200}, Purpose::kControl);
  (void)take(granted, 150);
  rx_->record_use({.payload = 118, .tag = 16, .hash_key = 16});
  ASSERT_TRUE(rx_->flush_account());
  granted = Reservation();
  open_rx();
  const PoolStatus status = rx_->status();
  EXPECT_EQ(status.payload_bytes + status.tag_bytes + status.hash_key_bytes, 150u);
  EXPECT_EQ(status.discarded_bytes, 50u);
}

TEST_F(PoolTest, ASecondOwnerIsRefused) {
  const auto second = Pool::open(system_, dir_ + "/tx", root_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kBusy);
}

TEST_F(PoolTest, EveryFlippedByteOfTheSmallFilesIsFound) {
  fill(100);
  tx_.reset();
  for (const char* name : {"identity", "index"}) {
    const std::string path = dir_ + "/tx/" + name;
    const Bytes good = *os::read_file(system_.files, path, 4096);
    for (std::size_t i = 0; i < good.size(); ++i) {
      Bytes bad = good;
      bad[i] = static_cast<Byte>(bad[i] ^ 0x40);
      ASSERT_TRUE(os::replace_file(system_.files, path, bad));
      const auto opened = Pool::open(system_, dir_ + "/tx", root_);
      ASSERT_FALSE(opened) << name << " byte " << i;
      EXPECT_NE(opened.error().message.find(dir_), std::string::npos);
    }
    ASSERT_TRUE(os::replace_file(system_.files, path, good));
  }
  open_tx();
}

TEST_F(PoolTest, ADamagedSegmentIsToldWhenItIsRead) {
  fill(1000);
  std::filesystem::resize_file(dir_ + "/rx/seg-000000000000", 500);
  auto granted = *rx_->reserve({10}, Purpose::kControl);
  const auto pad = granted.take(10);
  ASSERT_FALSE(pad);
  EXPECT_EQ(pad.error().code, Code::kCorrupt);
  EXPECT_NE(pad.error().message.find("seg-000000000000"), std::string::npos);
}

TEST_F(PoolTest, AnotherRootKeyDoesNotOpen) {
  tx_.reset();
  EXPECT_EQ(Pool::open(system_, dir_ + "/tx", Bytes(32, 4)).error().code, Code::kCorrupt);
  open_tx();
}

}  // namespace
}  // namespace warifu::keypool
