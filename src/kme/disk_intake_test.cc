// Taking in and agreeing at both ends: the usual way, waiting, refusals, a copy that was changed.
#include "kme/disk_intake.h"

#include <gtest/gtest.h>

#include "kme/padded_hash.h"
#include "testing/disk_ends.h"

namespace warifu::kme {
namespace {

class DiskIntakeTest : public ::testing::Test {
 protected:
  static void damage(sim::SimDisk& disk, const std::string& path, std::uint64_t at) {
    const auto file = *disk.open(path, os::OpenMode::kReadWrite);
    Bytes byte(1);
    EXPECT_TRUE(file->read_exact_at(at, byte));
    byte[0] ^= 1;
    EXPECT_TRUE(file->write_at(at, byte));
    file->sync();
  }
  static void expect_in(const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  // Makes this end's copy consistent again after the courier changed a piece: nothing shows
  // locally.
  static void sign_again(DiskEnds& ends, std::size_t end, std::uint32_t piece) {
    const std::string path = piece_path(kMedia, piece);
    const Bytes bytes = *os::read_file(*ends.disks[end], path, 1 << 24);
    const ByteView all(bytes);
    const mac::Key key(all.subspan(all.size() - 32, 16));
    mac::Hasher hasher(key);
    hash_padded(hasher, all.first(48));
    for (const DiskUnit& unit : units_of(ends.plan, piece)) {
      hash_padded(hasher, all.subspan(unit.at, unit.length));
    }
    DiskManifest manifest = *read_disk_manifest(*ends.disks[end], kMedia);
    manifest.pieces[piece].tag = hasher.finish();
    for (std::size_t i = 0; i < 16; ++i) {
      manifest.pieces[piece].tag[i] ^= all[all.size() - 16 + i];
    }
    EXPECT_TRUE(os::replace_file(*ends.disks[end], manifest_path(kMedia), encode(manifest)));
  }
};

TEST_F(DiskIntakeTest, ASetGoesInIsAgreedUsedAndWiped) {
  DiskEnds ends({});
  ASSERT_TRUE(ends.open()) << ends.last_error;
  EXPECT_TRUE(ends.intakes[0]->under_way());
  ends.settle();
  ASSERT_TRUE(ends.done()) << ends.status(0).state << ends.status(1).state;
  EXPECT_FALSE(ends.intakes[0]->under_way());
  const DiskStatus status = ends.status(1);
  EXPECT_EQ(status.agreed, 3u);
  EXPECT_EQ(status.wiped, 3u);
  EXPECT_EQ(status.agreed_bytes, status.bytes);
  for (const auto& disk : ends.disks) EXPECT_TRUE(disk->list(kMedia)->empty());
  ends.use(1 << 20);
  EXPECT_EQ(ends.differing + ends.foreign + ends.repeats, 0u);
  EXPECT_GT(ends.used, 140'000u);
  for (const auto& entry : ends.sender(kAToB).segments()) {
    EXPECT_EQ(entry.origin, keypool::Origin::kPreshared);
  }
}

TEST_F(DiskIntakeTest, OneEndAloneUsesNothingAndWipesNothing) {
  DiskEnds ends({});
  ends.order_at[1] = false;
  ASSERT_TRUE(ends.open());
  ends.settle();
  EXPECT_EQ(ends.status(0).held, 3u);
  EXPECT_EQ(ends.status(0).agreed, 0u);
  EXPECT_EQ(ends.status(0).held_bytes, ends.status(0).bytes);
  expect_in(ends.status(0).state, "waits for the far end");
  EXPECT_EQ(ends.sender(kAToB).status().synced_end.value, 70'000u);
  EXPECT_EQ(ends.disks[0]->list(kMedia)->size(), 4u);
  // It does not ask again and again: that would cost key.
  const std::uint64_t asked = ends.asked;
  ends.settle();
  EXPECT_EQ(ends.asked, asked);
  // The other disk arrives later.
  ASSERT_TRUE(ends.intakes[1]->begin({kMedia, true, 0}));
  ends.settle();
  EXPECT_TRUE(ends.done());
}

TEST_F(DiskIntakeTest, SomePiecesNowTheOthersLater) {
  DiskEnds ends({});
  ends.order_at[0] = ends.order_at[1] = false;
  ASSERT_TRUE(ends.open());
  for (auto& intake : ends.intakes) ASSERT_TRUE(intake->begin({kMedia, false, 1}));
  ends.settle();
  for (std::size_t end = 0; end < 2; ++end) {
    EXPECT_EQ(ends.status(end).agreed, 1u);
    EXPECT_FALSE(ends.status(end).done);
    expect_in(ends.status(end).state, "2 pieces are left");
  }
  for (auto& intake : ends.intakes) ASSERT_TRUE(intake->begin({kMedia, false, 0}));
  ends.settle();
  EXPECT_TRUE(ends.done());
  EXPECT_EQ(ends.disks[0]->list(kMedia)->size(), 4u) << "nobody said --wipe";
  // The set a second time: refused.
  const auto again = ends.intakes[0]->begin({kMedia, false, 0});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kRefused);
  expect_in(again.error().message, "taken in before");
}

TEST_F(DiskIntakeTest, ADamagedOrMissingPieceStopsInOrder) {
  for (const bool missing : {false, true}) {
    DiskEnds ends({});
    const std::string path = piece_path(kMedia, 1);
    const Bytes good = *os::read_file(*ends.disks[1], path, 1 << 20);
    if (missing) {
      ASSERT_TRUE(ends.disks[1]->remove(path));
    } else {
      damage(*ends.disks[1], path, 1234);
    }
    ASSERT_TRUE(ends.open());
    ends.settle();
    const DiskStatus status = ends.status(1);
    EXPECT_EQ(status.held, 1u);
    EXPECT_EQ(status.agreed, 1u);
    ASSERT_TRUE(status.problem);
    EXPECT_EQ(status.problem->code, missing ? Code::kNotFound : Code::kCorrupt);
    expect_in(status.problem->message, "piece 1 ('/media/set/piece-000001'");
    EXPECT_EQ(ends.sender(kAToB).status().synced_end, ends.plan.pieces[0].end(kAToB));
    EXPECT_FALSE(ends.disks[1]->exists(piece_path(kMedia, 0))) << "agreed, so wiped";
    EXPECT_TRUE(ends.disks[1]->exists(piece_path(kMedia, 2)));
    // With a good copy it goes on where it stopped.
    ASSERT_TRUE(os::replace_file(*ends.disks[1], path, good));
    ASSERT_TRUE(ends.intakes[1]->begin({kMedia, true, 0}));
    ends.settle();
    EXPECT_TRUE(ends.done());
    ends.use(1 << 20);
    EXPECT_EQ(ends.differing + ends.foreign + ends.repeats, 0u);
  }
}

TEST_F(DiskIntakeTest, ACopyThatWasChangedUnderItsTagIsFoundByTheComparison) {
  for (const std::uint64_t preload : {70'000u, 0u}) {
    for (const std::uint32_t piece : {0u, 2u}) {
      DiskEnds::Options options{.preload = preload};
      if (preload == 0) options.lengths[0] = {kStartPieceBytes, kStartPieceBytes};
      DiskEnds ends(options);
      damage(*ends.disks[1], piece_path(kMedia, piece), 200);
      sign_again(ends, 1, piece);
      ASSERT_TRUE(ends.open());
      ends.settle();
      for (std::size_t end = 0; end < 2; ++end) {
        EXPECT_EQ(ends.status(end).agreed, preload == 0 && piece == 0 ? 0u : piece);
        ASSERT_TRUE(ends.status(end).problem) << preload << " " << piece << ends.status(end).state;
        expect_in(ends.status(end).problem->message, "differs at the two ends");
        EXPECT_TRUE(ends.disks[end]->exists(piece_path(kMedia, piece)));
      }
      // Of an unconfirmed start piece only control messages can be spoilt.
      if (preload > 0 || piece > 0) {
        EXPECT_EQ(ends.foreign, 0u);
      }
      // Given up at both ends, the link goes on with what was agreed.
      for (auto& intake : ends.intakes) EXPECT_TRUE(intake->abandon());
      for (const DiskWay way : kDiskWays) {
        EXPECT_EQ(ends.sender(way).status().ingested_bytes, 0u);
        EXPECT_EQ(ends.sender(way).status().synced_end, ends.receiver(way).status().synced_end);
      }
    }
  }
}

TEST_F(DiskIntakeTest, ALinkWithoutKeyBeginsWithTheFirstPieceBelowTheFloor) {
  DiskEnds ends({.preload = 0,
                 .lengths = {{kStartPieceBytes, kStartPieceBytes},
                             {kStartPieceBytes, kStartPieceBytes},
                             {2'000'000, 2'000'000}}});
  ends.order_at[1] = false;
  ASSERT_TRUE(ends.open());
  ends.settle();
  // One start piece, and no more: it is enough to talk.
  EXPECT_EQ(ends.sender(kAToB).status().synced_end.value, kStartPieceBytes);
  EXPECT_EQ(ends.status(0).agreed, 0u);
  EXPECT_TRUE(ends.disks[0]->exists(piece_path(kMedia, 0)));
  ASSERT_TRUE(ends.intakes[1]->begin({kMedia, true, 0}));
  for (int i = 0; i < 300 && !ends.done(); ++i) {
    for (std::size_t end = 0; end < 2; ++end) (void)ends.step(end);
    if (ends.status(1).agreed == 0) {
      EXPECT_FALSE(ends.bulk_possible(kAToB, 1)) << "unconfirmed key";
    }
  }
  ASSERT_TRUE(ends.done()) << ends.status(0).state;
  EXPECT_TRUE(ends.bulk_possible(kAToB, 1'000'000));
}

TEST_F(DiskIntakeTest, WhatDoesNotFitIsRefused) {
  DiskEnds ends({});
  ends.order_at[0] = ends.order_at[1] = false;
  ASSERT_TRUE(ends.open());
  const auto refused = [&](const DiskManifest& manifest, Code code, const char* why) {
    ASSERT_TRUE(os::replace_file(*ends.disks[0], manifest_path("/media"), encode(manifest)));
    const auto begun = ends.intakes[0]->begin({"/media", false, 0});
    ASSERT_FALSE(begun) << why;
    EXPECT_EQ(begun.error().code, code);
    expect_in(begun.error().message, why);
  };
  DiskManifest other = ends.plan;
  other.link = LinkId::from_view(Bytes(16, 6));
  refused(other, Code::kInvalidArgument, "not for a-b");
  other = ends.plan;
  other.b = *SiteName::parse("c");
  refused(other, Code::kInvalidArgument, "is for the link a-c");
  other = small_disk_plan({PadOffset{70'001}, PadOffset{70'000}}, {{100, 100}});
  other.made = 1;
  refused(other, Code::kRefused, "does not continue this link's stream: it goes from 70001");
  other.made = 0;
  refused(other, Code::kCorrupt, "pieces are missing");
  const auto none = ends.intakes[0]->begin({"/nowhere", false, 0});
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_EQ(ends.intakes[0]->abandon().error().code, Code::kNotFound);
  EXPECT_FALSE(ends.intakes[0]->status());
  // While one is under way there is no other.
  ASSERT_TRUE(ends.intakes[0]->begin({kMedia, false, 0}));
  other = ends.plan;
  other.set = DiskSetId::from_view(Bytes(16, 1));
  refused(other, Code::kBusy, "under way");
  for (int i = 0; i < 500; ++i) {  // the far end may say anything
    Bytes noise(ends.asked % 3 == 0 ? 37 : 29);
    sim::Dice dice(static_cast<std::uint64_t>(i));
    dice.fill(noise);
    noise[0] = static_cast<Byte>(1 + i % 4);
    copy_bytes(MutableBytes(noise).subspan(1, 16), ends.plan.set.view());
    (void)ends.intakes[0]->answer(noise);
  }
  EXPECT_EQ(ends.status(0).agreed, 0u);
}

}  // namespace
}  // namespace warifu::kme
