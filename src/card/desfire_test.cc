// Published vectors of DESFire authentication and messaging, reproduced by the terminal's side and
// by the emulated card; and what the emulated card refuses.
//
// Sources: NXP AN12196 (5.4, 5.6, 5.8, 5.9, 5.10, 5.16, all under the all-zero key), a log of an
// EV3 card (AuthenticateAES under the all-zero key, RndA sixteen times 01).
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>

#include "card/desfire_dialogue.h"
#include "card/desfire_emulator.h"
#include "testing/temporary_folder.h"

namespace warifu::card::desfire {
namespace {

Bytes hex(std::string_view text) {
  return *from_hex(text);
}

Random16 block(std::string_view text) {
  Random16 out{};
  copy_bytes(out, hex(text));
  return out;
}

// Gives out what the test has put in, then zeros.
class ScriptedRandom final : public os::Random {
 public:
  void say(std::string_view text) {
    for (const Byte byte : hex(text)) bytes_.push_back(byte);
  }
  void fill(MutableBytes out) override {
    for (Byte& byte : out) {
      byte = bytes_.empty() ? 0 : bytes_.front();
      if (!bytes_.empty()) bytes_.pop_front();
    }
  }

 private:
  std::deque<Byte> bytes_;
};

std::unique_ptr<Messaging> ev2_at(std::string_view encryption, std::string_view mac,
                                  std::string_view transaction, std::uint16_t counter) {
  Ev2Keys keys{
      secret::Buffer::copy_of(hex(encryption)), secret::Buffer::copy_of(hex(mac)), {}, counter};
  copy_bytes(keys.transaction, hex(transaction));
  return make_ev2(std::move(keys));
}

std::string sent(Messaging& session, Command command, std::string_view header,
                 std::string_view data, Comm comm) {
  const auto bytes = session.protect_command(command, hex(header), hex(data), comm);
  return bytes ? to_hex(bytes->bytes()) : bytes.error().message;
}

constexpr std::string_view kEncA = "1309c877509e5a215007ff0ed19ca564";
constexpr std::string_view kMacA = "4c6626f5e72ea694202139295c7a7fc7";
constexpr std::string_view kEncC = "4cf3cb41a22583a61e89b158d252fc53";
constexpr std::string_view kMacC = "5529860b2fc5fb6154b7f28361d30bf9";

TEST(DesfireVectors, SessionKeysOfAn12196) {
  const Bytes zero(16);
  Ev2Start start{zero,
                 block("13c5db8a5930439fc3def9a4c675360f"),
                 block("b9e2fc789b64bf237cccaa20ec7e6e48"),
                 {0x9d, 0x00, 0xc4, 0xdf}};
  const Ev2Keys keys = ev2_keys(start);
  EXPECT_EQ(to_hex(keys.encryption.bytes()), kEncA);
  EXPECT_EQ(to_hex(keys.mac.bytes()), kMacA);
}

TEST(DesfireVectors, CommMacOfAn12196) {  // 5.4, GetFileSettings
  const auto session =
      ev2_at("00000000000000000000000000000000", "8248134a386e86eb7faf54a52e536cb6", "7a21085e", 0);
  EXPECT_EQ(sent(*session, Command::kGetFileSettings, "02", "", Comm::kMac), "026597a457c8cd442c");
  const auto opened = session->open_answer(
      hex("0040eeee000100d1fe001f00004400004400002000006a00002a474282e7a47986"), Comm::kMac);
  ASSERT_TRUE(opened);
  EXPECT_EQ(to_hex(opened->bytes()), "0040eeee000100d1fe001f00004400004400002000006a0000");
}

TEST(DesfireVectors, CommFullOfAn12196) {
  // 5.9, ChangeFileSettings (5F) in the second place of a session.
  auto session = ev2_at(kEncA, kMacA, "9d00c4df", 1);
  EXPECT_EQ(sent(*session, static_cast<Command>(0x5F), "02", "4000e0c1f121200000430000430000",
                 Comm::kFull),
            "0261b6d97903566e84c3ae5274467e89ead799b7c1a0ef7a04");
  EXPECT_TRUE(session->open_answer(hex("57bff87b1241e93d"), Comm::kFull));
  EXPECT_FALSE(session->open_answer(hex("57bff87b1241e93e"), Comm::kFull));
  // 5.12, WriteData (8D there): ten bytes, padded and enciphered.
  session =
      ev2_at("7a93d6571e4b180fca6ac90c9a7488d4", "fc4af159b62e549b5812394cab1918cc", "7614281a", 0);
  EXPECT_EQ(sent(*session, static_cast<Command>(0x8D), "030000000a0000", "0102030405060708090a",
                 Comm::kFull),
            "030000000a00006b5e6804909962fc4e3ff5522cf0f8436c0c53315b9c73aa");
  EXPECT_TRUE(session->open_answer(hex("c26d236e4a7c046d"), Comm::kFull));
}

TEST(DesfireVectors, ChangeKeyOfAn12196) {  // 5.16.1 and 5.16.2, one session
  EXPECT_EQ(desfire_crc32(hex("f3847d627727ed3bc9c4cc050489b966")), 0xDCFA9D78U);
  const auto session = ev2_at(kEncC, kMacC, "7614281a", 2);
  const Bytes zero(16);
  const secret::Buffer other = key_data(hex("f3847d627727ed3bc9c4cc050489b966"), 1, zero);
  EXPECT_EQ(sent(*session, Command::kChangeKey, "02", to_hex(other.bytes()), Comm::kFull),
            "022cf362b7bf4311ff3be1daa295e8c68de09050560d19b9e16c2393ae9cd1fac75d0ce20bcd1d06e6");
  const secret::Buffer own = key_data(hex("5004bf991f408672b1ef00f08f9e8647"), 1);
  const std::string last =
      sent(*session, Command::kChangeKey, "00", to_hex(own.bytes()), Comm::kFull);
  EXPECT_EQ(last.substr(0, 66),
            "00c0eb4deefeddf0b513a03a95a75491818580503190d4d05053ff75668a01d6fd");
}

TEST(DesfireVectors, TheCardsSideOpensWhatTheOtherSideSends) {
  for (const Comm comm : {Comm::kPlain, Comm::kMac, Comm::kFull}) {
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 64U}) {
      const auto site = ev2_at(kEncA, kMacA, "9d00c4df", 0);
      const auto card = ev2_at(kEncA, kMacA, "9d00c4df", 0);
      const Bytes data(size, 0x5A);
      const Bytes header = hex("02000000400000");
      for (int round = 0; round < 3; ++round) {  // the counter runs
        const auto command = site->protect_command(Command::kWriteData, header, data, comm);
        ASSERT_TRUE(command);
        const auto opened = card->open_command(Command::kWriteData, command->bytes(), comm);
        ASSERT_TRUE(opened) << opened.error().message;
        EXPECT_EQ(opened->size(), header.size() + size);
        const secret::Buffer answer = card->protect_answer(data, comm);
        const auto back = site->open_answer(answer.bytes(), comm);
        ASSERT_TRUE(back);
        EXPECT_TRUE(secret::equal(back->bytes(), data));
      }
    }
  }
}

TEST(DesfireVectors, EveryChangedBitAndEveryRepetitionIsRefused) {
  const Bytes data(20, 7);
  const auto site = ev2_at(kEncA, kMacA, "9d00c4df", 0);
  const secret::Buffer good = std::move(
      *site->protect_command(Command::kWriteData, hex("02000000140000"), data, Comm::kFull));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    const auto card = ev2_at(kEncA, kMacA, "9d00c4df", 0);
    Bytes bent(good.bytes().begin(), good.bytes().end());
    bent[bit / 8] = static_cast<Byte>(bent[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(card->open_command(Command::kWriteData, bent, Comm::kFull)) << bit;
  }
  const auto card = ev2_at(kEncA, kMacA, "9d00c4df", 0);
  EXPECT_TRUE(card->open_command(Command::kWriteData, good.bytes(), Comm::kFull));
  EXPECT_FALSE(card->open_command(Command::kWriteData, good.bytes(), Comm::kFull)) << "a replay";
}

// An emulated card with one application of one AES key, all zero, selected.
class DesfireCardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto card = DesfireCard::create(os::real_files(), random_, dir_ + "/card");
    ASSERT_TRUE(card) << card.error().message;
    card_ = std::move(*card);
    EXPECT_EQ(ask("90ca000005010000098100"), "9100");
    EXPECT_EQ(ask("905a00000301000000"), "9100");
  }

  std::string ask(std::string_view apdu) {
    const auto answer = card_->transmit(hex(apdu));
    return answer ? to_hex(answer->bytes()) : answer.error().message;
  }
  void reopen() {
    card_.reset();
    auto card = DesfireCard::open(os::real_files(), random_, dir_ + "/card");
    ASSERT_TRUE(card) << card.error().message;
    card_ = std::move(*card);
  }

  ScriptedRandom random_;
  sim::TemporaryFolder dir_;
  std::unique_ptr<DesfireCard> card_;
};

TEST_F(DesfireCardTest, AuthenticatesAsTheCardOfTheEv1Log) {
  random_.say("ee1b39c24f3cbf01483a2d3053900e3e");
  EXPECT_EQ(ask("90aa0000010000"), "b4f7379bad5f9955110412f2cfc3759c91af");
  EXPECT_EQ(ask("90af000020d83ff069cadb06f10d59a9bce7831c10d46b8f0482bee2f5eed91bf0f9af08fd00"),
            "34c0edd94cb393b59cc71f8f00deb3c99100");
  EXPECT_EQ(ask("9045000000"), "09819d0c9a70e81d19659100");
  EXPECT_EQ(ask("9064000001"
                "0000"),
            "00e4ebf8f0b02e2b509100");
  EXPECT_EQ(ask("906f000000"), "868362f5c319a8a19100");
}

TEST_F(DesfireCardTest, AuthenticatesAsTheCardOfAn12196) {  // 5.6
  random_.say(
      "b9e2fc789b64bf237cccaa20ec7e6e48"
      "9d00c4df");
  EXPECT_EQ(ask("9071000005000300000000"), "a04c124213c186f22399d33ac2a3021591af");
  EXPECT_EQ(ask("90af00002035c3e05a752e0144bac0de51c1f22c56b34408a23d8aea266cab947ea8e0118d00"),
            "3fa64db5446d1f34cd6ea311167f5e4985b89690c04a05f17fa7ab2f081206639100");
}

TEST_F(DesfireCardTest, TheOtherSideReproducesBothLogs) {
  const auto step = [](Dialogue& dialogue, std::string_view answer) -> std::string {
    const auto next = dialogue.next(hex(answer));
    if (!next) return next.error().message;
    return *next ? to_hex((*next)->bytes()) : "over";
  };
  bool fits = false;
  const auto noted = [&](bool good) -> Result<> {
    fits = good;
    return {};
  };
  ScriptedRandom random;
  random.say("01010101010101010101010101010101");
  Dialogue aes(random);
  aes.authenticate_aes(0, secret::Buffer(16), noted);
  aes.secured(Command::kGetKeySettings, {}, {}, Comm::kPlain,
              [](const Dialogue::Answer& answer) -> Result<> {
                EXPECT_EQ(to_hex(answer.data.bytes()), "0981");
                return {};
              });
  EXPECT_EQ(to_hex((*aes.begin())->bytes()), "90aa0000010000");
  EXPECT_EQ(step(aes, "b4f7379bad5f9955110412f2cfc3759c91af"),
            "90af000020d83ff069cadb06f10d59a9bce7831c10d46b8f0482bee2f5eed91bf0f9af08fd00");
  EXPECT_EQ(step(aes, "34c0edd94cb393b59cc71f8f00deb3c99100"), "9045000000");
  EXPECT_EQ(step(aes, "09819d0c9a70e81d19659100"), "over");
  EXPECT_TRUE(fits);

  random.say("13c5db8a5930439fc3def9a4c675360f");
  fits = false;
  Dialogue ev2(random);
  ev2.authenticate_ev2(0, secret::Buffer(16), noted);
  ASSERT_TRUE(ev2.begin());
  EXPECT_EQ(step(ev2, "a04c124213c186f22399d33ac2a3021591af"),
            "90af00002035c3e05a752e0144bac0de51c1f22c56b34408a23d8aea266cab947ea8e0118d00");
  EXPECT_EQ(step(ev2, "3fa64db5446d1f34cd6ea311167f5e4985b89690c04a05f17fa7ab2f081206639100"),
            "over");
  EXPECT_TRUE(fits);
}

TEST_F(DesfireCardTest, ACardThatCannotProveTheKeyIsRefused) {
  Dialogue dialogue(random_);
  dialogue.authenticate_ev2(0, secret::Buffer(16), [](bool) -> Result<> { return {}; });
  ASSERT_TRUE(dialogue.begin());
  ASSERT_TRUE(dialogue.next(hex("a04c124213c186f22399d33ac2a3021591af")));
  const auto last =
      dialogue.next(Bytes(hex("00000000000000000000000000000000"
                              "000000000000000000000000000000009100")));
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Code::kRefused);
}

TEST_F(DesfireCardTest, AnswersWithItsOwnStatus) {
  EXPECT_EQ(ask("00a4040007d276000085010000"), "9000");
  EXPECT_EQ(ask("00a4040008f057415249465501"), "6a82");
  EXPECT_EQ(ask("8060000000"), "6e00");
  EXPECT_EQ(ask("90fc000000"), "911c");
  EXPECT_EQ(ask("905a00000309090900"), "91a0");
  EXPECT_EQ(ask("90ca000005010000098100"), "91de");
  EXPECT_EQ(ask("905a00000301000000"), "9100");
  EXPECT_EQ(ask("9071000005010300000000"), "9140");
  EXPECT_EQ(ask("90bd000007010000002000"
                "0000"),
            "91f0");
  EXPECT_EQ(ask("90cb0000070203000020000000"), "91ae");
  EXPECT_EQ(ask("90af000000"), "911c");
}

TEST_F(DesfireCardTest, SaysThatItIsEmulated) {
  EXPECT_EQ(ask("9060000000").substr(0, 4), "f001");
  EXPECT_EQ(to_hex(card_->atr()).substr(0, 6), "3b8d80");
  EXPECT_EQ(ask("90af000000").size(), 14U + 4U);
  EXPECT_EQ(ask("90af000000").substr(0, 2), "08");
}

TEST_F(DesfireCardTest, KeepsItsMemoryAndRefusesADamagedFile) {
  reopen();
  EXPECT_EQ(ask("906a000000"), "0100009100");
  const auto path = dir_ + "/card";
  const auto again = DesfireCard::open(os::real_files(), random_, path);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kBusy);
  card_.reset();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  const auto damaged = DesfireCard::open(os::real_files(), random_, path);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace warifu::card::desfire
