// APDU forms, status words, and the session's rules against a scripted card.
#include "card/apdu.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "card/transport.h"

namespace warifu::card {
namespace {

Bytes copy(const secret::Buffer& buffer) {
  return {buffer.bytes().begin(), buffer.bytes().end()};
}

TEST(Apdu, EveryFormRoundTrips) {
  const CommandHeader header{0x80, 0x2A, 1, 2};
  for (const std::size_t size : {0u, 1u, 255u, 256u, 65535u}) {
    for (const std::uint32_t expected : {0u, 1u, 255u, 256u, 257u, 65536u}) {
      const Bytes data(size, 0x5A);
      const auto bytes = encode_command(header, data, expected);
      ASSERT_TRUE(bytes);
      const auto back = parse_command(bytes->bytes());
      ASSERT_TRUE(back) << size << " " << expected;
      EXPECT_EQ(back->header, header);
      EXPECT_EQ(copy(back->data), data);
      EXPECT_EQ(back->expected, expected);
    }
  }
  EXPECT_FALSE(encode_command(header, Bytes(65536), 0));
  EXPECT_FALSE(encode_command(header, {}, 65537));
}

TEST(Apdu, KnownEncodings) {
  const auto hex = [](const Result<secret::Buffer>& bytes) { return to_hex(bytes->bytes()); };
  EXPECT_EQ(hex(encode_command({0, 0xA4, 4, 0}, Bytes{0xD3, 0x92}, 256)), "00a4040002d39200");
  EXPECT_EQ(hex(encode_command({0, 0x84, 0, 0}, {}, 8)), "0084000008");
  EXPECT_EQ(hex(encode_command({0, 0xB0, 0, 0}, {}, 0x377)), "00b00000000377");
}

TEST(Apdu, MalformedFormsAreRefused) {
  for (const char* bad : {"", "00a404", "00a4040002aa", "00a4040001aabbcc", "00a404000000",
                          "00a40400000000aa", "00a4040000000200aabb", "00a40400000002aabb00"}) {
    EXPECT_FALSE(parse_command(*from_hex(bad))) << bad;
  }
  EXPECT_FALSE(parse_response({}));
  EXPECT_FALSE(parse_response(Bytes(1)));
  EXPECT_EQ(parse_response(*from_hex("aabb9000"))->data.size(), 2u);
}

TEST(Apdu, RandomBytesParseToWhatTheyEncode) {
  std::mt19937_64 generator(11);
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes(generator() % 300);
    for (auto& b : bytes) b = static_cast<Byte>(generator() % 4 == 0 ? 0 : generator());
    const auto command = parse_command(bytes);
    EXPECT_TRUE(!command || encode(*command));
  }
}

TEST(StatusWords, KindsArgumentsAndTexts) {
  EXPECT_EQ(StatusWord{0x9000}.kind(), Status::kOk);
  EXPECT_EQ(StatusWord{0x6100}.argument(), 256u);
  EXPECT_EQ(StatusWord{0x6C20}.argument(), 32u);
  EXPECT_EQ(StatusWord{0x63C2}.argument(), 2u);
  EXPECT_EQ(StatusWord{0x63C2}.text(), "63c2 (2 tries left)");
  EXPECT_EQ(StatusWord{0x6982}.text(), "6982 (the PIN is needed first)");
  EXPECT_EQ(StatusWord{0x1234}.kind(), Status::kUnknown);
  EXPECT_EQ(word_of(Status::kBlocked).value, 0x6983);
  EXPECT_EQ(more_data(300).value, 0x6100);
}

// Answers in order; records what it was asked.
class ScriptedCard final : public CardTransport {
 public:
  explicit ScriptedCard(std::deque<std::string> answers) : answers_(std::move(answers)) {}
  Bytes atr() override { return {0x3B}; }
  Result<secret::Buffer> transmit(ByteView apdu) override {
    asked.push_back(to_hex(apdu));
    if (answers_.empty()) return fail(Code::kUnavailable, "card removed");
    const std::string answer = answers_.front();
    answers_.pop_front();
    return secret::Buffer::copy_of(*from_hex(answer));
  }
  void reset() override { ++resets; }
  std::vector<std::string> asked;
  int resets = 0;

 private:
  std::deque<std::string> answers_;
};

TEST(Sessions, AreExclusiveAndEndWithAReset) {
  ScriptedCard card({});
  {
    const auto session = Session::open(card);
    ASSERT_TRUE(session);
    EXPECT_EQ(card.resets, 1);
    const auto second = Session::open(card);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::kBusy);
  }
  EXPECT_EQ(card.resets, 2);
  EXPECT_TRUE(Session::open(card));
}

TEST(Sessions, CollectAnswersAndRepeatWrongLengths) {
  ScriptedCard card({"6c04", "aabb6102", "ccdd9000"});
  const auto session = *Session::open(card);
  const auto answer = session->exchange({{0x80, 0xCA, 0, 0}, {}, 256});
  ASSERT_TRUE(answer);
  EXPECT_EQ(to_hex(answer->data.bytes()), "aabbccdd");
  EXPECT_EQ(card.asked, (std::vector<std::string>{"80ca000000", "80ca000004", "00c0000002"}));
}

TEST(Sessions, ChainLongData) {
  ScriptedCard card({"9000", "9000", "9000", "9000", "6883"});
  const auto session = *Session::open(card);
  ASSERT_TRUE(session->exchange({{0x80, 0x2A, 0, 0}, secret::Buffer(500), 256}));
  ASSERT_EQ(card.asked.size(), 3u);
  EXPECT_EQ(card.asked[0].substr(0, 10), "902a0000f0");
  EXPECT_EQ(card.asked[1].substr(0, 10), "902a0000f0");
  EXPECT_EQ(card.asked[2].substr(0, 10), "802a000014");
  // A refused link ends the chain.
  ASSERT_TRUE(session->exchange({{0x80, 0x2A, 0, 0}, secret::Buffer(200), 0}));
  const auto refused = session->exchange({{0x80, 0x2A, 0, 0}, secret::Buffer(500), 0});
  EXPECT_EQ(refused->status.kind(), Status::kChainUnfinished);
  EXPECT_EQ(card.asked.size(), 5u);
}

TEST(Sessions, MisbehavingAndRemovedCardsEndThem) {
  ScriptedCard endless({"6c00"});
  const auto first = *Session::open(endless);
  EXPECT_EQ(first->exchange({{0, 0xCA, 0, 0}, {}, 256}).error().code, Code::kProtocol);
  EXPECT_EQ(first->exchange({{0, 0xCA, 0, 0}, {}, 256}).error().code, Code::kUnavailable);

  ScriptedCard empty_more({"6110", "6110"});
  const auto second = *Session::open(empty_more);
  EXPECT_EQ(second->exchange({{0, 0xCA, 0, 0}, {}, 256}).error().code, Code::kProtocol);

  ScriptedCard short_answer({"90"});
  const auto third = *Session::open(short_answer);
  EXPECT_EQ(third->exchange({{0, 0xCA, 0, 0}, {}, 256}).error().code, Code::kProtocol);

  ScriptedCard removed({});
  const auto fourth = *Session::open(removed);
  EXPECT_EQ(fourth->exchange({{0, 0xCA, 0, 0}, {}, 256}).error().message, "card removed");
  const auto later = fourth->exchange({{0, 0xCA, 0, 0}, {}, 256});
  EXPECT_NE(later.error().message.find("start it again"), std::string::npos);
  EXPECT_EQ(removed.asked.size(), 1u);
}

TEST(Sessions, TracesNeverShowAPin) {
  ScriptedCard card({"9000", "9000"});
  std::string trace;
  const auto session =
      *Session::open(card, [&](std::string_view line) { trace += std::string(line) + "\n"; });
  const Bytes aid = {0xF0, 0x57};
  ASSERT_TRUE(session->exchange({{0, 0xA4, 4, 0}, secret::Buffer::copy_of(aid), 0}));
  ASSERT_TRUE(
      session->exchange({{0, 0x20, 0, 0x81}, secret::Buffer::copy_of(as_bytes("271828")), 0}));
  EXPECT_EQ(trace,
            "00a40400 f057 -> [0 bytes] 9000 (done)\n"
            "00200081 [6 bytes] -> [0 bytes] 9000 (done)\n");
}

}  // namespace
}  // namespace warifu::card
