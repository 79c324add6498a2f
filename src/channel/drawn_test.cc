// Key as share: both ends get the same bytes and nothing of them travels; a range is burnt for
// good; what was not acknowledged is drawn anew; pools that differ make no share.
#include <gtest/gtest.h>

#include <algorithm>

#include "channel/channel_test_support.h"
#include "channel/conversation.h"

namespace warifu::channel {
namespace {

constexpr std::uint32_t kFrame = 4096;

StreamShape drawn(std::uint64_t frames) {
  return {.frames = frames, .bytes = frames * kFrame, .frame_bytes = kFrame, .drawn = true};
}

class DrawnTest : public testing::Test, protected LinkPair {
 protected:
  DrawnTest() : LinkPair(4 << 20) {}
  void SetUp() override { set_up(); }
  void TearDown() override { tear_down(); }

  struct Outcome {
    Bytes sent, received;  // share bytes at a and at b
    std::uint64_t wire_bytes = 0;
    std::uint64_t acknowledged = 0;
    Result<> sender, receiver;
  };
  // Draws `frames` from a to b; b stops reading after `stop_after` frames.
  Outcome draw(std::uint64_t frames, std::uint64_t stop_after = UINT64_MAX) {
    Outcome outcome;
    const StreamShape shape = drawn(frames);
    const auto tap = [&](Bytes& frame) {
      outcome.wire_bytes += frame.size();
      wire_.insert(wire_.end(), frame.begin(), frame.end());
    };
    converse(
        tap,
        [&](Connection& connection) {
          StreamSender sender(connection, shape, {}, [] { return true; });
          for (std::uint64_t i = 0; i < frames && outcome.sender; ++i) {
            Bytes record(kFrame);
            outcome.sender = sender.draw(record);
            outcome.sent.insert(outcome.sent.end(), record.begin(), record.end());
            outcome.acknowledged = sender.acknowledged();
          }
        },
        [&](Connection& connection) {
          StreamReceiver receiver(connection, shape);
          while (!receiver.finished() && receiver.received() < stop_after) {
            auto frame = receiver.receive();
            if (!frame) {
              outcome.receiver = std::unexpected(frame.error());
              return;
            }
            const auto bytes = frame->bytes();
            outcome.received.insert(outcome.received.end(), bytes.begin(), bytes.end());
            if (receiver.ack_due()) {
              ASSERT_TRUE(receiver.acknowledge());
            }
          }
        });
    return outcome;
  }
  // Where in the key of this direction `piece` lies.
  std::size_t place(ByteView piece) const {
    const auto at = std::ranges::search(a_to_b_, piece);
    return at.empty() ? SIZE_MAX : static_cast<std::size_t>(at.begin() - a_to_b_.begin());
  }
  Bytes wire_;
};

TEST_F(DrawnTest, BothEndsGetTheSameRawKeyAndNothingOfItTravels) {
  const Outcome outcome = draw(100);
  ASSERT_TRUE(outcome.sender) << outcome.sender.error().message;
  ASSERT_EQ(outcome.sent.size(), 100u * kFrame);
  EXPECT_TRUE(outcome.sent == outcome.received);
  // Greeting, four grant requests, four reports and little else.
  EXPECT_LT(outcome.wire_bytes, 3000u);
  for (std::size_t at = 0; at < outcome.sent.size(); at += kFrame) {
    const auto start = ByteView(outcome.sent).subspan(at, 16);
    EXPECT_NE(place(start), SIZE_MAX) << "not the raw key";
    EXPECT_TRUE(std::ranges::search(wire_, start).empty());
  }
  for (const auto& status : {a_link().send().status(), b_link().receive().status()}) {
    EXPECT_EQ(status.share_bytes, 100u * kFrame);
    EXPECT_EQ(status.bulk_bytes, 0u);
    EXPECT_LT(status.payload_bytes, 2000u);
  }
}

// After each restart, at either end or both, later ranges begin behind all that was drawn.
TEST_F(DrawnTest, ARangeIsDrawnOnce) {
  std::vector<bool> used(a_to_b_.size());
  for (int round = 0; round < 4; ++round) {
    const Outcome outcome = draw(40);
    ASSERT_TRUE(outcome.sender);
    for (std::size_t at = 0; at < outcome.sent.size(); at += kFrame) {
      const std::size_t begin = place(ByteView(outcome.sent).subspan(at, kFrame));
      ASSERT_NE(begin, SIZE_MAX);
      for (std::size_t i = begin; i < begin + kFrame; ++i) {
        ASSERT_FALSE(used[i]) << "byte " << i << " was drawn twice";
        used[i] = true;
      }
    }
    if (round % 2 == 0) open("a", a_);
    if (round > 0) open("b", b_);
  }
}

// A broken stream goes on behind the last acknowledgement, with fresh key for all that was open.
TEST_F(DrawnTest, WhatWasNotAcknowledgedIsDrawnAnew) {
  const Outcome broken = draw(128, 70);
  EXPECT_FALSE(broken.sender);
  EXPECT_EQ(broken.acknowledged, 32u);
  EXPECT_EQ(broken.received.size(), 70u * kFrame);
  EXPECT_TRUE(
      std::ranges::equal(ByteView(broken.sent).first(broken.received.size()), broken.received));
  const Outcome again = draw(128 - broken.acknowledged);
  ASSERT_TRUE(again.sender) << again.sender.error().message;
  EXPECT_TRUE(again.sent == again.received);
  const std::size_t last = place(ByteView(broken.sent).last(kFrame).first(16)) + kFrame;
  EXPECT_GE(place(ByteView(again.sent).first(16)), last);
}

TEST_F(DrawnTest, PoolsThatDifferMakeNoShare) {
  const std::size_t rest = a_to_b_.size();
  grow_apart(900'000);
  grow(a_link().send(), 1 << 20);
  grow(b_link().receive(), 1 << 20);
  for (auto* pool : {&a_link().send(), &b_link().receive()}) {
    ASSERT_TRUE(pool->burn_to({rest - 20'000}));  // greeting and control before the difference
  }
  const Outcome outcome = draw(128);
  EXPECT_FALSE(outcome.sender);
  ASSERT_FALSE(outcome.receiver);
  EXPECT_EQ(outcome.receiver.error().code, Code::kProtocol);
  EXPECT_NE(outcome.receiver.error().message.find("different key"), std::string::npos);
  EXPECT_TRUE(outcome.received.size() < 128u * kFrame);
  EXPECT_TRUE(
      std::ranges::equal(ByteView(outcome.sent).first(outcome.received.size()), outcome.received))
      << "a byte of a window that differs was handed up";
}

}  // namespace
}  // namespace warifu::channel
