// The virtual reader's protocol, with this side as the reader.
#include "pcsc/virtual_reader.h"

#include <gtest/gtest.h>

#include <deque>

namespace warifu::pcsc {
namespace {

// A reader that says what it was given to say, and keeps what it hears.
class Script final : public os::ByteStream {
 public:
  explicit Script(Bytes says) : says_(says.begin(), says.end()) {}
  Result<std::size_t> read_some(MutableBytes out) override {
    if (says_.empty()) return 0;
    out[0] = says_.front();
    says_.pop_front();
    return 1;
  }
  Result<> write_all(ByteView bytes) override {
    heard.insert(heard.end(), bytes.begin(), bytes.end());
    return {};
  }
  bool has_buffered() const override { return !says_.empty(); }
  int descriptor() const override { return -1; }
  void set_timeout(std::chrono::milliseconds) override {}
  void shutdown() override {}

  Bytes heard;

 private:
  std::deque<Byte> says_;
};

class EchoCard final : public card::CardTransport {
 public:
  Bytes atr() override { return {0x3B, 0x00}; }
  Result<secret::Buffer> transmit(ByteView apdu) override {
    Bytes answer(apdu.begin(), apdu.end());
    answer.push_back(0x90);
    answer.push_back(0x00);
    return secret::Buffer::copy_of(answer);
  }
  void reset() override { ++resets; }
  int resets = 0;
};

struct Heard {
  Result<std::uint64_t> apdus;
  std::string answers;
  int resets = 0;
};

Heard play(const std::string& says, const VirtualCardOptions& options = {}) {
  EchoCard card;
  Script reader(*from_hex(says));
  auto apdus = serve_virtual_reader(card, reader, options);
  return {std::move(apdus), to_hex(reader.heard), card.resets};
}

TEST(VirtualReaderTest, AnswersAsACardBehindVpcd) {
  const Heard heard = play(
      "000104"
      "000101"
      "000400a40400"
      "000102"
      "000100");
  ASSERT_TRUE(heard.apdus);
  EXPECT_EQ(*heard.apdus, 1u);
  EXPECT_EQ(heard.answers,
            "00023b00"
            "000600a404009000");
  EXPECT_EQ(heard.resets, 3);
}

TEST(VirtualReaderTest, IsTakenAwayBeforeOrBehindAnAnswer) {
  const std::string two =
      "000400a40400"
      "000400b00000";
  EXPECT_EQ(play(two, {.tear_after = 1}).answers, "000600a404009000");
  EXPECT_EQ(play(two, {.tear_after = 1, .tear_before_answer = true}).answers, "");
  EXPECT_EQ(*play(two, {.tear_after = 2}).apdus, 2u);
}

TEST(VirtualReaderTest, WhatIsNoMessageEndsIt) {
  EXPECT_EQ(play("000105").apdus.error().code, Code::kProtocol);
  EXPECT_EQ(play("0005aa").apdus.error().code, Code::kUnavailable);  // cut short
  EXPECT_EQ(play("00").apdus.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace warifu::pcsc
