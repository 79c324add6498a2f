// Greetings of a link under attack: a recorded welcome replayed to a sender that was restored from
// a backup must not make it encrypt with pad it used before; false marks move nothing far.
#include <gtest/gtest.h>

#include "channel/channel_test_support.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {

class HandshakeTest : public testing::Test, protected LinkPair {
 protected:
  void SetUp() override { set_up(); }
  void TearDown() override { tear_down(); }
};

constexpr std::size_t kHelloFrame = kHeaderBytes + 40;
constexpr std::size_t kWelcomeFrame = kHeaderBytes + 24 + 32;

TEST_F(HandshakeTest, AnHonestPairConnects) {
  const auto connection =
      call([&](auto stream) { EXPECT_TRUE(Connection::answer(*b_, std::move(stream))); });
  EXPECT_TRUE(connection);
}

TEST_F(HandshakeTest, ARecordedWelcomeIsWorthlessToARestoredSender) {
  a_.reset();
  std::filesystem::copy(dir_ + "/a", dir_ + "/a-backup", std::filesystem::copy_options::recursive);
  open("a", a_);
  // A wire tap between a and the real b records the welcome.
  Bytes welcome;
  auto first = call([&](auto from_a) {
    auto relay = *os::listen_tcp({"127.0.0.1", 0});
    std::thread real_b([&] { (void)Connection::answer(*b_, *relay->accept()); });
    auto to_b = *os::connect_tcp({"127.0.0.1", relay->port()}, std::chrono::seconds(5));
    (void)to_b->write_all(read(*from_a, kHelloFrame));
    welcome = read(*to_b, kWelcomeFrame);
    (void)from_a->write_all(welcome);
    (void)to_b->write_all(read(*from_a, kHeaderBytes + 32));
    (void)from_a->write_all(read(*to_b, kHeaderBytes));
    real_b.join();
  });
  ASSERT_TRUE(first) << first.error().message;
  const auto used = a_link().send().status().mark;
  ASSERT_GT(used.value, 0u);
  first->reset();

  a_.reset();
  std::filesystem::remove_all(dir_ + "/a");
  std::filesystem::rename(dir_ + "/a-backup", dir_ + "/a");
  open("a", a_);
  ASSERT_EQ(a_link().send().status().mark.value, 0u);  // the backup knows nothing of the use
  std::size_t sent_after = 0;
  const auto replayed = call([&](auto from_a) {
    (void)read(*from_a, kHelloFrame);
    (void)from_a->write_all(welcome);
    from_a->set_timeout(std::chrono::milliseconds(500));
    Bytes rest(4096);
    if (const auto got = from_a->read_some(rest)) sent_after = *got;
  });
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().code, Code::kProtocol);
  // All that leaves is a clear frame of words: nothing under the replayed pad.
  EXPECT_LT(sent_after, kHeaderBytes + 520);
  EXPECT_EQ(a_link().send().status().payload_bytes, 0u);
}

TEST_F(HandshakeTest, ABitChangedInAWelcomeIsNoticed) {
  for (std::size_t bit = 0; bit < 32 * 8; bit += 5) {
    const auto connection = call([&](auto from_a) {
      auto relay = *os::listen_tcp({"127.0.0.1", 0});
      std::thread real_b([&] { (void)Connection::answer(*b_, *relay->accept()); });
      auto to_b = *os::connect_tcp({"127.0.0.1", relay->port()}, std::chrono::seconds(5));
      (void)to_b->write_all(read(*from_a, kHelloFrame));
      Bytes welcome = read(*to_b, kWelcomeFrame);
      Byte& changed = welcome[kHeaderBytes + 24 + bit / 8];
      changed = static_cast<Byte>(changed ^ (1U << (bit % 8)));
      (void)from_a->write_all(welcome);
      Bytes answer(64);
      (void)from_a->read_some(answer);
      EXPECT_NE(answer[3], static_cast<Byte>(FrameType::kOpen)) << "bit " << bit;
      to_b->shutdown();
      real_b.join();
    });
    EXPECT_FALSE(connection) << "bit " << bit;
  }
  EXPECT_EQ(a_link().send().status().payload_bytes, 0u);
}

TEST_F(HandshakeTest, AFalseMarkDoesNotBurnThePool) {
  const auto refused = call([&](auto from_a) {
    (void)read(*from_a, kHelloFrame);
    wire::Writer mark;
    mark.u64(190'000);
    const HeaderBytes header = encode(FrameHeader{FrameType::kBehind, 8});
    (void)from_a->write_all(header);
    (void)from_a->write_all(mark.bytes());
  });
  EXPECT_FALSE(refused);
  EXPECT_EQ(a_link().receive().status().mark.value, 0u);
  EXPECT_EQ(a_link().send().status().mark.value, 0u);
}

TEST_F(HandshakeTest, AMarkOfTheCallerIsFollowedOnlySoFar) {
  constexpr std::uint64_t kMost = 1 << 20;
  grow(b_link().receive(), 3 * kMost);
  const auto answer_to_a_mark_of = [&](std::uint64_t told) {
    auto listener = *os::listen_tcp({"127.0.0.1", 0});
    Code code = Code::kInvalidArgument;
    std::thread b([&] {
      const auto connection = Connection::answer(*b_, *listener->accept());
      if (!connection) code = connection.error().code;
    });
    auto stream = *os::connect_tcp({"127.0.0.1", listener->port()}, std::chrono::seconds(5));
    wire::Writer hello;
    hello.id(b_link().id());
    hello.raw(Bytes(16, 1));
    hello.u64(told);
    EXPECT_TRUE(stream->write_all(encode(FrameHeader{FrameType::kHello, 40})));
    EXPECT_TRUE(stream->write_all(hello.bytes()));
    Bytes answer(kHeaderBytes);
    (void)stream->read_exact(answer);
    stream->shutdown();
    b.join();
    return code;
  };
  const auto mark = [&] { return b_link().receive().status().mark.value; };
  EXPECT_EQ(answer_to_a_mark_of(kMost + 1), Code::kRefused);
  EXPECT_EQ(answer_to_a_mark_of(UINT64_MAX), Code::kRefused);
  EXPECT_EQ(mark(), 0u);  // refused before a byte was reserved
  EXPECT_EQ(answer_to_a_mark_of(5000), Code::kUnavailable);
  EXPECT_EQ(mark(), 5000u + 1024u);  // and the welcome's own range
}

TEST_F(HandshakeTest, ARestoredReceiverProvesNothingWithUsedPad) {
  b_.reset();
  std::filesystem::copy(dir_ + "/b", dir_ + "/b-backup", std::filesystem::copy_options::recursive);
  open("b", b_);
  const auto connect = [&] {
    return call([&](auto stream) { EXPECT_TRUE(Connection::answer(*b_, std::move(stream))); });
  };
  {
    ASSERT_TRUE(connect());
  }
  const auto used = a_link().send().status().mark;
  b_.reset();
  std::filesystem::remove_all(dir_ + "/b");
  std::filesystem::rename(dir_ + "/b-backup", dir_ + "/b");
  open("b", b_);
  ASSERT_EQ(b_link().receive().status().mark.value, 0u);
  {
    ASSERT_TRUE(connect());
  }
  // All of b's second grant lies beyond what was used: nothing below was touched again.
  EXPECT_EQ(b_link().receive().status().mark.value, used.value + 1024u);
}

TEST_F(HandshakeTest, AWelcomeWithAHugeGrantBurnsNothing) {
  const auto connection = call([&](auto from_a) {
    (void)read(*from_a, kHelloFrame);
    wire::Writer welcome;
    welcome.raw(Bytes(16));
    welcome.u64(0);
    welcome.u64(150'000);
    welcome.raw(Bytes(16));
    (void)from_a->write_all(encode(FrameHeader{FrameType::kWelcome, 48}));
    (void)from_a->write_all(welcome.bytes());
    Bytes answer(64);
    (void)from_a->read_some(answer);
  });
  EXPECT_FALSE(connection);
  EXPECT_EQ(a_link().send().status().mark.value, 0u);
}

TEST_F(HandshakeTest, FramesOnTheWireAreAsTheFormatSays) {
  Bytes wire;
  Bytes got;
  const Bytes words(800, 0x77);
  converse([&](Bytes& written) { wire.insert(wire.end(), written.begin(), written.end()); },
           [&](Connection& a) {
             Bytes payload = words;  // too much for the first range: a second one is granted
             EXPECT_TRUE(a.send(FrameType::kRequest, payload));
           },
           [&](Connection& b) {
             const auto frame = b.receive();
             ASSERT_TRUE(frame) << frame.error().message;
             got.assign(frame->payload.bytes().begin(), frame->payload.bytes().end());
           });
  EXPECT_EQ(got, words);
  int sealed = 0;
  for (std::size_t at = 0; at < wire.size();) {
    const ByteView frame = ByteView(wire).subspan(at);
    const auto header = decode_header(frame.first(kHeaderBytes));
    ASSERT_TRUE(header);
    at += kHeaderBytes + header->length;
    if (is_clear(header->type)) continue;
    at += 16;
    // The ranges of this conversation: 1024 bytes from 0 and 4096 from there, each with a key in
    // front.
    const std::uint64_t begin = header->pad_offset.value < 1024 ? 0 : 1024;
    EXPECT_EQ(header->pad_offset.value, begin == 0 ? 32u : 1024u + 16);  // 0: key and proof
    EXPECT_EQ(header->sequence, static_cast<std::uint64_t>(sealed++));
    const ByteView pad = ByteView(a_to_b_).subspan(header->pad_offset.value);
    const mac::Tag hash = mac::hash(mac::Key(ByteView(a_to_b_).subspan(begin, 16)),
                                    frame.first(kHeaderBytes + header->length));
    for (std::size_t i = 0; i < 16; ++i) {
      ASSERT_EQ(frame[kHeaderBytes + header->length + i], hash[i] ^ pad[header->length + i]);
    }
    if (header->type != FrameType::kRequest) continue;
    for (std::size_t i = 0; i < words.size(); ++i) {
      ASSERT_EQ(frame[kHeaderBytes + i] ^ pad[i], words[i]);
    }
  }
  EXPECT_EQ(sealed, 2);
}

TEST_F(HandshakeTest, AHeaderThatDoesNotFitIsRefusedBeforeItsPadIsTaken) {
  struct Change {
    std::size_t at;
    Byte flip;
    const char* told;
  };
  for (const Change& change : {Change{3, 0x21, "a clear frame came"},       // request -> hello
                               Change{5, 0x10, "outside the granted pad"},  // 4,096 bytes more
                               Change{8, 1, "out of order"}, Change{15, 0x80, "out of order"},
                               Change{16, 1, "out of order"}, Change{23, 0x80, "out of order"}}) {
    bool open = false;
    converse(
        [&](Bytes& written) {
          if (!open) return;
          written[change.at] = static_cast<Byte>(written[change.at] ^ change.flip);
          written.resize(written.size() + 5000);  // enough for any length that is claimed
        },
        [&](Connection& a) {
          open = true;
          Bytes payload(100);
          EXPECT_TRUE(a.send(FrameType::kRequest, payload));
        },
        [&](Connection& b) {
          const auto frame = b.receive();
          ASSERT_FALSE(frame);
          EXPECT_EQ(frame.error().code, Code::kProtocol);
          EXPECT_NE(frame.error().message.find(change.told), std::string::npos)
              << frame.error().message;
        });
  }
}

TEST_F(HandshakeTest, AControlFrameDoesNotOvertakeData) {
  // The lanes have pad of their own, so that only the sequence tells.
  grow(a_link().send(), 1 << 20);
  grow(b_link().receive(), 1 << 20);
  bool open = false;
  Bytes held;
  converse(
      [&](Bytes& written) {
        if (!open) return;
        if (held.empty()) {
          held.swap(written);
        } else {
          written.insert(written.end(), held.begin(), held.end());
        }
      },
      [&](Connection& a) {
        ASSERT_TRUE(a.grant_bulk(JobId{}, 100, 1, [] { return false; }));
        open = true;
        Bytes data(100);
        EXPECT_TRUE(a.send_data(data));
        Bytes payload(8);
        EXPECT_TRUE(a.send(FrameType::kAck, payload));
      },
      [&](Connection& b) {
        const auto frame = b.receive();
        ASSERT_FALSE(frame);
        EXPECT_EQ(frame.error().code, Code::kProtocol);
      });
}

}  // namespace
}  // namespace warifu::channel
