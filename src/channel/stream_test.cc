// Streams of data frames between two sites: acknowledgements one window behind, grants ahead, wrong
// tags and lengths.
#include <gtest/gtest.h>

#include "channel/channel_test_support.h"
#include "channel/conversation.h"
#include "otp/otp.h"

namespace warifu::channel {
namespace {

constexpr std::uint64_t kWindow = limits::kWindowFrames;

StreamShape shape_of(std::uint64_t frames, std::uint32_t frame_bytes = 48) {
  return {.frames = frames, .bytes = frames * frame_bytes, .frame_bytes = frame_bytes};
}

Bytes content(std::uint64_t frame, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<Byte>(frame * 31 + i);
  return bytes;
}

class StreamTest : public testing::Test, protected LinkPair {
 protected:
  StreamTest() : LinkPair(4 << 20) {}
  void SetUp() override { set_up(); }
  void TearDown() override { tear_down(); }
  static bool wait() { return true; }
  static Result<> send_all(StreamSender& sender, const StreamShape& shape) {
    for (std::uint64_t i = 0; i < shape.frames; ++i) {
      Bytes frame = content(i, shape.frame_length(i));
      TRY(sender.send(frame));
    }
    return {};
  }
  // Two ends of a stream from a to b.
  void stream(
      const StreamShape& shape, const std::function<void(StreamSender&)>& as_a,
      const std::function<void(StreamReceiver&)>& as_b,
      std::function<void(Bytes&)> tap = [](Bytes&) {}) {
    converse(
        std::move(tap),
        [&](Connection& connection) {
          StreamSender sender(connection, shape, {}, wait);
          as_a(sender);
        },
        [&](Connection& connection) {
          StreamReceiver receiver(connection, shape);
          as_b(receiver);
        });
  }
};

// What the receiver owes, frame by frame, for streams that end everywhere in a window.
TEST_F(StreamTest, AcknowledgementsRunOneWindowBehind) {
  for (const std::uint64_t frames : {1u, 31u, 32u, 33u, 63u, 64u, 65u, 96u, 97u, 130u}) {
    const StreamShape shape = shape_of(frames);
    stream(
        shape,
        [&](StreamSender& sender) {
          std::uint64_t before = 0;
          for (std::uint64_t i = 0; i < frames; ++i) {
            Bytes frame = content(i, 48);
            ASSERT_TRUE(sender.send(frame));
            EXPECT_LE(i + 1 - sender.acknowledged(), 2 * kWindow);
            EXPECT_GE(sender.acknowledged(), before);
            before = sender.acknowledged();
          }
          EXPECT_TRUE(sender.finished());
        },
        [&](StreamReceiver& receiver) {
          for (std::uint64_t i = 0; i < frames; ++i) {
            ASSERT_FALSE(receiver.ack_due());
            const auto frame = receiver.receive();
            ASSERT_TRUE(frame) << frame.error().message;
            EXPECT_TRUE(std::ranges::equal(frame->bytes(), content(i, 48)));
            EXPECT_EQ(receiver.received(), i + 1);
            const std::uint64_t done = i + 1;
            const bool due = done == frames || (done >= 2 * kWindow && done % kWindow == 0);
            ASSERT_EQ(receiver.ack_due(), due) << done << " of " << frames;
            if (!due) continue;
            EXPECT_EQ(receiver.due_frames(), done == frames ? frames : done - kWindow);
            ASSERT_TRUE(receiver.acknowledge());
          }
          EXPECT_TRUE(receiver.finished());
        });
  }
}

// The second window is on its way before anybody has acknowledged the first.
TEST_F(StreamTest, TwoWindowsAreInFlight) {
  std::atomic<std::uint64_t> sent = 0;
  stream(
      shape_of(3 * kWindow),
      [&](StreamSender& sender) {
        for (std::uint64_t i = 0; i < 3 * kWindow; ++i) {
          Bytes frame(48);
          ASSERT_TRUE(sender.send(frame));
          ++sent;
        }
      },
      [&](StreamReceiver& receiver) {
        while (!receiver.ack_due()) ASSERT_TRUE(receiver.receive());
        EXPECT_EQ(receiver.received(), 2 * kWindow);
        EXPECT_GE(sent, 2 * kWindow - 1);
        EXPECT_EQ(receiver.acknowledged(), 0u);
        EXPECT_EQ(receiver.due_frames(), kWindow);
        ASSERT_TRUE(receiver.acknowledge());
        while (!receiver.ack_due()) ASSERT_TRUE(receiver.receive());
        ASSERT_TRUE(receiver.acknowledge());
      });
}

// The second and third window's grants are asked for in the middle of the windows before them; only
// the first one has to be waited for. Nothing is burnt by it.
TEST_F(StreamTest, GrantsAreAskedForOneWindowAhead) {
  std::vector<std::uint64_t> asked_after;
  std::uint64_t data = 0;
  const auto watch = [&](Bytes& frame) {
    if (frame.size() < 4) return;
    if (frame[3] == static_cast<Byte>(FrameType::kData)) ++data;
    if (frame[3] == static_cast<Byte>(FrameType::kGrantRequest)) asked_after.push_back(data);
  };
  const StreamShape shape = shape_of(2 * kWindow + 5, 1000);
  stream(
      shape, [&](StreamSender& sender) { ASSERT_TRUE(send_all(sender, shape)); },
      [&](StreamReceiver& receiver) {
        while (!receiver.finished()) {
          ASSERT_TRUE(receiver.receive());
          if (receiver.ack_due()) {
            ASSERT_TRUE(receiver.acknowledge());
          }
        }
      },
      watch);
  EXPECT_EQ(asked_after, (std::vector<std::uint64_t>{0, kWindow / 2, kWindow + kWindow / 2}));
  EXPECT_EQ(a_link().send().status().bulk_bytes, shape.bytes);
  EXPECT_EQ(a_link().send().status().mark, b_link().receive().status().mark);
  EXPECT_LT(a_link().send().status().discarded_bytes, 5000u);  // ends of control grants
}

// What was granted ahead and never used is burnt at both ends when the connection ends.
TEST_F(StreamTest, AGrantAheadDiesWithItsConnection) {
  const StreamShape shape = shape_of(4 * kWindow, 1000);
  const std::uint64_t window = kWindow * (1000 + otp::kTagBytes) + mac::kBlockBytes;
  stream(
      shape,
      [&](StreamSender& sender) {
        for (std::uint64_t i = 0; i < 2 * kWindow; ++i) {  // and the grant of window 2 has come
          Bytes frame = content(i, 1000);
          ASSERT_TRUE(sender.send(frame));
        }
      },
      [&](StreamReceiver& receiver) {
        while (!receiver.ack_due()) ASSERT_TRUE(receiver.receive());
        ASSERT_TRUE(receiver.acknowledge());
        EXPECT_FALSE(receiver.receive());
      });
  EXPECT_EQ(a_link().send().status().mark, b_link().receive().status().mark);
  EXPECT_GE(a_link().send().status().discarded_bytes, window);
  EXPECT_GE(b_link().receive().status().discarded_bytes, window);
}

// The far end has not yet confirmed what this end counts: it denies, and the next window waits.
TEST_F(StreamTest, AGrantAheadThatIsDeniedIsAskedForAgain) {
  const std::uint32_t frame_bytes = 60'000;  // two windows do not fit into the pool
  const StreamShape shape = shape_of(3 * kWindow, frame_bytes);
  grow(a_link().send(), 4 << 20);
  bool confirmed = false;
  stream(
      shape, [&](StreamSender& sender) { ASSERT_TRUE(send_all(sender, shape)); },
      [&](StreamReceiver& receiver) {
        while (!receiver.finished()) {
          ASSERT_TRUE(receiver.receive());
          if (receiver.received() == kWindow / 2 + 3) {
            confirmed = true;
            grow(b_link().receive(), 4 << 20);
          }
          if (receiver.ack_due()) {
            ASSERT_TRUE(receiver.acknowledge());
          }
        }
      });
  EXPECT_TRUE(confirmed);
  EXPECT_EQ(b_link().receive().status().bulk_bytes, shape.bytes);
}

TEST_F(StreamTest, AChangedBitIsRefusedAndNothingFollows) {
  std::uint64_t count = 0;
  const auto flip = [&](Bytes& frame) {
    if (frame.size() > 4 && frame[3] == static_cast<Byte>(FrameType::kData) && ++count == 7) {
      frame[kHeaderBytes + 5] ^= 0x10;
    }
  };
  stream(
      shape_of(40), [&](StreamSender& sender) { EXPECT_FALSE(send_all(sender, shape_of(40))); },
      [&](StreamReceiver& receiver) {
        for (int i = 0; i < 6; ++i) ASSERT_TRUE(receiver.receive());
        EXPECT_EQ(receiver.receive().error().code, Code::kProtocol);
        EXPECT_EQ(receiver.receive().error().code, Code::kProtocol);
      },
      flip);
}

TEST_F(StreamTest, AFrameOfAnotherLengthThanToldEndsTheConnection) {
  converse([](Bytes&) {},
           [](Connection& connection) {
             StreamSender sender(connection, shape_of(40, 32), {}, wait);
             EXPECT_FALSE(send_all(sender, shape_of(40, 32)));
           },
           [](Connection& connection) {
             StreamReceiver receiver(connection, shape_of(40, 48));
             EXPECT_EQ(receiver.receive().error().code, Code::kProtocol);
             EXPECT_EQ(receiver.receive().error().code, Code::kProtocol);
           });
}

}  // namespace
}  // namespace warifu::channel
