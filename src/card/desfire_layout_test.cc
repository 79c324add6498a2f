// Personalising, proving and keeping records on an emulated card, in process: torn behind every
// command, by the wrong site, with a copy of the card; and the terminal's watch.
#include "card/desfire_layout.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "card/desfire_emulator.h"
#include "card/desfire_guard.h"
#include "testing/temporary_folder.h"

namespace warifu::card::desfire {
namespace {

class SeededRandom final : public os::Random {
 public:
  void fill(MutableBytes out) override {
    for (Byte& byte : out) byte = static_cast<Byte>(generator_());
  }

 private:
  std::mt19937_64 generator_{7};
};

// A site as this test plays it: its key, the token that it wrote last and the one before it.
struct Site {
  Byte number = 1;
  secret::Buffer key = secret::Buffer::copy_of(Bytes(16, 0x31));
  Bytes token = Bytes(kTokenBytes, 0x41);
  Bytes pending = token;
  bool is_known = false;  // has been personalised
  int renewals = 0;
  int proofs = 0;

  [[nodiscard]] SiteKey own() const { return {number, secret::Buffer::copy_of(key.bytes())}; }
};

class DesfireLayoutTest : public ::testing::Test {
 protected:
  void SetUp() override { make_card(); }

  void make_card() {
    card_.reset();
    std::filesystem::remove(path());
    auto card = DesfireCard::create(os::real_files(), random_, path());
    ASSERT_TRUE(card) << card.error().message;
    card_ = std::move(*card);
  }
  std::string path() const { return dir_ + "/card"; }

  // Gives at most `most` commands to the card, then it is gone; the answer to the last one is lost.
  Result<> run_torn(Dialogue& dialogue, int most, RelayGuard* guard = nullptr) {
    card_->reset();
    TRY_ASSIGN(std::optional<secret::Buffer> apdu, dialogue.begin());
    for (int sent = 1; apdu; ++sent) {
      if (guard != nullptr) TRY(guard->check(apdu->bytes()));
      TRY_ASSIGN(const secret::Buffer answer, card_->transmit(apdu->bytes()));
      if (sent == most) return fail(Code::kUnavailable, "torn away");
      auto next = dialogue.next(answer.bytes());
      if (!next) return std::unexpected(next.error());
      apdu = std::move(*next);
    }
    return {};
  }

  Result<> personalise_torn(Site& site, int most, RelayGuard* guard = nullptr) {
    Dialogue dialogue(random_);
    personalise(dialogue,
                {{site.number, 2, card_id()},
                 site.own(),
                 secret::Buffer::copy_of(site.token),
                 site.is_known},
                [&](CardKind kind) -> Result<> {
                  EXPECT_EQ(kind, CardKind::kDesfireEmulated);
                  return {};
                });
    return run_torn(dialogue, most, guard);
  }

  Result<> prove_torn(Site& site, int most, RelayGuard* guard = nullptr) {
    Dialogue dialogue(random_);
    begin_proof(dialogue, site);
    return run_torn(dialogue, most, guard);
  }

  // Bit `bit` of answer number `at` is turned round; `in_reach` when there is one.
  Result<> prove_bent(Site& site, int at, std::size_t bit, bool& in_reach) {
    Dialogue dialogue(random_);
    begin_proof(dialogue, site);
    card_->reset();
    TRY_ASSIGN(std::optional<secret::Buffer> apdu, dialogue.begin());
    for (int sent = 1; apdu; ++sent) {
      TRY_ASSIGN(secret::Buffer answer, card_->transmit(apdu->bytes()));
      if (sent == at && bit / 8 < answer.size()) {
        in_reach = true;
        Byte& byte = answer.bytes()[bit / 8];
        byte = static_cast<Byte>(byte ^ (1U << (bit % 8)));
      }
      auto next = dialogue.next(answer.bytes());
      if (!next) return std::unexpected(next.error());
      apdu = std::move(*next);
    }
    return {};
  }

  void begin_proof(Dialogue& dialogue, Site& site) {
    authorise(
        dialogue, site.own(), digest_,
        [&](ByteView token) -> Result<secret::Buffer> {
          const bool known =
              std::ranges::equal(token, site.token) || std::ranges::equal(token, site.pending);
          if (!known) return fail(Code::kRefused, "a copy of the card");
          if (std::ranges::equal(token, site.pending)) site.token = site.pending;
          random_.fill(site.pending);
          ++site.renewals;
          return secret::Buffer::copy_of(site.pending);
        },
        [&]() -> Result<> {
          site.token = site.pending;
          ++site.proofs;
          return {};
        });
  }

  static CardId card_id() { return *CardId::parse("00112233445566778899aabbccddeeff"); }
  static ObjectRecord record(Byte number) {
    ObjectRecord record;
    record.object.bytes.fill(number);
    record.hash_key = secret::Buffer::copy_of(Bytes(16, static_cast<Byte>(number + 1)));
    record.tag.fill(0x77);
    record.chunk_count = 3;
    record.length = {700'000};
    return record;
  }
  DesfireIdentity identity() {
    auto session = Session::open(*card_);
    EXPECT_TRUE(session);
    const auto read = identify(**session, random_);
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : DesfireIdentity{};
  }

  static constexpr int kNever = 1'000'000;
  SeededRandom random_;
  sim::TemporaryFolder dir_;
  std::unique_ptr<DesfireCard> card_;
  Bytes digest_ = Bytes(kDigestBytes, 0xD1);
};

TEST_F(DesfireLayoutTest, ABlankCardBecomesAPersonsAndProvesGrants) {
  EXPECT_FALSE(identity().is_active);
  Site second{.number = 2, .key = secret::Buffer::copy_of(Bytes(16, 0x32))};
  Site first;
  ASSERT_TRUE(personalise_torn(second, kNever));
  EXPECT_FALSE(identity().is_active) << "share control's application comes last";
  EXPECT_EQ(identity().applications, 1);
  ASSERT_TRUE(personalise_torn(first, kNever));
  const DesfireIdentity made = identity();
  EXPECT_TRUE(made.is_active);
  EXPECT_EQ(made.label.card, card_id());
  EXPECT_EQ(made.label.applications, 2);
  EXPECT_EQ(made.kind, CardKind::kDesfireEmulated);
  for (int use = 1; use <= 3; ++use) {
    ASSERT_TRUE(prove_torn(first, kNever));
    ASSERT_TRUE(prove_torn(second, kNever));
    EXPECT_EQ(first.proofs, use);
    EXPECT_EQ(second.proofs, use);
  }
}

TEST_F(DesfireLayoutTest, TornBehindEveryCommandOfThePersonalisationItGoesOn) {
  int places = 0;
  for (int most = 1; most < 60; ++most) {
    make_card();
    Site site;
    const Result<> torn = personalise_torn(site, most);
    if (torn) break;
    ++places;
    const Result<> again = personalise_torn(site, kNever);
    ASSERT_TRUE(again) << most << ": " << again.error().message;
    EXPECT_TRUE(identity().is_active);
    EXPECT_TRUE(prove_torn(site, kNever)) << most;
  }
  EXPECT_GT(places, 15);
}

TEST_F(DesfireLayoutTest, TornBehindEveryCommandOfAProofTheNextTouchWorks) {
  Site site;
  ASSERT_TRUE(personalise_torn(site, kNever));
  int places = 0;
  for (int most = 1; most < 30; ++most) {
    const int before = site.proofs;
    if (prove_torn(site, most)) break;
    ++places;
    EXPECT_EQ(site.proofs, before) << "nothing is proved by a torn dialogue";
    const Result<> again = prove_torn(site, kNever);
    ASSERT_TRUE(again) << most << ": " << again.error().message;
  }
  EXPECT_EQ(places, 7) << "select, two passes, read, two writes, commit";
}

TEST_F(DesfireLayoutTest, AnotherSitesKeyAndAnotherCardAreRefused) {
  Site site;
  ASSERT_TRUE(personalise_torn(site, kNever));
  Site stranger{.key = secret::Buffer::copy_of(Bytes(16, 0x99))};
  const Result<> refusal = prove_torn(stranger, kNever);
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.error().code, Code::kRefused);
  EXPECT_EQ(stranger.renewals, 0);
  const Result<> taken = personalise_torn(stranger, kNever);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kRefused);
}

TEST_F(DesfireLayoutTest, AKeyThatIsInUseIsNeverWrittenOnAnotherCard) {
  Site site;
  ASSERT_TRUE(personalise_torn(site, kNever));
  site.is_known = true;
  EXPECT_TRUE(personalise_torn(site, kNever)) << "the same card again";
  make_card();
  EXPECT_EQ(personalise_torn(site, kNever).error().code, Code::kRefused) << "a blank one";
  (void)card_->transmit(*from_hex("905a00000300000000"));
  (void)card_->transmit(*from_hex("90ca0000050141570b8100"));
  EXPECT_EQ(personalise_torn(site, kNever).error().code, Code::kRefused) << "the factory's key";
  EXPECT_FALSE(identity().is_active);
}

TEST_F(DesfireLayoutTest, ACopyOfTheCardShowsAtTheFirstUseBehindTheOther) {
  Site site;
  ASSERT_TRUE(personalise_torn(site, kNever));
  std::filesystem::copy_file(path(), dir_ + "/copy");
  ASSERT_TRUE(prove_torn(site, kNever));
  card_.reset();
  auto copy = DesfireCard::open(os::real_files(), random_, dir_ + "/copy");
  ASSERT_TRUE(copy);
  card_ = std::move(*copy);
  const Result<> refusal = prove_torn(site, kNever);
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.error().message, "a copy of the card");
}

TEST_F(DesfireLayoutTest, NoAnswerThatWasChangedOnTheWayProvesAnything) {
  Site site;
  ASSERT_TRUE(personalise_torn(site, kNever));
  int tries = 0;
  for (int at = 1; at <= 7; ++at) {
    for (std::size_t bit = 0;; bit += 5) {
      Site copy;
      copy.token = site.token;
      copy.pending = site.pending;
      bool in_reach = false;
      const Result<> bent = prove_bent(copy, at, bit, in_reach);
      site.token = copy.token;
      site.pending = copy.pending;
      if (!in_reach) break;
      ++tries;
      EXPECT_FALSE(bent) << "answer " << at << ", bit " << bit;
      EXPECT_EQ(copy.proofs, 0) << "answer " << at << ", bit " << bit;
    }
  }
  EXPECT_GT(tries, 150);
  EXPECT_TRUE(prove_torn(site, kNever)) << "nothing of it harmed card or site";
}

TEST_F(DesfireLayoutTest, AnyNonsenseEndsADialogue) {
  Site site;
  for (int round = 0; round < 2000; ++round) {
    Dialogue dialogue(random_);
    authorise(
        dialogue, site.own(), digest_,
        [](ByteView token) -> Result<secret::Buffer> { return secret::Buffer::copy_of(token); },
        [&]() -> Result<> {
          ++site.proofs;
          return {};
        });
    ASSERT_TRUE(dialogue.begin());
    for (int step = 0; step < 20; ++step) {
      std::array<Byte, 4> dice{};
      random_.fill(dice);
      Bytes answer(dice[0] % 70);
      random_.fill(answer);
      answer.push_back(0x91);
      answer.push_back(dice[1] < 120 ? 0x00 : dice[1] < 240 ? 0xAF : dice[2]);
      if (!dialogue.next(answer)) break;
    }
  }
  EXPECT_EQ(site.proofs, 0);
}

TEST_F(DesfireLayoutTest, RecordsOfObjectsAreKeptUntilTheCardIsFull) {
  Site site;
  ASSERT_TRUE(personalise_torn(site, kNever));
  for (std::uint32_t i = 1; i <= kRecordSlots; ++i) {
    Dialogue put(random_);
    put_record(put, site.own(), record(static_cast<Byte>(i)));
    const Result<> done = run_torn(put, kNever);
    ASSERT_TRUE(done) << i << ": " << done.error().message;
  }
  const auto put_again = [&](const ObjectRecord& one) {
    Dialogue put(random_);
    put_record(put, site.own(), one);
    return run_torn(put, kNever);
  };
  EXPECT_TRUE(put_again(record(5))) << "the same again is no error";
  ObjectRecord other = record(5);
  other.chunk_count = 4;
  EXPECT_EQ(put_again(other).error().code, Code::kAlreadyExists);
  EXPECT_EQ(put_again(record(200)).error().code, Code::kNoSpace);
  for (const Byte number : {Byte{1}, Byte{32}, Byte{100}}) {
    Dialogue get(random_);
    bool found = false;
    get_record(get, site.own(), record(number).object, [&](const ObjectRecord& read) -> Result<> {
      found = secret::equal(record_bytes(read).bytes(), record_bytes(record(number)).bytes());
      return {};
    });
    const Result<> done = run_torn(get, kNever);
    EXPECT_EQ(found, number <= kRecordSlots);
    EXPECT_EQ(done.has_value(), number <= kRecordSlots);
  }
}

TEST_F(DesfireLayoutTest, TheTerminalPassesOnWhatBelongsToItsCeremonyOnly) {
  Site site;
  RelayGuard enrolling(Ceremony::kEnrol);
  ASSERT_TRUE(personalise_torn(site, kNever, &enrolling));
  RelayGuard consent(Ceremony::kConsent, digest_);
  ASSERT_TRUE(prove_torn(site, kNever, &consent));
  // A controller that has another grant proved: the site writes its digest, the terminal sees it.
  const Bytes shown(kDigestBytes, 0xEE);
  RelayGuard watchful(Ceremony::kConsent, shown);
  const int proofs = site.proofs;
  const Result<> refusal = prove_torn(site, kNever, &watchful);
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.error().code, Code::kRefused);
  EXPECT_NE(refusal.error().message.find("another grant"), std::string::npos);
  EXPECT_EQ(site.proofs, proofs);
  // An enrolment or a record is no consent, and the other way round.
  RelayGuard for_record(Ceremony::kRecord);
  EXPECT_FALSE(prove_torn(site, kNever, &for_record));
  RelayGuard again(Ceremony::kEnrol);
  EXPECT_FALSE(prove_torn(site, kNever, &again));
  RelayGuard other(Ceremony::kConsent, digest_);
  EXPECT_FALSE(personalise_torn(site, kNever, &other));
}

TEST_F(DesfireLayoutTest, TheTerminalRefusesACommitWithoutTheDigest) {
  RelayGuard guard(Ceremony::kConsent, digest_);
  const auto check = [&](std::string_view apdu) { return guard.check(*from_hex(apdu)); };
  EXPECT_TRUE(check("905a00000301415700"));
  EXPECT_FALSE(
      check("90c70000080011223344556677"
            "00"));
  EXPECT_FALSE(check("905a00000301020300")) << "somebody else's application";
  EXPECT_FALSE(check("905a00000300000000")) << "the card itself";
  EXPECT_FALSE(check("90fc000000")) << "format";
  EXPECT_FALSE(check("00a4040007d276000085010000"));
  EXPECT_FALSE(check("90"));
}

}  // namespace
}  // namespace warifu::card::desfire
