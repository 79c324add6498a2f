// The trail: what is recorded comes back, also after a restart; a torn or damaged end does no harm;
// what a crash left out is told; the files stay within their bound.
#include "keypool/trail.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "keypool/pool.h"
#include "testing/temporary_folder.h"

namespace warifu::keypool {
namespace {

namespace fs = std::filesystem;

class TrailTest : public testing::Test {
 protected:
  static TrailRecord record(std::uint64_t n) {
    return {{1000 + static_cast<std::int64_t>(n)}, {n * 10}, {10}, job(n % 3), TrailUse::kBulk};
  }
  static JobId job(std::uint64_t n) { return JobId::from_view(Bytes(16, static_cast<Byte>(n))); }

  sim::TemporaryFolder dir_;
  os::System system_ = os::real_system();
};

TEST_F(TrailTest, RecordsComeBackAndAreChosen) {
  {
    Trail trail(system_.files, dir_, 1 << 20);
    for (std::uint64_t n = 0; n < 10; ++n) trail.add(record(n));
  }
  Trail trail(system_.files, dir_, 1 << 20);
  trail.start({100}, {5000});  // the records tell all of it
  trail.add(record(10));
  const auto all = trail.read({});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 11u);
  for (std::uint64_t n = 0; n < 11; ++n) EXPECT_EQ((*all)[n], record(n));
  EXPECT_EQ(trail.read({.job = job(1)})->size(), 4u);  // 1, 4, 7, 10
  EXPECT_EQ(trail.read({.from = {1008}})->size(), 3u);
  EXPECT_EQ(trail.read({.most = 2})->front(), record(9));
}

TEST_F(TrailTest, WhatNobodyRecordedIsTold) {
  {
    Trail trail(system_.files, dir_, 1 << 20);
    trail.add(record(0));
  }
  Trail trail(system_.files, dir_, 1 << 20);
  trail.start({50}, {7000});
  const auto all = trail.read({});
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ(all->back(), (TrailRecord{{7000}, {10}, {40}, {}, TrailUse::kUntold}));
}

TEST_F(TrailTest, TornAndDamagedRecordsArePassedOver) {
  {
    Trail trail(system_.files, dir_, 1 << 20);
    for (std::uint64_t n = 0; n < 3; ++n) trail.add(record(n));
  }
  fs::resize_file(dir_ + "/trail", 2 * 48 + 20);
  {
    std::fstream file(dir_ + "/trail", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5);
    file.put('!');
  }
  Trail trail(system_.files, dir_, 1 << 20);
  trail.start({20}, {7000});
  trail.add(record(2));
  const auto all = trail.read({});
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0], record(1));
  EXPECT_EQ((*all)[1], record(2));
}

TEST_F(TrailTest, TheFilesStayWithinTheirBound) {
  constexpr std::uint64_t kLimit = 48 * 200;
  Trail trail(system_.files, dir_, kLimit);
  for (std::uint64_t n = 0; n < 1234; ++n) {
    trail.add(record(n));
    if (n % 37 == 0) {
      ASSERT_TRUE(trail.flush());
    }
  }
  const auto all = trail.read({});
  EXPECT_LE(fs::file_size(dir_ + "/trail") + fs::file_size(dir_ + "/trail.old"), kLimit);
  EXPECT_GE(all->size(), 100u);
  EXPECT_EQ(all->back(), record(1233));
  EXPECT_EQ(trail.lost(), 0u);
}

TEST_F(TrailTest, AFolderThatRefusesLosesRecordsAndSaysSo) {
  Trail trail(system_.files, dir_ + "/missing", 1 << 20);
  trail.add(record(0));
  EXPECT_FALSE(trail.flush());
  EXPECT_EQ(trail.lost(), 1u);
}

TEST_F(TrailTest, APoolTellsWhoTookWhat) {
  const Bytes root(32, 3);
  const PoolOptions options{.control_floor_bytes = 0, .trail_bytes = 1 << 20};
  ASSERT_TRUE(Pool::create(system_, dir_ + "/p", LinkId{}, Direction::kReceive, root));
  {
    auto pool = *Pool::open(system_, dir_ + "/p", root, options);
    ASSERT_TRUE(pool->ingest({0}, Origin::kPreshared, Bytes(1000, 7)));
    ASSERT_TRUE(pool->mark_synced({0}, {0}));
    ASSERT_TRUE(pool->reserve({100}, Purpose::kControl));
    ASSERT_TRUE(pool->reserve({200}, Purpose::kShare, job(2)));
    ASSERT_TRUE(pool->burn_to({450}));
  }
  {
    // Without a trail, as after a crash that took its last records.
    auto pool = *Pool::open(system_, dir_ + "/p", root, {});
    ASSERT_TRUE(pool->burn_to({500}));
  }
  auto pool = *Pool::open(system_, dir_ + "/p", root, options);
  const auto all = pool->trail()->read({});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 4u);
  const auto expect = [&](std::size_t i, std::uint64_t begin, std::uint64_t length, TrailUse use,
                          const JobId& of) {
    EXPECT_EQ((*all)[i].begin.value, begin);
    EXPECT_EQ((*all)[i].length.value, length);
    EXPECT_EQ((*all)[i].use, use);
    EXPECT_EQ((*all)[i].job, of);
  };
  expect(0, 0, 100, TrailUse::kControl, {});
  expect(1, 100, 200, TrailUse::kShare, job(2));
  expect(2, 300, 150, TrailUse::kBurnt, {});
  expect(3, 450, 50, TrailUse::kUntold, {});
}

}  // namespace
}  // namespace warifu::keypool
