// Shares of copies at a holder: what is kept, what is refused, and power that goes at any moment.
#include "recovery/copy_keeper.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::recovery {
namespace {

const CatalogId kCatalog = CatalogId::from_view(Bytes(16, 1));

class CopyKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_->make_directories("/s"));
    disk_->sync_dir("/");
    start();
  }
  os::System system() { return {*disk_, clock_, random_}; }
  void start() {
    keeper_.reset();
    auto opened = CopyKeeper::open(system(), "/s/copies");
    ASSERT_TRUE(opened) << opened.error().message;
    keeper_ = std::move(*opened);
    disk_->sync_dir("/s");
  }
  Result<> put(std::uint32_t epoch, std::uint32_t number, bool ends = false, Byte fill = 5,
               const CatalogId& catalog = kCatalog) {
    const CopyHead head{.place = {catalog, epoch, number},
                        .attempt = os::random_id<AttemptId>(random_),
                        .scheme = *sharing::Scheme::threshold_of(2, 2),
                        .ends = ends,
                        .bytes = 64};
    return keeper_->put(head, Bytes(64, fill));
  }
  [[nodiscard]] std::vector<std::pair<std::uint32_t, std::uint32_t>> kept() const {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> places;
    for (const CopyHead& head : keeper_->list()) {
      places.emplace_back(head.place.epoch, head.place.number);
    }
    return places;
  }
  using Places = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

  std::unique_ptr<sim::SimDisk> disk_ = std::make_unique<sim::SimDisk>();
  sim::SimClock clock_;
  sim::SimRandom random_{3};
  std::unique_ptr<CopyKeeper> keeper_;
};

TEST_F(CopyKeeperTest, AnEpochThatIsWholeTakesThePlaceOfTheOneBefore) {
  ASSERT_TRUE(put(1, 0));
  ASSERT_TRUE(put(1, 1, true));
  ASSERT_TRUE(put(2, 0));
  EXPECT_EQ(kept(), (Places{{1, 0}, {1, 1}, {2, 0}}));
  ASSERT_TRUE(put(2, 1, true));
  EXPECT_EQ(kept(), (Places{{2, 0}, {2, 1}}));
  start();
  EXPECT_EQ(kept(), (Places{{2, 0}, {2, 1}}));
}

TEST_F(CopyKeeperTest, ABundleEndsTheHistoryBehindIt) {
  for (std::uint32_t number = 0; number < 4; ++number) ASSERT_TRUE(put(1, number, number == 1));
  ASSERT_TRUE(put(1, 2, true, 9));
  EXPECT_EQ(kept(), (Places{{1, 0}, {1, 1}, {1, 2}}));
  EXPECT_EQ(put(1, 5).error().code, Code::kInvalidArgument);
}

TEST_F(CopyKeeperTest, AnotherCatalogComesOnlyOnceThisOneIsForgotten) {
  const CatalogId other = CatalogId::from_view(Bytes(16, 2));
  ASSERT_TRUE(put(1, 0, true));
  EXPECT_EQ(put(1, 0, true, 5, other).error().code, Code::kRefused);
  ASSERT_TRUE(keeper_->forget());
  EXPECT_TRUE(put(1, 0, true, 5, other));
}

TEST_F(CopyKeeperTest, NothingIsGivenWithoutLeave) {
  ASSERT_TRUE(put(1, 0, true));
  const CopyPlace place{kCatalog, 1, 0};
  EXPECT_EQ(keeper_->get(place).error().code, Code::kRefused);
  ASSERT_TRUE(keeper_->allow_until({clock_.now().value + 60'000}));
  start();
  const auto share = keeper_->get(place);
  ASSERT_TRUE(share) << share.error().message;
  EXPECT_EQ(share->bytes()[10], 5);
  EXPECT_EQ(keeper_->get({kCatalog, 1, 1}).error().code, Code::kNotFound);
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(keeper_->get(place).error().code, Code::kRefused);
}

TEST_F(CopyKeeperTest, EveryFlippedByteOfAFileIsSeen) {
  ASSERT_TRUE(put(1, 0, true));
  const std::string path = "/s/copies/00000001-00000000.copy";
  const auto file = *disk_->open(path, os::OpenMode::kReadWrite);
  const std::uint64_t size = *file->size();
  for (std::uint64_t at = 0; at < size; ++at) {
    Bytes byte(1);
    ASSERT_TRUE(file->read_exact_at(at, byte));
    byte[0] ^= 0x10;
    ASSERT_TRUE(file->write_at(at, byte));
    start();
    EXPECT_TRUE(keeper_->list().empty()) << at;
    EXPECT_EQ(keeper_->problems().size(), 1u);
    byte[0] ^= 0x10;
    ASSERT_TRUE(file->write_at(at, byte));
  }
}

TEST_F(CopyKeeperTest, WhatWasAcknowledgedIsThereWhereverThePowerGoes) {
  ASSERT_TRUE(put(1, 0));
  ASSERT_TRUE(put(1, 1, true));
  const auto before = disk_->kill_image();
  bool crashed = true;
  for (std::uint64_t at = 1; crashed; ++at) {
    disk_ = before->kill_image();
    start();
    disk_->crash_at(at);
    crashed = false;
    std::uint32_t acknowledged = 0;
    try {
      for (; acknowledged < 2; ++acknowledged) {
        ASSERT_TRUE(put(2, acknowledged, acknowledged == 1));
      }
    } catch (const sim::SimCrash&) {
      crashed = true;
    }
    disk_ = crashed ? disk_->crash_image(at) : disk_->kill_image();
    start();
    EXPECT_TRUE(keeper_->problems().empty());
    const Places places = kept();
    for (std::uint32_t number = 0; number < acknowledged; ++number) {
      EXPECT_NE(std::ranges::find(places, std::pair(2U, number)), places.end()) << at;
    }
    // One whole epoch is there at any moment.
    const auto has = [&](std::uint32_t epoch) {
      return std::ranges::count(places, epoch, [](const auto& p) { return p.first; }) == 2;
    };
    EXPECT_TRUE(has(1) || has(2)) << at;
  }
}

}  // namespace
}  // namespace warifu::recovery
