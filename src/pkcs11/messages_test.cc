// Frames and answers between the program and the process of a module: whole, cut short, bent.
#include "pkcs11/messages.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace warifu::pkcs11 {
namespace {

using std::chrono::milliseconds;

class FramesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
  }
  void TearDown() override {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }
  void close_far() {
    ::close(ends_[1]);
    ends_[1] = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

TEST_F(FramesTest, ComeWholeAndInOrder) {
  const Bytes large(kMaxFrameBytes, 0x42);
  std::jthread sender([&] {
    EXPECT_TRUE(send_frame(ends_[1], Bytes{1, 2, 3}));
    EXPECT_TRUE(send_frame(ends_[1], {}));
    EXPECT_TRUE(send_frame(ends_[1], large));
  });
  const auto first = receive_frame(ends_[0], milliseconds(5000));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 3u);
  EXPECT_EQ(receive_frame(ends_[0], milliseconds(5000))->size(), 0u);
  EXPECT_EQ(receive_frame(ends_[0], milliseconds(5000))->size(), kMaxFrameBytes);
}

TEST_F(FramesTest, ATooLongOneIsRefusedBeforeItComes) {
  EXPECT_EQ(send_frame(ends_[1], Bytes(kMaxFrameBytes + 1)).error().code, Code::kProtocol);
  const Bytes head = {0xFF, 0xFF, 0xFF, 0xFF};
  ASSERT_EQ(::send(ends_[1], head.data(), head.size(), 0), 4);
  EXPECT_EQ(receive_frame(ends_[0], milliseconds(5000)).error().code, Code::kProtocol);
}

TEST_F(FramesTest, SilenceAndTheOthersEndAreToldApart) {
  EXPECT_EQ(receive_frame(ends_[0], milliseconds(20)).error().code, Code::kTimeout);
  const Bytes begun = {9, 0, 0, 0, 1};
  ASSERT_EQ(::send(ends_[1], begun.data(), begun.size(), 0), 5);
  EXPECT_EQ(receive_frame(ends_[0], milliseconds(20)).error().code, Code::kTimeout);
  close_far();
  EXPECT_EQ(receive_frame(ends_[0], milliseconds(5000)).error().code, Code::kUnavailable);
  EXPECT_EQ(send_frame(ends_[0], Bytes{1}).error().code, Code::kUnavailable);
}

TEST(Answers, ComeBackAndErrorsWithThem) {
  const Found found{Bytes(900, 3), "a token", "a maker"};
  const auto answer = encode_answer(Result<Found>(found));
  const auto back = decode_found(answer.bytes());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->certificate, found.certificate);
  EXPECT_EQ(back->token, "a token");
  EXPECT_TRUE(decode_done(encode_answer(Result<>()).bytes()));
  EXPECT_EQ(*decode_signature(encode_answer(Result<Bytes>(Bytes{5})).bytes()), (Bytes{5}));
  const auto no = encode_answer(Result<>(fail(Code::kRefused, "wrong PIN")));
  EXPECT_EQ(decode_done(no.bytes()).error().code, Code::kRefused);
  EXPECT_EQ(decode_found(no.bytes()).error().message, "wrong PIN");
  EXPECT_EQ(decode_signature(no.bytes()).error().code, Code::kRefused);
}

TEST(Answers, OfAStrangerAreTakenWithCare) {
  const auto answer = encode_answer(Result<Found>(Found{Bytes(90, 3), "t", "m"}));
  for (std::size_t size = 0; size < answer.size(); ++size) {
    EXPECT_EQ(decode_found(answer.bytes().first(size)).error().code, Code::kProtocol) << size;
  }
  Bytes longer(answer.bytes().begin(), answer.bytes().end());
  longer.push_back(0);
  EXPECT_FALSE(decode_found(longer));
  EXPECT_FALSE(decode_done(Bytes{0, 0}));
  EXPECT_EQ(decode_done(Bytes{200, 0, 0}).error().code, Code::kProtocol) << "an unknown code";
}

}  // namespace
}  // namespace warifu::pkcs11
