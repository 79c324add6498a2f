// The certificate application: the terminal against the emulated card, PINs, signatures, damage.
#include "card/jpki.h"

#include <gtest/gtest.h>

#include "card/jpki_commands.h"
#include "card/jpki_emulator.h"
#include "crypto/card_certificate.h"
#include "testing/sim_disk.h"

namespace warifu::card {
namespace {

class JpkiTest : public testing::Test {
 protected:
  void SetUp() override {
    JpkiPins pins{secret::Buffer::copy_of(as_bytes("1234")),
                  secret::Buffer::copy_of(as_bytes("ABC123"))};
    auto made = EmulatedJpkiCard::create(disk_, "/card", pins);
    ASSERT_TRUE(made) << made.error().message;
    card_ = std::move(*made);
  }
  void again() {
    card_.reset();
    auto opened = EmulatedJpkiCard::open(disk_, "/card");
    ASSERT_TRUE(opened) << opened.error().message;
    card_ = std::move(*opened);
  }
  // The answer to one APDU in hexadecimal.
  std::string raw(const std::string& hex) {
    return to_hex(card_->transmit(*from_hex(hex))->bytes());
  }
  sim::SimDisk disk_;
  std::unique_ptr<EmulatedJpkiCard> card_;
};

TEST_F(JpkiTest, SignsAfterThePinAndTheCertificateProvesIt) {
  const auto session = *Session::open(*card_);
  auto jpki = *JpkiCard::select(*session);
  for (const auto& [key, pin] :
       {std::pair{JpkiKey::kAuthentication, "1234"}, {JpkiKey::kSignature, "ABC123"}}) {
    EXPECT_EQ(jpki.sign(key, as_bytes("grant")).error().code, Code::kRefused);
    ASSERT_TRUE(jpki.verify_pin(key, as_bytes(pin)));
    const auto signature = jpki.sign(key, as_bytes("grant"));
    ASSERT_TRUE(signature) << signature.error().message;
    EXPECT_EQ(signature->size(), 256u);
    const auto certificate = jpki.certificate(key);
    ASSERT_TRUE(certificate) << certificate.error().message;
    EXPECT_TRUE(*crypto::verify_signature(*certificate, as_bytes("grant"), *signature));
    EXPECT_FALSE(*crypto::verify_signature(*certificate, as_bytes("other"), *signature));
    EXPECT_FALSE(*crypto::verify_signature(*jpki.authority(key), as_bytes("grant"), *signature));
  }
}

TEST_F(JpkiTest, TheSignatureCertificateNeedsItsPinTheOtherNone) {
  const auto session = *Session::open(*card_);
  auto jpki = *JpkiCard::select(*session);
  EXPECT_TRUE(jpki.certificate(JpkiKey::kAuthentication));
  EXPECT_EQ(jpki.certificate(JpkiKey::kSignature).error().code, Code::kRefused);
}

TEST_F(JpkiTest, TheLastTryIsNotSpentUnlessThePersonSaysSo) {
  const auto session = *Session::open(*card_);
  auto jpki = *JpkiCard::select(*session);
  constexpr JpkiKey kKey = JpkiKey::kAuthentication;
  EXPECT_EQ(jpki.verify_pin(kKey, as_bytes("12345")).error().code, Code::kInvalidArgument);
  EXPECT_EQ(*jpki.tries_left(kKey), 3);
  EXPECT_EQ(jpki.verify_pin(kKey, as_bytes("0000")).error().code, Code::kRefused);
  EXPECT_EQ(jpki.verify_pin(kKey, as_bytes("0000")).error().code, Code::kRefused);
  EXPECT_EQ(*jpki.tries_left(kKey), 1);
  EXPECT_EQ(jpki.verify_pin(kKey, as_bytes("1234")).error().code, Code::kRefused);
  EXPECT_EQ(*jpki.tries_left(kKey), 1);  // nothing was spent
  ASSERT_TRUE(jpki.verify_pin(kKey, as_bytes("1234"), LastTry::kAllow));
  EXPECT_EQ(*jpki.tries_left(kKey), 3);
}

TEST_F(JpkiTest, ABlockedPinStaysBlockedOverARestart) {
  {
    const auto session = *Session::open(*card_);
    auto jpki = *JpkiCard::select(*session);
    for (int i = 0; i < 5; ++i) {
      EXPECT_FALSE(jpki.verify_pin(JpkiKey::kSignature, as_bytes("WRONG1"), LastTry::kAllow));
    }
  }
  again();
  const auto session = *Session::open(*card_);
  auto jpki = *JpkiCard::select(*session);
  EXPECT_EQ(*jpki.tries_left(JpkiKey::kSignature), 0);
  const auto refused = jpki.verify_pin(JpkiKey::kSignature, as_bytes("ABC123"), LastTry::kAllow);
  EXPECT_NE(refused.error().message.find("municipal office"), std::string::npos);
  EXPECT_TRUE(jpki.verify_pin(JpkiKey::kAuthentication, as_bytes("1234")));
}

TEST_F(JpkiTest, APinIsForgottenAtASelectionAndAReset) {
  const auto session = *Session::open(*card_);
  auto jpki = *JpkiCard::select(*session);
  ASSERT_TRUE(jpki.verify_pin(JpkiKey::kAuthentication, as_bytes("1234")));
  auto second = *JpkiCard::select(*session);
  EXPECT_EQ(second.sign(JpkiKey::kAuthentication, as_bytes("x")).error().code, Code::kRefused);
}

// The commands as other software sends them.
TEST_F(JpkiTest, AnswersTheCommandsOfTheCardsDocuments) {
  EXPECT_EQ(raw("00a404000ad392f0002601000000020000"), "6700");
  EXPECT_EQ(raw("00a4040c0ad392f000260100000002"), "6a82");
  EXPECT_EQ(raw("00a4040c0ad392f000260100000001"), "9000");
  EXPECT_EQ(raw("00a4020c020018"), "9000");
  EXPECT_EQ(raw("00200080"), "63c3");
  EXPECT_EQ(raw("002000800430303030"), "63c2");
  EXPECT_EQ(raw("002000800431323334"), "9000");
  EXPECT_EQ(raw("00a4020c020006"), "9000");
  EXPECT_EQ(raw("00b0000020"), to_hex(as_bytes("JPKIAPICCTOKEN                  ")) + "9000");
  EXPECT_EQ(raw("00a4020c020099"), "6a82");
  EXPECT_EQ(raw("00a4020c02000a"), "9000");
  EXPECT_EQ(raw("00b07fff00"), "6b00");
  EXPECT_EQ(raw("80ca0000"), "6d00");
}

TEST_F(JpkiTest, ADamagedFileIsRefusedByName) {
  card_.reset();
  {
    auto file = *disk_.open("/card", os::OpenMode::kReadWrite);
    Bytes byte(1);
    ASSERT_TRUE(file->read_at(100, byte));
    byte[0] ^= 1;
    ASSERT_TRUE(file->write_at(100, byte));
  }
  const auto opened = EmulatedJpkiCard::open(disk_, "/card");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kCorrupt);
  EXPECT_NE(opened.error().message.find("/card"), std::string::npos);
}

// A card that lies about lengths, or answers nonsense, ends in an error and nothing else.
class Liar final : public CardTransport {
 public:
  explicit Liar(std::vector<std::string> answers) : answers_(std::move(answers)) {}
  Bytes atr() override { return {0x3B}; }
  Result<secret::Buffer> transmit(ByteView) override {
    const std::string answer = next_ < answers_.size() ? answers_[next_++] : "6f00";
    return secret::Buffer::copy_of(*from_hex(answer));
  }
  void reset() override {}

 private:
  std::vector<std::string> answers_;
  std::size_t next_ = 0;
};

TEST(JpkiLiarTest, NonsenseIsAnError) {
  for (const std::vector<std::string>& answers : std::vector<std::vector<std::string>>{
           {"9000", "9000", "9000"},                  // nothing where a certificate must begin
           {"9000", "9000", "308203e89000", "9000"},  // and nothing behind its head
           {"9000", "9000", "310203e89000"},          // no SEQUENCE
           {"9000", "9000", "3082ffff9000"},          // far too long
           {"9000", "9000", "6982"},
           {"9000", "6a82"}}) {
    Liar liar(answers);
    const auto session = *Session::open(liar);
    auto jpki = *JpkiCard::select(*session);
    EXPECT_FALSE(jpki.certificate(JpkiKey::kAuthentication));
  }
  Liar none({"6a82"});
  const auto session = *Session::open(none);
  EXPECT_EQ(JpkiCard::select(*session).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace warifu::card
