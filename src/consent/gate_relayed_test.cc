// A site and a DESFire card (emulated, in process): enrolment, proofs, lost answers, copies,
// restored state, full disks.
#include <gtest/gtest.h>

#include "card/desfire_emulator.h"
#include "consent/card_dialogues.h"
#include "consent/gate_test_support.h"
#include "testing/temporary_folder.h"
#include "wire/wire.h"

namespace warifu::consent {
namespace {

using namespace test;
using card::desfire::DesfireCard;

class GateRelayedTest : public testing::Test {
 protected:
  static constexpr int kNever = 1'000'000;

  void SetUp() override {
    site_ = std::make_unique<TestSite>("tommo", dir_, clock_, GateOptions{});
    start_dialogues();
    auto made = DesfireCard::create(os::real_files(), os::kernel_random(), dir_ + "/card");
    ASSERT_TRUE(made) << made.error().message;
    card_ = std::move(*made);
    const auto enrolled = run(dialogues_->personalise(order_, 1), kNever);
    ASSERT_TRUE(enrolled) << enrolled.error().message;
    EXPECT_EQ(enrolled->kind, card::CardKind::kDesfireEmulated);
  }
  void start_dialogues() {
    dialogues_ = std::make_unique<CardDialogues>(
        os::System{site_->files(), clock_, os::kernel_random()}, site_->gate());
  }
  void restart() {
    dialogues_.reset();
    site_->restart();
    start_dialogues();
  }

  // Gives at most `most` commands to the card; the answer to the last one is lost.
  Result<DialogueResult> run(Result<DialogueTurn> turn, int most) {
    card_->reset();
    for (int sent = 1; turn && turn->apdu; ++sent) {
      TRY_ASSIGN(const secret::Buffer answer, card_->transmit(*turn->apdu));
      if (sent == most) return fail(Code::kUnavailable, "torn away");
      turn = dialogues_->answer(turn->dialogue, answer.bytes());
    }
    if (!turn) return std::unexpected(turn.error());
    return std::move(turn->result);
  }
  Bytes new_grant() {
    const auto challenge = site_->gate().issue_nonce(order_.card);
    WARIFU_CHECK(challenge.has_value());
    return *encode_grant(
        grant_for(site_->name(), challenge->nonce, challenge->lowest_index, clock_.now()));
  }
  Result<DialogueResult> prove(const Bytes& grant, int most = kNever) {
    return run(dialogues_->authorise(grant), most);
  }
  Result<Permit> ask(const Bytes& grant, const mac::Tag& receipt, Byte session = 1) {
    return site_->gate().request_release(grant,
                                         {site_->name(), card::CardKind::kDesfireEmulated, receipt},
                                         request_for(*parse_grant(grant), session));
  }
  void expect_works() {
    const Bytes grant = new_grant();
    const auto proved = prove(grant);
    ASSERT_TRUE(proved) << proved.error().message;
    EXPECT_TRUE(ask(grant, proved->receipt));
  }

  const RelayedEnrolment order_{enrolment().card, enrolment().person, 1};
  sim::TemporaryFolder dir_;
  FakeClock clock_;
  std::unique_ptr<TestSite> site_;
  std::unique_ptr<CardDialogues> dialogues_;
  std::unique_ptr<DesfireCard> card_;
};

TEST_F(GateRelayedTest, AProvedGrantIsReleasedAsOftenAsItSays) {
  const Bytes grant = new_grant();
  const auto proved = prove(grant);
  ASSERT_TRUE(proved) << proved.error().message;
  EXPECT_EQ(site_->last_event().first, "card_proved");
  EXPECT_TRUE(ask(grant, proved->receipt, 1));
  EXPECT_TRUE(ask(grant, proved->receipt, 1)) << "the same session goes on";
  EXPECT_TRUE(ask(grant, proved->receipt, 2));
  EXPECT_FALSE(ask(grant, proved->receipt, 3));
  EXPECT_EQ(site_->last_event().second, "used_up");
}

TEST_F(GateRelayedTest, WithoutTheCardThereIsNoEvidence) {
  const Bytes grant = new_grant();
  EXPECT_FALSE(ask(grant, {}));
  EXPECT_EQ(site_->last_event().second, "not_proven");
  const auto proved = prove(grant);
  ASSERT_TRUE(proved);
  mac::Tag bent = proved->receipt;
  bent[7] ^= 1;
  EXPECT_FALSE(ask(grant, bent));
  EXPECT_EQ(site_->last_event().second, "wrong_tag");
  Grant other = *parse_grant(grant);
  other.uses = 3;
  EXPECT_FALSE(ask(*encode_grant(other), proved->receipt)) << "one use more than was proved";
  EXPECT_EQ(site_->last_event().second, "not_proven");
}

TEST_F(GateRelayedTest, AGrantIsProvedOnceAndNoncesAndIndicesDoNotComeBack) {
  const Bytes grant = new_grant();
  ASSERT_TRUE(prove(grant));
  EXPECT_FALSE(prove(grant));
  EXPECT_EQ(site_->last_event().second, "unknown_nonce");
  const auto challenge = *site_->gate().issue_nonce(order_.card);
  EXPECT_EQ(challenge.lowest_index.value, 2U);
  const Bytes low = *encode_grant(grant_for(site_->name(), challenge.nonce, {1}, clock_.now()));
  EXPECT_FALSE(prove(low));
  EXPECT_EQ(site_->last_event().second, "index_used");
}

TEST_F(GateRelayedTest, TornBehindEveryCommandAndRestartedTheNextTouchWorks) {
  for (int most = 1; most <= 7; ++most) {
    const Bytes grant = new_grant();
    EXPECT_FALSE(prove(grant, most)) << most;
    EXPECT_FALSE(ask(grant, {})) << most;
    if (most % 2 == 1) restart();
    expect_works();
  }
}

TEST_F(GateRelayedTest, ASiteThatWasSetBackRefusesTheCard) {
  std::filesystem::copy_file(site_->card_file(order_.card), dir_ + "/old");
  expect_works();
  expect_works();
  std::filesystem::copy_file(dir_ + "/old", site_->card_file(order_.card),
                             std::filesystem::copy_options::overwrite_existing);
  restart();
  const auto refusal = prove(new_grant());
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.error().code, Code::kRefused);
  EXPECT_EQ(site_->last_event().second, "copied_card");
}

TEST_F(GateRelayedTest, AnotherCardIsRefusedLoggedAndHeldBack) {
  std::filesystem::remove(dir_ + "/other");
  auto other = DesfireCard::create(os::real_files(), os::kernel_random(), dir_ + "/other");
  ASSERT_TRUE(other);
  std::swap(card_, *other);
  // The same application with the factory's key.
  const auto apdu = [&](std::string_view hex) { (void)card_->transmit(*from_hex(hex)); };
  apdu("90ca0000050141570b8100");
  const Bytes grant = new_grant();
  for (int i = 0; i < 10; ++i) {
    const auto refusal = prove(grant);
    ASSERT_FALSE(refusal);
    EXPECT_EQ(refusal.error().code, Code::kRefused);
    EXPECT_EQ(site_->last_event().second, "wrong_card");
  }
  EXPECT_FALSE(prove(grant));
  EXPECT_EQ(site_->last_event().second, "held_back");
  std::swap(card_, *other);
  clock_.time_ms += 61'000;
  expect_works();
}

TEST_F(GateRelayedTest, AFullDiskProvesNothingAndLosesNothing) {
  const Bytes grant = new_grant();
  auto turn = dialogues_->authorise(grant);
  card_->reset();
  for (int sent = 1; turn && turn->apdu; ++sent) {
    if (sent == 4) site_->files().broken = "/cards/";  // the token is to be noted
    const auto answer = card_->transmit(*turn->apdu);
    turn = dialogues_->answer(turn->dialogue, answer->bytes());
  }
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.error().code, Code::kNoSpace);
  site_->files().broken.clear();
  turn = dialogues_->authorise(grant);
  card_->reset();
  for (int sent = 1; turn && turn->apdu; ++sent) {
    if (sent == 7) site_->files().broken = "/cards/";  // the proof is to be kept
    const auto answer = card_->transmit(*turn->apdu);
    turn = dialogues_->answer(turn->dialogue, answer->bytes());
  }
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.error().code, Code::kNoSpace);
  EXPECT_FALSE(ask(grant, {}));
  site_->files().broken.clear();
  restart();
  expect_works();
}

TEST_F(GateRelayedTest, DialoguesEndAndGiveWay) {
  const Bytes grant = new_grant();
  const auto first = dialogues_->authorise(grant);
  const auto second = dialogues_->authorise(grant);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(dialogues_->answer(first->dialogue, *from_hex("9100")).error().code, Code::kNotFound);
  EXPECT_TRUE(dialogues_->answer(second->dialogue, *from_hex("9100")));
  clock_.time_ms += 121'000;
  EXPECT_EQ(dialogues_->answer(second->dialogue, *from_hex("91af")).error().code, Code::kNotFound);
  for (const std::string_view nonsense : {"", "91", "6a82", "91af", "00000000009100", "91ae"}) {
    const auto begun = dialogues_->authorise(grant);
    ASSERT_TRUE(begun);
    const auto selected = dialogues_->answer(begun->dialogue, *from_hex("9100"));
    ASSERT_TRUE(selected);
    EXPECT_FALSE(dialogues_->answer(begun->dialogue, *from_hex(nonsense))) << nonsense;
    EXPECT_FALSE(dialogues_->answer(begun->dialogue, *from_hex("9100"))) << "it is over";
  }
  expect_works();
}

TEST_F(GateRelayedTest, ARevokedCardIsForgotten) {
  ASSERT_TRUE(site_->gate().revoke(order_.card));
  EXPECT_FALSE(site_->gate().issue_nonce(order_.card));
  EXPECT_FALSE(site_->gate().application_key(order_.card));
  EXPECT_FALSE(dialogues_->personalise(order_, 1));
  restart();
  EXPECT_FALSE(site_->gate().application_key(order_.card));
}

TEST_F(GateRelayedTest, AFinishedSitesKeyIsNotWrittenOnAnotherCard) {
  auto blank = DesfireCard::create(os::real_files(), os::kernel_random(), dir_ + "/blank");
  ASSERT_TRUE(blank);
  std::swap(card_, *blank);
  const auto refusal = run(dialogues_->personalise(order_, 1), kNever);
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.error().code, Code::kRefused);
  std::swap(card_, *blank);
  expect_works();
}

TEST_F(GateRelayedTest, AnEnrolmentIsRepeatedUntilTheCardWasUsed) {
  EXPECT_TRUE(run(dialogues_->personalise(order_, 1), kNever));
  expect_works();
  EXPECT_FALSE(dialogues_->personalise(order_, 1));
  RelayedEnrolment second = order_;
  second.card = id_of<CardId>(0xC2);
  EXPECT_EQ(dialogues_->personalise(second, 1).error().code, Code::kRefused)
      << "a second card for the person";
}

TEST_F(GateRelayedTest, RecordsOfEarlierVersionsAreStillRead) {
  CardRecord record;
  record.card = id_of<CardId>(0x11);
  record.person = id_of<Pseudonym>(0x12);
  record.kind = card::CardKind::kOneTimeMacEmulated;
  // Version 3 ended behind the application, 2 behind the withdrawals, 1 behind the grants.
  constexpr std::size_t kBehindOwn = 4 + 4;  // no certificate, the checksum
  constexpr std::size_t kBehindWithdrawn = kBehindOwn + 1;
  constexpr std::size_t kBehindGrants = kBehindWithdrawn + 3 * 8 + 4;
  for (const auto& [version, cut] :
       {std::pair{Byte{3}, kBehindOwn}, std::pair{Byte{2}, kBehindWithdrawn},
        std::pair{Byte{1}, kBehindGrants}}) {
    Bytes old = encode_record(record);
    old.resize(old.size() - cut);
    old[4] = version;
    wire::Writer crc;
    crc.u32(wire::crc32c(old));
    old.insert(old.end(), crc.bytes().begin(), crc.bytes().end());
    const auto read = parse_record(old);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->person, record.person);
    EXPECT_FALSE(read->own);
  }
}

}  // namespace
}  // namespace warifu::consent
