// Records that were acknowledged are there after a crash, in order; damage is told.
#include "store/record_file.h"

#include <gtest/gtest.h>

#include "testing/sim_disk.h"

namespace warifu::store {
namespace {

const std::string kPath = "site/notes";
constexpr std::size_t kBody = 44;
constexpr std::uint64_t kRecord = kBody + 4;
constexpr std::uint64_t kTears = 32;

Bytes body_of(std::size_t number) {
  Bytes body(kBody);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<Byte>(number * 5 + i);
  return body;
}

struct Opened {
  std::vector<Bytes> bodies;
  Result<RecordFile> file;
};

Opened open(os::FileSystem& files) {
  std::vector<Bytes> bodies;
  auto file = RecordFile::open(files, kPath, {kBody, "nothing can be told"}, [&](ByteView body) {
    bodies.emplace_back(body.begin(), body.end());
    return Result<>();
  });
  return {std::move(bodies), std::move(file)};
}

void make_folder(sim::SimDisk& disk) {
  ASSERT_TRUE(disk.make_directories("site"));
  disk.sync_dir(".");
}

std::vector<Bytes> first(std::size_t count) {
  std::vector<Bytes> bodies;
  for (std::size_t i = 0; i < count; ++i) bodies.push_back(body_of(i));
  return bodies;
}

TEST(RecordFileTest, GivesBackWhatWasAddedInOrder) {
  sim::SimDisk disk;
  make_folder(disk);
  for (std::size_t count = 0; count < 30; ++count) {
    Opened opened = open(disk);
    ASSERT_TRUE(opened.file) << opened.file.error().message;
    EXPECT_EQ(opened.bodies, first(count));
    ASSERT_TRUE(opened.file->add(body_of(count)));
    EXPECT_EQ(*(*disk.open(kPath, os::OpenMode::kRead))->size(), (count + 1) * kRecord);
  }
}

TEST(RecordFileTest, ATornRecordAtTheEndIsCutOff) {
  for (std::uint64_t left = 0; left < kRecord; ++left) {
    sim::SimDisk disk;
    make_folder(disk);
    {
      Opened opened = open(disk);
      ASSERT_TRUE(opened.file->add(body_of(0)));
      ASSERT_TRUE(opened.file->add(body_of(1)));
    }
    const auto file = *disk.open(kPath, os::OpenMode::kReadWrite);
    ASSERT_TRUE(file->truncate(kRecord + left));
    // As long as it was, with zeros in the place of what is missing.
    if (left % 2 == 1) {
      ASSERT_TRUE(file->write_at(2 * kRecord - 1, Bytes{0xEE}));
    }
    Opened opened = open(disk);
    ASSERT_TRUE(opened.file) << opened.file.error().message;
    EXPECT_EQ(opened.bodies, first(1));
    EXPECT_EQ(*file->size(), kRecord);
    ASSERT_TRUE(opened.file->add(body_of(1)));
    EXPECT_EQ(open(disk).bodies, first(2));
  }
}

TEST(RecordFileTest, DamageElsewhereIsToldWithFileByteAndWhatItMeans) {
  sim::SimDisk disk;
  make_folder(disk);
  {
    Opened opened = open(disk);
    for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(opened.file->add(body_of(i)));
  }
  for (std::uint64_t at = 0; at < 2 * kRecord; ++at) {
    ASSERT_TRUE(disk.rot(kPath, at, 0x10));
    const Opened opened = open(disk);
    ASSERT_FALSE(opened.file);
    EXPECT_EQ(opened.file.error().code, Code::kCorrupt);
    EXPECT_EQ(opened.file.error().message, "'" + kPath + "' is damaged at byte " +
                                               std::to_string(at / kRecord * kRecord) +
                                               ": nothing can be told");
    ASSERT_TRUE(disk.rot(kPath, at, 0x10));
  }
  EXPECT_EQ(open(disk).bodies, first(3));
}

TEST(RecordFileTest, WhoeverTakesARecordMayRefuseIt) {
  sim::SimDisk disk;
  make_folder(disk);
  ASSERT_TRUE(open(disk).file->add(body_of(0)));
  const auto refused = RecordFile::open(disk, kPath, {kBody, ""}, [](ByteView) -> Result<> {
    return fail(Code::kProtocol, "no such site");
  });
  EXPECT_EQ(refused.error().code, Code::kProtocol);
}

// Opens it three times and adds 12 records each time; how many were acknowledged.
std::size_t live_until(sim::SimDisk& disk, std::uint64_t change) {
  make_folder(disk);
  disk.crash_at(change);
  std::size_t added = 0;
  try {
    for (int life = 0; life < 3; ++life) {
      Opened opened = open(disk);
      EXPECT_TRUE(opened.file);
      for (int i = 0; i < 12; ++i) {
        EXPECT_TRUE(opened.file->add(body_of(added)));
        ++added;
      }
    }
  } catch (const sim::SimCrash&) {
    return added;
  }
  return added;
}

struct Count {
  std::uint64_t states = 0, broken = 0, torn = 0;
};

// The power goes at each change in turn. What was acknowledged must be there, perhaps with the one
// that was being added, and the next one can be added behind it.
Count crash_everywhere(sim::Lies lies, bool garbage) {
  sim::SimDisk whole;
  EXPECT_EQ(live_until(whole, UINT32_MAX), 36u);
  Count count;
  for (std::uint64_t change = 1; change <= whole.changes(); ++change) {
    sim::SimDisk disk;
    disk.lie(lies);
    if (!garbage) disk.spare_garbage([](const std::string&) { return true; });
    const std::size_t added = live_until(disk, change);
    for (std::uint64_t seed = 0; seed < kTears; ++seed) {
      const auto left = disk.crash_image(change * kTears + seed);
      ++count.states;
      const auto size = left->exists(kPath) ? *(*left->open(kPath, os::OpenMode::kRead))->size()
                                            : std::uint64_t{0};
      if (added == 0 && !left->exists("site")) continue;
      Opened opened = open(*left);
      const std::size_t there = opened.bodies.size();
      const bool good = opened.file && (there == added || there == added + 1) &&
                        opened.bodies == first(there) && opened.file->add(body_of(there)) &&
                        open(*left).bodies == first(there + 1);
      count.broken += good ? 0U : 1U;
      count.torn += size > there * kRecord ? 1U : 0U;
    }
  }
  return count;
}

TEST(RecordFileTest, WhatWasAcknowledgedSurvivesPowerLossAtEveryStep) {
  const Count count = crash_everywhere({}, false);
  EXPECT_EQ(count.broken, 0u);
  EXPECT_GT(count.states, 1000u);
  EXPECT_GT(count.torn, 100u);
}

// The harness finds a disk that lies; and garbage in the block of earlier records is told as
// damage, which is what W20 of the threat model says.
TEST(RecordFileTest, NegativeControls) {
  EXPECT_GT(crash_everywhere({.sync_does_nothing = true}, false).broken, 0u);
  EXPECT_GT(crash_everywhere({}, true).broken, 0u);
}

// Every operation fails once: the error comes back, and nothing that was acknowledged is lost.
TEST(RecordFileTest, FaultsAtEveryOperation) {
  for (const sim::Fault fault :
       {sim::Fault::kIo, sim::Fault::kNoSpace, sim::Fault::kShort, sim::Fault::kInterrupted}) {
    for (std::uint64_t operation = 1;; ++operation) {
      sim::SimDisk disk;
      make_folder(disk);
      disk.fail_next(operation, fault, false);
      std::size_t added = 0;
      try {
        Opened opened = open(disk);
        if (!opened.file) continue;
        for (int tries = 0; tries < 6; ++tries) {
          if (opened.file->add(body_of(added))) ++added;
        }
      } catch (const sim::SimAbort&) {
        continue;  // a failed sync ends the process
      }
      const bool met = disk.faults_met() > 0;
      disk.clear_faults();
      EXPECT_GE(added, met ? 5u : 6u);
      const std::size_t there = open(disk).bodies.size();
      EXPECT_EQ(open(disk).bodies, first(there));
      // A write whose answer was lost is there, and nobody relies on it.
      EXPECT_GE(there, added) << operation;
      EXPECT_LE(there, added + (fault == sim::Fault::kInterrupted ? 1 : 0)) << operation;
      if (!met) break;
    }
  }
}

}  // namespace
}  // namespace warifu::store
