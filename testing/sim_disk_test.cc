// The simulated disk keeps what it promises: durable is durable, unsynced is at risk in each named
// way.
#include "testing/sim_disk.h"

#include <gtest/gtest.h>

#include "os/folders.h"

namespace warifu::sim {
namespace {

Bytes content_of(SimDisk& disk, const std::string& path) {
  return disk.exists(path) ? *os::read_file(disk, path, 1 << 20) : Bytes();
}

// A disk with a durable file of 3 sectors of 1s.
class SimDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_directories("/a"));
    disk_.sync_dir("/");
    ASSERT_TRUE(os::replace_file(disk_, "/a/file", old_));
    file_ = *disk_.open("/a/file", os::OpenMode::kReadWrite);
  }
  SimDisk disk_;
  Bytes old_ = Bytes(1536, 1), new_ = Bytes(1536, 2);
  std::unique_ptr<os::File> file_;
};

TEST_F(SimDiskTest, WhatIsSyncedSurvivesEveryCrash) {
  ASSERT_TRUE(file_->write_at(0, new_));
  file_->sync();
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    EXPECT_EQ(content_of(*disk_.crash_image(seed), "/a/file"), new_);
  }
}

TEST_F(SimDiskTest, AnUnsyncedWriteIsKeptLostTornAndGarbled) {
  ASSERT_TRUE(file_->write_at(0, new_));
  EXPECT_EQ(content_of(disk_, "/a/file"), new_);
  std::set<std::string> kinds;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Bytes left = content_of(*disk_.crash_image(seed), "/a/file");
    ASSERT_EQ(left.size(), old_.size());
    std::string kind;
    for (std::size_t at = 0; at < left.size(); at += 512) {
      const Bytes sector(left.begin() + static_cast<std::ptrdiff_t>(at),
                         left.begin() + static_cast<std::ptrdiff_t>(at + 512));
      kind += sector == Bytes(512, 1) ? 'o' : sector == Bytes(512, 2) ? 'n' : '?';
    }
    kinds.insert(kind);
  }
  for (const char* kind : {"ooo", "nnn", "noo", "oon", "ono", "?oo", "nn?"}) {
    EXPECT_TRUE(kinds.contains(kind)) << kind;
  }
}

TEST_F(SimDiskTest, NamesAreUndecidedUntilTheirFolderIsSynced) {
  ASSERT_TRUE(disk_.open("/a/other", os::OpenMode::kCreate));
  ASSERT_TRUE(disk_.rename("/a/file", "/a/moved"));
  std::set<std::string> kinds;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto image = disk_.crash_image(seed);
    std::string kind;
    const auto names = image->list("/a");
    for (const std::string& name : *names) kind += name + " ";
    kinds.insert(kind);
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"file ", "moved ", "file other ", "moved other "}));
  disk_.sync_dir("/a");
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_EQ(disk_.crash_image(seed)->list("/a")->size(), 2u);
  }
}

TEST_F(SimDiskTest, AFailedSyncKillsAndALaterOneDoesNotHelp) {
  ASSERT_TRUE(file_->write_at(0, new_));
  disk_.fail_next(1, Fault::kIo, false);
  EXPECT_THROW(file_->sync(), SimAbort);
  EXPECT_EQ(file_->size().error().code, Code::kIo);  // dead
  const auto cached = disk_.kill_image();
  EXPECT_EQ(content_of(*cached, "/a/file"), new_);
  (*cached->open("/a/file", os::OpenMode::kReadWrite))->sync();
  EXPECT_EQ(content_of(*cached->crash_image(1), "/a/file"),
            content_of(*disk_.crash_image(1), "/a/file"));
}

TEST_F(SimDiskTest, ACrashThrowsOnceAndNothingChangesAfterIt) {
  disk_.crash_at(1);
  EXPECT_THROW((void)disk_.remove("/a/file"), SimCrash);
  EXPECT_TRUE(disk_.dead());
  EXPECT_FALSE(disk_.make_directories("/b"));
  file_->sync();
  EXPECT_FALSE(disk_.crash_image(1)->exists("/b"));
}

TEST_F(SimDiskTest, AFaultIsOnceOrForGoodAndAShortWriteIsHalfDone) {
  disk_.fail_next(2, Fault::kShort, false);
  EXPECT_TRUE(file_->write_at(0, Bytes(4, 3)));
  EXPECT_EQ(file_->write_at(0, Bytes(4, 4)).error().code, Code::kNoSpace);
  EXPECT_TRUE(file_->size());
  EXPECT_EQ(content_of(disk_, "/a/file")[1], 4);
  EXPECT_EQ(content_of(disk_, "/a/file")[2], 3);
  disk_.fail_next(1, Fault::kIo, true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(disk_.list("/a").error().code, Code::kIo);
}

TEST_F(SimDiskTest, ALockIsExclusiveAndEndsWithItsHolder) {
  auto lock = disk_.lock_directory("/a");
  ASSERT_TRUE(lock);
  EXPECT_EQ(disk_.lock_directory("/a").error().code, Code::kBusy);
  EXPECT_TRUE(disk_.crash_image(1)->lock_directory("/a"));
  lock->reset();
  EXPECT_TRUE(disk_.lock_directory("/a"));
}

TEST_F(SimDiskTest, AFolderThatIsMadeDurablyStaysWithWhatWasSyncedInIt) {
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    SimDisk disk;
    ASSERT_TRUE(os::make_folder(disk, "/new/folder"));
    ASSERT_TRUE(os::replace_file(disk, "/new/folder/file", Bytes(4, 7)));
    EXPECT_TRUE(disk.crash_image(seed)->exists("/new/folder/file")) << seed;
  }
}

TEST_F(SimDiskTest, BytesRotWhereTheyAreAsked) {
  ASSERT_TRUE(file_->write_at(0, Bytes(4, 3)));
  file_->sync();
  EXPECT_TRUE(disk_.rot("/a/file", 2, 0x10));
  EXPECT_FALSE(disk_.rot("/a/file", 4000, 1));
  EXPECT_FALSE(disk_.rot("/a/nothing", 0, 1));
  EXPECT_EQ(content_of(disk_, "/a/file")[2], 0x13);
  EXPECT_EQ(content_of(*disk_.crash_image(1), "/a/file")[2], 0x13);
}

TEST_F(SimDiskTest, AMisdirectedWriteLandsInItsVictim) {
  auto victim = disk_.open("/a/victim", os::OpenMode::kCreate);
  ASSERT_TRUE(victim);
  ASSERT_TRUE((*victim)->write_at(0, Bytes(8, 1)));
  disk_.misdirect_next_write({"/a/file", "/a/victim", 4});
  ASSERT_TRUE(file_->write_at(0, Bytes(2, 9)));
  EXPECT_FALSE(disk_.misdirection_is_due());
  EXPECT_EQ(content_of(disk_, "/a/victim"), (Bytes{1, 1, 1, 1, 9, 9, 1, 1}));
  EXPECT_NE(content_of(disk_, "/a/file")[0], 9);
}

TEST_F(SimDiskTest, AFullDiskTakesNothingNewAndGivesWhatItHas) {
  ASSERT_TRUE(file_->write_at(0, Bytes(4, 3)));
  disk_.set_full(true);
  EXPECT_EQ(file_->write_at(0, Bytes(4, 4)).error().code, Code::kNoSpace);
  EXPECT_EQ(disk_.open("/a/more", os::OpenMode::kCreate).error().code, Code::kNoSpace);
  EXPECT_EQ(content_of(disk_, "/a/file")[0], 3);
  EXPECT_EQ(*disk_.free_bytes("/a"), 0u);
  EXPECT_TRUE(disk_.remove("/a/file"));
  disk_.set_full(false);
  EXPECT_TRUE(disk_.open("/a/more", os::OpenMode::kCreate));
}

}  // namespace
}  // namespace warifu::sim
