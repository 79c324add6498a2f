// Staged files: what comes out is what went in, what was changed is refused, no nonce serves twice.
#include "control/staging.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::control {
namespace {

constexpr std::uint64_t kChunk = limits::kChunkBytes;
const std::string kPath = "site/staging/0a";

class StagingTest : public testing::Test {
 protected:
  StagingTest() { random_.fill(key_); }

  Bytes content(std::uint64_t length, std::uint64_t seed = 5) {
    Bytes bytes(length);
    sim::Dice(seed).fill(bytes);
    return bytes;
  }
  void write(ByteView plain, StagedPart part = StagedPart::kFile) {
    auto writer = *StagingWriter::create(
        system_, part == StagedPart::kLead ? staged_lead_path(kPath) : kPath, key_, part);
    ASSERT_TRUE(writer.append(plain));
    ASSERT_EQ(writer.finish()->value, plain.size());
  }
  Result<Bytes> read(std::uint64_t length) {
    const sharing::Chunking chunking{ByteCount{length}};
    TRY_ASSIGN(auto reader, StagingReader::open(system_, kPath, key_, chunking));
    Bytes all;
    for (std::uint64_t i = 0; i < chunking.chunk_count(); ++i) {
      Bytes record(chunking.record_length({i}));
      TRY(reader.read({i}, record));
      all.insert(all.end(), record.begin(), record.begin() + chunking.length({i}));
    }
    return all;
  }
  // The nonces' run of each block.
  std::vector<std::uint64_t> runs() {
    const auto file = *disk_.open(kPath, os::OpenMode::kRead);
    std::vector<std::uint64_t> found;
    for (std::uint64_t at = 4096; at < *file->size(); at += kChunk + 4096) {
      std::array<Byte, 8> run{};
      EXPECT_TRUE(file->read_exact_at(at, run));
      found.emplace_back();
      std::memcpy(&found.back(), run.data(), run.size());
    }
    return found;
  }

  sim::SimDisk disk_;
  sim::SimClock clock_;
  sim::SimRandom random_{7};
  os::System system_{disk_, clock_, random_};
  std::array<Byte, kStagingKeyBytes> key_{};
};

TEST_F(StagingTest, WhatComesOutIsWhatWentIn) {
  const Bytes plain = content(2 * kChunk + 777);
  write(plain);
  EXPECT_EQ(*read(plain.size()), plain);
}

TEST_F(StagingTest, ALeadInAFileOfItsOwnComesFirst) {
  const Bytes lead = content(2 * kChunk, 1);
  const Bytes plain = content(kChunk + 9, 2);
  write(lead, StagedPart::kLead);
  write(plain);
  Bytes both = lead;
  both.insert(both.end(), plain.begin(), plain.end());
  EXPECT_EQ(*read(both.size()), both);
  EXPECT_TRUE(erase_staging(system_, kPath));
  EXPECT_TRUE(disk_.list("site/staging")->empty());
}

TEST_F(StagingTest, ALeadAndAFileDoNotPassForOneAnother) {
  const Bytes plain = content(kChunk);
  write(plain, StagedPart::kLead);
  write(plain);
  ASSERT_TRUE(disk_.rename(staged_lead_path(kPath), kPath));
  EXPECT_EQ(read(plain.size()).error().code, Code::kCorrupt);
}

TEST_F(StagingTest, EveryPlaceOfABlockCounts) {
  write(content(300));
  for (const std::uint64_t at : {0U, 5U, 4096U, 4103U, 4104U, 4403U, 4404U, 4419U}) {
    ASSERT_TRUE(disk_.rot(kPath, at, 0x10));
    EXPECT_EQ(read(300).error().code, Code::kCorrupt) << at;
    ASSERT_TRUE(disk_.rot(kPath, at, 0x10));
  }
  EXPECT_TRUE(read(300));
}

TEST_F(StagingTest, AnEarlierVersionIsNamed) {
  ASSERT_TRUE(disk_.make_directories("site/staging"));
  const auto file = *disk_.open(kPath, os::OpenMode::kCreate);
  ASSERT_TRUE(file->write_at(0, content(kChunk + 16)));
  const auto opened = read(kChunk);
  ASSERT_EQ(opened.error().code, Code::kCorrupt);
  EXPECT_NE(opened.error().message.find("earlier version"), std::string::npos);
}

// A chunk that is written twice would give the difference of two plaintexts away under one nonce.
TEST_F(StagingTest, WhatIsWrittenAgainHasAnotherNonce) {
  write(content(3 * kChunk));
  const auto before = runs();
  ASSERT_EQ(before.size(), 3);
  auto writer = *StagingWriter::open_behind(system_, kPath, key_, 1);
  ASSERT_TRUE(writer.append(content(2 * kChunk, 9)));
  ASSERT_TRUE(writer.finish());
  const auto after = runs();
  ASSERT_EQ(after.size(), 3);
  EXPECT_EQ(after[0], before[0]);
  EXPECT_NE(after[1] | 1U, before[1] | 1U);
  EXPECT_EQ(after[1], after[2]);
}

TEST_F(StagingTest, WhatACrashLeftInPartIsNotCounted) {
  const std::uint64_t length = 40 * kChunk + 5;
  write(content(length));
  EXPECT_EQ(*count_staged_chunks(system_, kPath, key_, length), 41);
  const std::uint64_t stride = kChunk + 4096;
  ASSERT_TRUE(disk_.rot(kPath, 4096 + 30 * stride + 100, 1));
  EXPECT_EQ(*count_staged_chunks(system_, kPath, key_, length), 30);
  const auto file = *disk_.open(kPath, os::OpenMode::kReadWrite);
  ASSERT_TRUE(file->truncate(4096 + 20 * stride + 8));
  EXPECT_EQ(*count_staged_chunks(system_, kPath, key_, length), 20);
  ASSERT_TRUE(file->truncate(4096));
  EXPECT_EQ(*count_staged_chunks(system_, kPath, key_, length), 0);
}

}  // namespace
}  // namespace warifu::control
