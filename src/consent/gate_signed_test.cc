// A site and a signature card: enrolment, proofs, replays, changed bytes, certificates that stop
// being good, records.
#include <gtest/gtest.h>

#include <algorithm>

#include "consent/gate_test_support.h"
#include "consent/signature_trust.h"
#include "crypto/rsa.h"
#include "testing/temporary_folder.h"

namespace warifu::consent {
namespace {

using namespace test;

// What a list would say, as the test wants it.
class Saying final : public RevocationSource {
 public:
  explicit Saying(const crypto::RevocationState& state) : state_(state) {}
  crypto::RevocationFinding ask(ByteView, const crypto::Authorities&, os::UnixMs) const override {
    return {state_, "says the test"};
  }

 private:
  const crypto::RevocationState& state_;
};

// A card: a key and its certificate.
struct Card {
  crypto::RsaKey key = crypto::RsaKey::generate(2048);
  Bytes certificate;
  Card(const crypto::RsaKey& authority, const std::string& issuer,
       std::chrono::seconds lasts = std::chrono::days(30))
      : certificate(*crypto::make_rsa_certificate({.common_name = "EMULATED CARD", .lasts = lasts},
                                                  key, authority, issuer)) {}
  Bytes sign(ByteView message) const {
    return *key.sign_digest_info(crypto::sha256_digest_info(message));
  }
  CardId id() const { return signature_card_id(certificate); }
};

class GateSignedTest : public testing::Test {
 protected:
  static constexpr const char* kIssuer = "EMULATED ISSUER";

  void SetUp() override {
    clock_.time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    site_ = std::make_unique<TestSite>("tommo", dir_, clock_, options(false));
    ASSERT_TRUE(enrol(card_, person_));
  }
  GateOptions options(bool accept_without_list) {
    crypto::Authorities stand_ins;
    const auto authority = crypto::make_rsa_certificate({.common_name = kIssuer, .is_ca = true},
                                                        authority_, authority_, kIssuer);
    WARIFU_CHECK(stand_ins.add(*authority, "authority").has_value());
    return {.failures_allowed = 1'000'000,
            .signatures = std::make_shared<const SignatureTrust>(
                crypto::Authorities(), std::move(stand_ins), std::make_unique<Saying>(state_),
                accept_without_list)};
  }
  SignatureEnrolment order(const Card& card, const Pseudonym& person, std::int64_t age = 0) {
    const os::UnixMs at{clock_.time_ms - age};
    return {person, card.certificate, at, card.sign(enrolment_statement(card.id(), at))};
  }
  Result<card::CardKind> enrol(const Card& card, const Pseudonym& person) {
    return site_->gate().enrol_signature(order(card, person));
  }
  Bytes new_grant(std::uint16_t uses = 2) {
    const auto challenge = site_->gate().issue_nonce(card_.id());
    WARIFU_CHECK(challenge.has_value());
    Grant grant = grant_for(site_->name(), challenge->nonce, challenge->lowest_index, clock_.now());
    grant.card = card_.id();
    grant.uses = uses;
    return *encode_grant(grant);
  }
  Result<Evidence> prove(const Bytes& grant) {
    return site_->gate().accept_signature(grant, card_.sign(grant));
  }
  Result<Permit> ask(const Bytes& grant, const Evidence& evidence, Byte session = 1) {
    ReleaseRequest request = request_for(*parse_grant(grant), session);
    request.owner = person_;
    return site_->gate().request_release(grant, evidence, request);
  }
  void expect_refused(const Result<Evidence>& result, const std::string& reason) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kRefused);
    EXPECT_EQ(site_->last_event(), (std::pair<std::string, std::string>("refused", reason)));
  }

  sim::TemporaryFolder dir_;
  FakeClock clock_;
  crypto::RevocationState state_ = crypto::RevocationState::kGood;
  crypto::RsaKey authority_ = crypto::RsaKey::generate(2048);
  Card card_{authority_, kIssuer};
  Pseudonym person_ = id_of<Pseudonym>(0xB1);
  std::unique_ptr<TestSite> site_;
};

TEST_F(GateSignedTest, ASignedGrantReleasesAsOftenAsItSays) {
  const Bytes grant = new_grant(2);
  const auto evidence = prove(grant);
  ASSERT_TRUE(evidence) << evidence.error().message;
  EXPECT_EQ(evidence->kind, card::CardKind::kSignatureEmulated);
  EXPECT_TRUE(ask(grant, *evidence, 1));
  EXPECT_TRUE(ask(grant, *evidence, 1)) << "the same session";
  site_->restart();
  EXPECT_TRUE(ask(grant, *evidence, 2));
  const auto third = ask(grant, *evidence, 3);
  ASSERT_FALSE(third);
  EXPECT_EQ(site_->last_event().second, "used_up");
  // The signature again gives the same receipt, and no further use.
  const auto again = prove(grant);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *evidence);
  EXPECT_FALSE(ask(grant, *again, 3));
  clock_.time_ms += 3'600'000;
  EXPECT_FALSE(ask(grant, *evidence, 1));
  EXPECT_EQ(site_->last_event().second, "expired");
}

TEST_F(GateSignedTest, NothingButTheReceiptCounts) {
  const Bytes grant = new_grant();
  EXPECT_FALSE(ask(grant, {site_->name(), card::CardKind::kSignatureEmulated, {}}));
  EXPECT_EQ(site_->last_event().second, "not_proven");
  const auto evidence = prove(grant);
  ASSERT_TRUE(evidence);
  for (std::size_t bit = 0; bit < 128; ++bit) {
    Evidence bent = *evidence;
    bent.tag[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
    EXPECT_FALSE(ask(grant, bent)) << bit;
  }
  Evidence kind = *evidence;
  kind.kind = card::CardKind::kSignature;
  EXPECT_FALSE(ask(grant, kind));
  EXPECT_TRUE(ask(grant, *evidence));
}

TEST_F(GateSignedTest, EveryBitOfGrantAndSignatureCounts) {
  const Bytes grant = new_grant();
  const Bytes signature = card_.sign(grant);
  Gate& gate = site_->gate();
  for (std::size_t bit = 0; bit < grant.size() * 8; ++bit) {
    Bytes bent = grant;
    bent[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
    const auto result = gate.accept_signature(bent, signature);
    ASSERT_FALSE(result) << "bit " << bit << " of the grant";
    EXPECT_EQ(result.error().code, Code::kRefused);
  }
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Bytes bent = signature;
    bent[bit / 8] ^= static_cast<Byte>(1U << bit % 8);
    ASSERT_FALSE(gate.accept_signature(grant, bent)) << "bit " << bit << " of the signature";
  }
  expect_refused(gate.accept_signature(grant, {}), "wrong_signature");
  ASSERT_TRUE(gate.accept_signature(grant, signature)) << "none of that burnt anything";
  // Nor afterwards, when the grant is known.
  Bytes bent = signature;
  bent[9] ^= 1;
  expect_refused(gate.accept_signature(grant, bent), "unknown_nonce");
}

TEST_F(GateSignedTest, AnotherCardsSignatureIsNone) {
  const Card other(authority_, kIssuer);
  const Bytes grant = new_grant();
  expect_refused(site_->gate().accept_signature(grant, other.sign(grant)), "wrong_signature");
  Grant named = *parse_grant(grant);
  named.card = other.id();
  const Bytes theirs = *encode_grant(named);
  expect_refused(site_->gate().accept_signature(theirs, other.sign(theirs)), "unknown_card");
}

TEST_F(GateSignedTest, NoncesAndIndicesKeepReplaysOut) {
  const Bytes first = new_grant();
  const Bytes second = new_grant();
  ASSERT_TRUE(prove(first));
  expect_refused(prove(second), "index_used");
  Grant grant = *parse_grant(new_grant());
  grant.sites[0].nonce = parse_grant(first)->sites[0].nonce;
  expect_refused(prove(*encode_grant(grant)), "unknown_nonce");
  const Bytes late = new_grant();
  clock_.time_ms += 15 * 60'000;
  expect_refused(prove(late), "nonce_expired");
  grant = *parse_grant(new_grant());
  grant.sites[0].site = site_name("elsewhere");
  expect_refused(prove(*encode_grant(grant)), "not_this_site");
}

TEST_F(GateSignedTest, TheCertificateIsJudgedAtEachGrant) {
  using crypto::RevocationState;
  const std::vector<std::pair<RevocationState, std::string>> sayings = {
      {RevocationState::kRevoked, "certificate_revoked"},
      {RevocationState::kNoList, "no_revocation_list"},
      {RevocationState::kStaleList, "stale_revocation_list"},
      {RevocationState::kBadList, "bad_revocation_list"}};
  for (const auto& [saying, reason] : sayings) {
    state_ = saying;
    expect_refused(prove(new_grant()), reason);
    const auto refused = enrol(Card(authority_, kIssuer), id_of<Pseudonym>(9));
    ASSERT_FALSE(refused);
    EXPECT_EQ(site_->last_event().first, "enrolment_refused");
    EXPECT_EQ(site_->last_event().second, reason);
  }
  state_ = RevocationState::kGood;
  const Bytes grant = new_grant();
  ASSERT_TRUE(prove(grant));
  clock_.time_ms += 31LL * 86'400'000;
  expect_refused(prove(new_grant()), "certificate_expired");
}

TEST_F(GateSignedTest, MissingListsAreAcceptedOnlyWhereTheConfigurationSaysSo) {
  using crypto::RevocationState;
  site_.reset();
  site_ = std::make_unique<TestSite>("tommo", dir_, clock_, options(true));
  for (const auto saying : {RevocationState::kNoList, RevocationState::kStaleList}) {
    state_ = saying;
    ASSERT_TRUE(prove(new_grant()));
    const auto records = *site_->log().read(site_->log().head().sequence, 1);
    EXPECT_NE(
        std::ranges::find(records[0].fields, std::pair<std::string, std::string>(
                                                 "revocation", "accepted unseen: says the test")),
        records[0].fields.end());
  }
  state_ = RevocationState::kRevoked;
  expect_refused(prove(new_grant()), "certificate_revoked");
  state_ = RevocationState::kBadList;
  expect_refused(prove(new_grant()), "bad_revocation_list");
}

TEST_F(GateSignedTest, AnEnrolmentIsSignedNow) {
  const Card other(authority_, kIssuer);
  const Pseudonym person = id_of<Pseudonym>(0xB2);
  Gate& gate = site_->gate();
  const auto expect_reason = [&](const SignatureEnrolment& enrolment, const std::string& reason) {
    ASSERT_FALSE(gate.enrol_signature(enrolment));
    EXPECT_EQ(site_->last_event(),
              (std::pair<std::string, std::string>("enrolment_refused", reason)));
  };
  expect_reason(order(other, person, 16 * 60'000), "stale_statement");
  expect_reason(order(other, person, -16 * 60'000), "stale_statement");
  SignatureEnrolment bent = order(other, person);
  bent.signature[100] ^= 1;
  expect_reason(bent, "wrong_signature");
  bent = order(other, person);
  bent.signed_at.value += 1;
  expect_reason(bent, "wrong_signature");
  bent = order(other, person);
  bent.certificate = Card(authority_, kIssuer).certificate;
  expect_reason(bent, "wrong_signature");
  const auto strange = crypto::RsaKey::generate(2048);
  expect_reason(order(Card(strange, kIssuer), person), "untrusted_issuer");
  expect_reason(order(Card(strange, "STRANGER"), person), "untrusted_issuer");
  bent = order(other, person);
  bent.certificate.resize(40);
  expect_reason(bent, "damaged_certificate");
  EXPECT_TRUE(gate.enrol_signature(order(other, person, 14 * 60'000)));
}

TEST_F(GateSignedTest, OneCardOnePersonOnce) {
  EXPECT_TRUE(enrol(card_, person_)) << "an enrolment that broke off elsewhere";
  EXPECT_EQ(enrol(card_, id_of<Pseudonym>(9)).error().code, Code::kAlreadyExists);
  EXPECT_EQ(enrol(Card(authority_, kIssuer), person_).error().code, Code::kRefused)
      << "a second card of one person";
  ASSERT_TRUE(prove(new_grant()));
  EXPECT_EQ(enrol(card_, person_).error().code, Code::kAlreadyExists) << "it is in use";
  ASSERT_TRUE(site_->gate().revoke(card_.id()));
  EXPECT_EQ(enrol(card_, person_).error().code, Code::kRefused);
  EXPECT_FALSE(site_->gate().issue_nonce(card_.id()));
  EXPECT_FALSE(site_->gate().certificate_of(card_.id()));
  site_->restart();
  EXPECT_FALSE(site_->gate().issue_nonce(card_.id()));
}

TEST_F(GateSignedTest, OtherWaysToProveAreClosed) {
  const Bytes grant = new_grant();
  EXPECT_FALSE(site_->gate().begin_proof(grant));
  EXPECT_EQ(site_->last_event().second, "wrong_kind");
  EXPECT_FALSE(site_->gate().accept_proof(grant));
  EXPECT_FALSE(site_->gate().renew_token(grant, Bytes(16)));
  EXPECT_FALSE(site_->gate().top_up(grant, {}));
  EXPECT_FALSE(site_->gate().application_key(card_.id()));
  // And signatures for cards that do not sign.
  Enrolment one_time = enrolment();
  one_time.person = id_of<Pseudonym>(0xB9);
  ASSERT_TRUE(site_->gate().enrol(one_time));
  const auto challenge = *site_->gate().issue_nonce(enrolment().card);
  const Bytes theirs = *encode_grant(
      grant_for(site_->name(), challenge.nonce, challenge.lowest_index, clock_.now()));
  expect_refused(site_->gate().accept_signature(theirs, card_.sign(theirs)), "wrong_kind");
}

TEST_F(GateSignedTest, RecordsGoUnderAProvedGrantOfTheirOwner) {
  Gate& gate = site_->gate();
  const Bytes grant = new_grant(1);
  const ObjectId object = parse_grant(grant)->object;
  const Evidence none{site_->name(), card::CardKind::kSignatureEmulated, {}};
  const auto give = [&](const Evidence& evidence, const ObjectId& of, const Pseudonym& owner) {
    const Presented shown{grant, evidence};
    return gate.may_give_record({&shown, 1}, of, owner).has_value();
  };
  EXPECT_FALSE(give(none, object, person_));
  const Evidence evidence = *prove(grant);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(give(evidence, object, person_));
  EXPECT_FALSE(give(none, object, person_));
  EXPECT_FALSE(give(evidence, id_of<ObjectId>(7), person_));
  EXPECT_EQ(site_->last_event().second, "other_object");
  EXPECT_FALSE(give(evidence, object, id_of<Pseudonym>(9)));
  EXPECT_EQ(site_->last_event().second, "other_person");
  EXPECT_TRUE(ask(grant, evidence)) << "it took no use";
  ASSERT_TRUE(gate.withdraw(card_.id(), grant_id(grant), parse_grant(grant)->expiry));
  EXPECT_FALSE(give(evidence, object, person_));
  EXPECT_EQ(site_->last_event().second, "withdrawn");
}

TEST_F(GateSignedTest, AFullDiskProvesNothing) {
  const Bytes grant = new_grant();
  site_->files().broken = "/gate/";
  EXPECT_EQ(prove(grant).error().code, Code::kNoSpace);
  site_->files().broken.clear();
  const auto evidence = prove(grant);
  ASSERT_TRUE(evidence) << evidence.error().message;
  EXPECT_TRUE(ask(grant, *evidence));
}

TEST_F(GateSignedTest, WithoutTrustNothingIsBelieved) {
  const Bytes grant = new_grant();
  site_.reset();
  site_ = std::make_unique<TestSite>("tommo", dir_, clock_, GateOptions{});
  expect_refused(prove(grant), "untrusted_issuer");
  EXPECT_FALSE(enrol(Card(authority_, kIssuer), id_of<Pseudonym>(9)));
}

TEST(KeptEvidence, HasItsSignatureAndComesBack) {
  const auto site = [](std::string_view name, card::CardKind kind) {
    return Evidence{site_name(name), kind, {1, 2, 3}};
  };
  const KeptEvidence old{{site("a", card::CardKind::kDesfire), site("b", card::CardKind::kDesfire)},
                         std::nullopt};
  const Bytes bytes = encode_kept(old);
  EXPECT_EQ(bytes.size(), 2 * kEvidenceBytes);
  EXPECT_EQ(parse_kept(bytes)->sites, old.sites);
  const KeptEvidence fresh{{site("a", card::CardKind::kSignature)},
                           SignedGrant{Bytes(900, 1), Bytes(256, 2)}};
  const Bytes whole = encode_kept(fresh);
  const auto back = parse_kept(whole);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->sites, fresh.sites);
  EXPECT_EQ(back->signature, fresh.signature);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_kept(ByteView(whole).first(size))) << size;
  }
  Bytes foreign = bytes;
  foreign.insert(foreign.end(), whole.begin() + kEvidenceBytes, whole.end());
  EXPECT_FALSE(parse_kept(foreign)) << "a signature of a card that does not sign";
}

TEST(SignatureCardRecord, ComesBackAndKeepsItsCertificate) {
  CardRecord record;
  record.card = id_of<CardId>(1);
  record.person = id_of<Pseudonym>(2);
  record.kind = card::CardKind::kSignature;
  record.certificate = Bytes(1200, 7);
  const auto back = parse_record(encode_record(record));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->certificate, record.certificate);
  record.certificate.clear();
  EXPECT_FALSE(parse_record(encode_record(record))) << "it must have one";
  record.kind = card::CardKind::kOneTimeMac;
  record.certificate = {1};
  EXPECT_FALSE(parse_record(encode_record(record))) << "others must have none";
}

}  // namespace
}  // namespace warifu::consent
