// The threads of the data path: what is durable when, and how an error on one side ends the other.
#include <gtest/gtest.h>

#include <latch>

#include "base/limits.h"
#include "control/record_source.h"
#include "control/share_sink.h"

namespace warifu::control {
namespace {

secret::Buffer record_of(std::uint64_t number) {
  secret::Buffer record(8);
  std::memcpy(record.bytes().data(), &number, 8);
  return record;
}

std::uint64_t number_of(const secret::Buffer& record) {
  std::uint64_t number = 0;
  std::memcpy(&number, record.bytes().data(), 8);
  return number;
}

// Counts what it is told; fails at a chosen append or sync.
class CountingWriter final : public store::ShareWriter {
 public:
  std::uint64_t fail_append_at = UINT64_MAX;
  std::uint64_t fail_sync_at = UINT64_MAX;  // appended records at that sync
  std::vector<std::uint64_t> syncs;         // appended records at each sync

  const store::ShareHeader& header() const override { return header_; }
  const store::ShareLayout& layout() const override { std::abort(); }
  ChunkIndex next_chunk() const override { return {appended_}; }
  std::uint64_t durable_chunks() const override { return syncs.empty() ? 0 : syncs.back(); }
  Result<> append(ByteView record) override {
    if (appended_ == fail_append_at) return fail(Code::kNoSpace, "the disk is full");
    std::uint64_t number = 0;
    std::memcpy(&number, record.data(), 8);
    EXPECT_EQ(number, appended_);
    ++appended_;
    return {};
  }
  Result<> sync() override {
    if (appended_ >= fail_sync_at) return fail(Code::kIo, "the disk is gone");
    syncs.push_back(appended_);
    return {};
  }
  Result<> truncate_to(ChunkIndex) override { return {}; }
  Result<> commit() override { return {}; }
  Result<> abandon() override { return {}; }

 private:
  store::ShareHeader header_;
  std::uint64_t appended_ = 0;
};

TEST(ShareSink, SyncsEveryWindowAndTheRest) {
  CountingWriter writer;
  const std::uint64_t records = 2 * limits::kWindowFrames + 5;
  ShareSink sink(writer, records);
  for (std::uint64_t i = 0; i < records; ++i) ASSERT_TRUE(sink.put(record_of(i)));
  ASSERT_TRUE(sink.wait_durable(records));
  EXPECT_EQ(sink.durable(), records);
  EXPECT_EQ(writer.syncs, (std::vector<std::uint64_t>{limits::kWindowFrames,
                                                      2 * limits::kWindowFrames, records}));
}

TEST(ShareSink, AFailedWriteReachesWhoPutsAndWhoWaits) {
  CountingWriter writer;
  writer.fail_append_at = 3;
  ShareSink sink(writer, 1000);
  Result<> put;
  for (std::uint64_t i = 0; put && i < 1000; ++i) put = sink.put(record_of(i));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::kNoSpace);
  const Result<> waited = sink.wait_durable(1);
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, Code::kNoSpace);
  EXPECT_EQ(sink.durable(), 0u);
}

TEST(ShareSink, WhatWasSyncedBeforeAFailureStaysAcknowledged) {
  CountingWriter writer;
  writer.fail_sync_at = limits::kWindowFrames + 1;
  ShareSink sink(writer, 1000);
  Result<> put;
  for (std::uint64_t i = 0; put && i < 1000; ++i) put = sink.put(record_of(i));
  EXPECT_FALSE(put);
  EXPECT_TRUE(sink.wait_durable(limits::kWindowFrames));
  EXPECT_FALSE(sink.wait_durable(limits::kWindowFrames + 1));
}

TEST(ShareSink, EndsWithoutWaitingForRecordsThatNeverCome) {
  CountingWriter writer;
  ShareSink sink(writer, 1000);
  ASSERT_TRUE(sink.put(record_of(0)));
}

// Gives `count` records, then an error; counts how far it is ahead.
class Numbers final : public RecordSource {
 public:
  explicit Numbers(std::uint64_t count) : count_(count) {}
  Result<secret::Buffer> next() override {
    if (given == count_) return fail(Code::kUnavailable, "the holder is gone");
    return record_of(given++);
  }
  void cancel() override {}
  std::atomic<std::uint64_t> given = 0;

 private:
  std::uint64_t count_;
};

TEST(ReadAhead, KeepsTheOrderAndStaysWithinItsDepth) {
  auto numbers = std::make_unique<Numbers>(100);
  Numbers& source = *numbers;
  ReadAhead ahead(std::move(numbers), 100);
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto record = ahead.next();
    ASSERT_TRUE(record);
    EXPECT_EQ(number_of(*record), i);
    EXPECT_LE(source.given - i, 10u);
  }
  EXPECT_FALSE(ahead.next());
}

TEST(ReadAhead, HandsOutWhatCameBeforeAnError) {
  ReadAhead ahead(std::make_unique<Numbers>(3), 100);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ahead.next());
  const auto failed = ahead.next();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
}

// Waits in next() until it is cancelled, as for a holder that waits for key.
class Stuck final : public RecordSource {
 public:
  Result<secret::Buffer> next() override {
    cancelled_.wait();
    return fail(Code::kCancelled, "cancelled");
  }
  void cancel() override {
    if (!cancelled_.try_wait()) cancelled_.count_down();
  }

 private:
  std::latch cancelled_{1};
};

TEST(ReadAhead, CanBeGivenUpWhileItsSourceWaits) {
  ReadAhead ahead(std::make_unique<Stuck>(), 100);
}

}  // namespace
}  // namespace warifu::control
