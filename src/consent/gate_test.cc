// The gate: every reason to refuse, replay, uses, sessions, time, and the whole way with a card.
#include "consent/gate.h"

#include <gtest/gtest.h>

#include <functional>

#include "card/consent_profile.h"
#include "card/emulator.h"
#include "consent/gate_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::consent {
namespace {

using namespace test;

class GateTest : public testing::Test {
 protected:
  void SetUp() override {
    GateOptions options;
    options.failures_allowed = 1'000'000;
    site_ = std::make_unique<TestSite>("tommo", dir_, clock_, options);
    keys_ = *site_->gate().enrol(enrolment());
  }
  // A fresh challenge and the grant the card would be asked to tag.
  Grant new_grant(std::uint32_t index = 1) {
    const auto challenge = *site_->gate().issue_nonce(enrolment().card);
    return grant_for(site_->name(), challenge.nonce, {index}, clock_.now());
  }
  Evidence evidence_for(ByteView grant, std::uint32_t index = 1) {
    return {site_->name(), card::CardKind::kOneTimeMacEmulated, tag_for(keys_, index - 1, grant)};
  }
  Result<Permit> ask(const Grant& grant, Byte session = 1) {
    const Bytes bytes = *encode_grant(grant);
    return site_->gate().request_release(bytes, evidence_for(bytes, grant.index.value),
                                         request_for(grant, session));
  }
  // An act of the person's for one site.
  Grant act(std::uint32_t index, card::KeyRange keys) {
    Grant grant = new_grant(index);
    grant.uses = 1;
    grant.object = {};
    grant.top_up = keys;
    return grant;
  }
  Result<card::SiteKeys> top_up(std::uint32_t index, card::KeyRange keys) {
    const Bytes bytes = *encode_grant(act(index, keys));
    return site_->gate().top_up(bytes, evidence_for(bytes, index));
  }

  sim::TemporaryFolder dir_;
  FakeClock clock_;
  std::unique_ptr<TestSite> site_;
  card::SiteKeys keys_;
};

TEST_F(GateTest, KeysAreHandedOutForTheCardsProofAndOnce) {
  Gate& gate = site_->gate();
  const Bytes bytes = *encode_grant(act(1, {{21}, 5}));
  const Evidence good = evidence_for(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 7) {
    Bytes bad = bytes;
    bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(gate.top_up(bad, good)) << bit;
  }
  Evidence wrong = good;
  wrong.tag[0] ^= 1;
  EXPECT_FALSE(gate.top_up(bytes, wrong));
  EXPECT_EQ(site_->last_event().second, "wrong_tag");
  EXPECT_FALSE(gate.take_act(bytes, good)) << "it names no proxy";
  EXPECT_FALSE(gate.request_release(bytes, good, request_for(*parse_grant(bytes))));
  EXPECT_EQ(site_->last_event().second, "other_act");
  EXPECT_EQ(*gate.keys_left(enrolment().card), 20u);
  ASSERT_TRUE(gate.top_up(bytes, good));
  EXPECT_EQ(site_->last_event().first, "card_topped_up");
  EXPECT_EQ(*gate.keys_left(enrolment().card), 19u + 5u);
  EXPECT_FALSE(gate.top_up(bytes, good)) << "whoever kept the proof gets no keys for it";
  EXPECT_EQ(site_->last_event().second, "used_up");
  site_->restart();
  EXPECT_FALSE(site_->gate().top_up(bytes, good));
  // A consent proves no top-up.
  const Bytes use = *encode_grant(new_grant(2));
  EXPECT_FALSE(site_->gate().top_up(use, evidence_for(use, 2)));
  EXPECT_EQ(site_->last_event().second, "other_act");
  // More than a card takes: refused, and nothing is burnt by it.
  EXPECT_EQ(top_up(2, {{26}, 1999}).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(ask(new_grant(2)));
}

TEST_F(GateTest, AGoodGrantBecomesAPermit) {
  const Grant grant = new_grant();
  const auto permit = ask(grant);
  ASSERT_TRUE(permit) << permit.error().message;
  EXPECT_EQ(permit->grant(), grant_id(*encode_grant(grant)));
  EXPECT_EQ(permit->object(), grant.object);
  EXPECT_EQ(permit->destination(), grant.destination);
  EXPECT_EQ(permit->session(), id_of<JobId>(1));
  EXPECT_EQ(permit->expiry(), grant.expiry);
  EXPECT_FALSE(permit->bar(grant.object, grant.destination, clock_.now()));
  EXPECT_TRUE(permit->bar(grant.object, grant.destination, grant.expiry));
  EXPECT_TRUE(permit->bar(grant.object, site_->name(), clock_.now()));
  EXPECT_EQ(site_->last_event(), std::pair(std::string("release"), std::string("accept")));
  EXPECT_EQ(*site_->gate().keys_left(grant.card), 19u);
}

TEST_F(GateTest, AUseHasANumberAndGoesToOneSession) {
  const Grant grant = new_grant();  // two uses
  const Bytes bytes = *encode_grant(grant);
  const auto ask_for = [&](std::uint16_t use, Byte session) {
    ReleaseRequest request = request_for(grant, session);
    request.use = use;
    return site_->gate().request_release(bytes, evidence_for(bytes), request).has_value();
  };
  EXPECT_FALSE(ask_for(0, 1));
  EXPECT_FALSE(ask_for(3, 1));
  EXPECT_EQ(*site_->gate().keys_left(grant.card), 20u) << "a refusal burns nothing";
  EXPECT_TRUE(ask_for(2, 1));
  EXPECT_FALSE(ask_for(2, 2)) << "another session has it";
  EXPECT_EQ(site_->last_event(), std::pair(std::string("refused"), std::string("used_up")));
  site_->restart();
  EXPECT_FALSE(ask_for(2, 2));
  EXPECT_TRUE(ask_for(1, 1)) << "a session that has a use goes on";
  EXPECT_TRUE(ask_for(1, 2)) << "and has taken no other";
  EXPECT_FALSE(ask_for(1, 3));
}

// Three gates, any two of which would restore: two uses are two restores, whoever is asked.
TEST_F(GateTest, TwoUsesOfThreeSitesAreNotThree) {
  std::vector<std::unique_ptr<TestSite>> sites;
  std::vector<card::SiteKeys> keys;
  Grant grant = new_grant();
  grant.sites.clear();
  for (const char* name : {"cloud1", "cloud2", "lsa"}) {
    sites.push_back(std::make_unique<TestSite>(name, dir_, clock_));
    keys.push_back(*sites.back()->gate().enrol(enrolment()));
    grant.sites.push_back(
        {sites.back()->name(), sites.back()->gate().issue_nonce(grant.card)->nonce});
  }
  const Bytes bytes = *encode_grant(grant);
  const auto gives = [&](std::size_t at, std::uint16_t use, Byte session) {
    ReleaseRequest request = request_for(grant, session);
    request.use = use;
    const Evidence evidence{sites[at]->name(), card::CardKind::kOneTimeMacEmulated,
                            tag_for(keys[at], 0, bytes)};
    return sites[at]->gate().request_release(bytes, evidence, request).has_value();
  };
  EXPECT_TRUE(gives(0, 1, 1) && gives(1, 1, 1));
  EXPECT_TRUE(gives(1, 2, 2) && gives(2, 2, 2));
  for (const std::uint16_t use : {1, 2}) {
    EXPECT_FALSE(gives(0, use, 3) && gives(2, use, 3)) << use;
  }
}

// One refusal: what is changed, before and after the card has tagged the grant.
struct Refused {
  Reason reason;
  std::function<void(Grant&)> before_tag;
  std::function<void(GateTest&, Bytes&, Evidence&, ReleaseRequest&, FakeClock&, Gate&)> after_tag;
};

TEST_F(GateTest, EveryReasonToRefuse) {
  const auto nothing = [](Grant&) {};
  const auto as_it_is = [](auto&&...) {};
  const Refused cases[] = {
      {Reason::kMalformed, nothing, [](auto&, Bytes& b, auto&...) { b.pop_back(); }},
      {Reason::kMalformed, nothing, [](auto&, Bytes& b, auto&...) { b.clear(); }},
      {Reason::kNotThisSite, [](Grant& g) { g.sites[0].site = site_name("lsa"); }, as_it_is},
      {Reason::kNotThisSite, nothing,
       [](auto&, Bytes&, Evidence& e, auto&...) { e.site = site_name("lsa"); }},
      {Reason::kUnknownCard, [](Grant& g) { g.card.bytes[0] ^= 1; }, as_it_is},
      {Reason::kWrongKind, nothing,
       [](auto&, Bytes&, Evidence& e, auto&...) { e.kind = card::CardKind::kOneTimeMac; }},
      {Reason::kUnknownNonce, [](Grant& g) { g.sites[0].nonce.bytes[15] ^= 1; }, as_it_is},
      {Reason::kNonceExpired, nothing,
       [](auto&, Bytes&, Evidence&, ReleaseRequest&, FakeClock& clock, Gate&) {
         clock.time_ms += 15 * 60 * 1000;
       }},
      {Reason::kNonceExpired, nothing,
       [](auto&, Bytes&, Evidence&, ReleaseRequest&, FakeClock& clock, Gate&) {
         clock.time_ms -= 1;
       }},
      {Reason::kNoKey, [](Grant& g) { g.index = {21}; }, as_it_is},
      {Reason::kWrongTag, nothing, [](auto&, Bytes&, Evidence& e, auto&...) { e.tag[7] ^= 4; }},
      {Reason::kOtherObject, nothing,
       [](auto&, Bytes&, Evidence&, ReleaseRequest& r, auto&...) { r.object.bytes[0] ^= 1; }},
      {Reason::kOtherPerson, nothing,
       [](auto&, Bytes&, Evidence&, ReleaseRequest& r, auto&...) { r.owner.bytes[0] ^= 1; }},
      {Reason::kOtherDestination, nothing,
       [](auto&, Bytes&, Evidence&, ReleaseRequest& r, auto&...) {
         r.destination = site_name("cloud1");
       }},
      {Reason::kOtherPurpose, nothing,
       [](auto&, Bytes&, Evidence&, ReleaseRequest& r, auto&...) {
         r.purpose = Purpose::kResearch;
       }},
      {Reason::kOtherGrantee, nothing,
       [](auto&, Bytes&, Evidence&, ReleaseRequest& r, auto&...) { r.grantee.name = "Dr. Ito"; }},
      {Reason::kOtherUse,
       [](Grant& g) { g.data_uses = {{DataUseCode::kEthicsApprovalRequired, {}}}; }, as_it_is},
      {Reason::kOtherScope, [](Grant& g) { g.scope = {"g", {{"c", 1, 2, {}}}, {{0, 1}}}; },
       [](auto&, Bytes&, Evidence&, ReleaseRequest& r, auto&...) { r.scope = {}; }},
      {Reason::kOtherChunks, [](Grant& g) { g.scope = {"g", {{"c", 1, 2, {}}}, {{0, 1}}}; },
       [](auto&, Bytes&, Evidence&, ReleaseRequest& r, auto&...) { r.scope.chunks = {{1, 1}}; }},
      {Reason::kNotYet, [](Grant& g) { g.not_before.value += 60'001; }, as_it_is},
      {Reason::kExpired, [](Grant& g) { g.expiry.value = g.not_before.value + 60'000; }, as_it_is},
      {Reason::kRevoked, nothing,
       [](auto&, Bytes&, Evidence&, ReleaseRequest&, FakeClock&, Gate& gate) {
         EXPECT_TRUE(gate.revoke(enrolment().card));
       }}};
  for (const Refused& one : cases) {
    const std::string name(reason_name(one.reason));
    Grant grant = new_grant();
    one.before_tag(grant);
    Bytes bytes = *encode_grant(grant);
    Evidence evidence = evidence_for(bytes, std::min(grant.index.value, 20u));
    ReleaseRequest request = request_for(grant);
    const std::int64_t time = clock_.time_ms;
    one.after_tag(*this, bytes, evidence, request, clock_, site_->gate());
    const auto permit = site_->gate().request_release(bytes, evidence, request);
    ASSERT_FALSE(permit) << name;
    EXPECT_EQ(permit.error().code, Code::kRefused) << name;
    EXPECT_TRUE(permit.error().message.starts_with("site tommo refuses: ")) << name;
    EXPECT_EQ(site_->last_event(), std::pair(std::string("refused"), name));
    clock_.time_ms = time;
    if (one.reason == Reason::kRevoked) continue;
    // Nothing was burnt: a good grant with the same index still passes the gate's checks.
    EXPECT_EQ(*site_->gate().keys_left(enrolment().card), 20u) << name;
  }
}

TEST_F(GateTest, AReplayOrACopiedCardIsRefusedByItsIndex) {
  const Grant grant = new_grant(3);
  ASSERT_TRUE(ask(grant));
  EXPECT_EQ(*site_->gate().keys_left(grant.card), 17u);  // keys of skipped indices are gone too
  for (const std::uint32_t index : {1u, 2u, 3u}) {
    const Grant again = new_grant(index);  // a good tag of a card with the same keys
    const auto permit = ask(again);
    ASSERT_FALSE(permit);
    EXPECT_NE(permit.error().message.find("copy of the card"), std::string::npos);
    EXPECT_EQ(site_->last_event().second, "index_used");
  }
  EXPECT_TRUE(ask(new_grant(4)));
}

TEST_F(GateTest, ANonceServesOneGrant) {
  Grant grant = new_grant(1);
  ASSERT_TRUE(ask(grant));
  grant.index = {2};  // a good card, a fresh index, the old nonce
  EXPECT_FALSE(ask(grant));
  EXPECT_EQ(site_->last_event().second, "unknown_nonce");
}

TEST_F(GateTest, OnlyTheNewestNoncesOfACardStayAlive) {
  const Grant oldest = new_grant(1);
  for (std::size_t i = 0; i < kMaxNonces; ++i) (void)new_grant(1);
  EXPECT_FALSE(ask(oldest));
  EXPECT_EQ(site_->last_event().second, "unknown_nonce");
}

TEST_F(GateTest, SessionsResumeAndUsesRunOut) {
  const Grant grant = new_grant();  // two uses
  ASSERT_TRUE(ask(grant, 1));
  ASSERT_TRUE(ask(grant, 1));
  EXPECT_EQ(site_->last_event().second, "resume");
  ASSERT_TRUE(ask(grant, 2));
  EXPECT_EQ(site_->last_event().second, "new_session");
  const auto third = ask(grant, 3);
  ASSERT_FALSE(third);
  EXPECT_NE(third.error().message.find("used up"), std::string::npos);
  EXPECT_EQ(site_->last_event().second, "used_up");
  EXPECT_TRUE(ask(grant, 2));
  EXPECT_TRUE(ask(grant, 1));
  // Long after the nonce, still the same grant; not after its expiry.
  clock_.time_ms = grant.expiry.value - 1;
  EXPECT_TRUE(ask(grant, 1));
  clock_.time_ms = grant.expiry.value;
  EXPECT_FALSE(ask(grant, 1));
  EXPECT_EQ(site_->last_event().second, "expired");
  // Days later it is forgotten and refused all the same, also when the clock is set back.
  clock_.time_ms += 3 * 24 * 3600 * 1000LL;
  (void)new_grant(9);
  EXPECT_FALSE(ask(grant, 1));
  clock_.time_ms = grant.not_before.value + 1;
  EXPECT_FALSE(ask(grant, 1));
}

TEST_F(GateTest, AnAcceptedGrantIsPresentedAgainOnlyAsItWas) {
  const Grant grant = new_grant();
  const Bytes bytes = *encode_grant(grant);
  const Evidence evidence = evidence_for(bytes);
  Gate& gate = site_->gate();
  ASSERT_TRUE(gate.request_release(bytes, evidence, request_for(grant)));
  Evidence other = evidence;
  other.tag[3] ^= 1;
  EXPECT_FALSE(gate.request_release(bytes, other, request_for(grant)));
  EXPECT_EQ(site_->last_event().second, "wrong_tag");
  ReleaseRequest elsewhere = request_for(grant);
  elsewhere.destination = site_name("cloud2");
  EXPECT_FALSE(gate.request_release(bytes, evidence, elsewhere));
  EXPECT_EQ(site_->last_event().second, "other_destination");
  Grant more_uses = grant;
  more_uses.uses = 900;
  const Bytes changed = *encode_grant(more_uses);
  EXPECT_FALSE(gate.request_release(changed, evidence, request_for(grant, 5)));
  ASSERT_TRUE(gate.revoke(grant.card));
  EXPECT_FALSE(gate.request_release(bytes, evidence, request_for(grant)));
  EXPECT_EQ(site_->last_event().second, "revoked");
}

TEST_F(GateTest, EveryFlippedBitOfGrantAndEvidenceIsRefused) {
  const Grant grant = new_grant();
  const Bytes good = *encode_grant(grant);
  const Evidence evidence = evidence_for(good);
  const Bytes proof = encode_evidence(evidence);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_FALSE(site_->gate().request_release(bad, evidence, request_for(grant))) << bit;
  }
  for (std::size_t bit = 0; bit < proof.size() * 8; ++bit) {
    Bytes bad = proof;
    bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
    const auto parsed = parse_evidence(bad);
    if (!parsed) continue;
    ASSERT_FALSE(site_->gate().request_release(good, *parsed, request_for(grant))) << bit;
  }
  EXPECT_TRUE(site_->gate().request_release(good, evidence, request_for(grant)));
}

TEST_F(GateTest, ASecondCardForTheSamePersonIsRefused) {
  Enrolment second = enrolment();
  second.card = id_of<CardId>(77);
  const auto refused = site_->gate().enrol(second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  // After the first one is on the hot list, a new card may take its place.
  ASSERT_TRUE(site_->gate().revoke(enrolment().card));
  clock_.time_ms += std::chrono::milliseconds(std::chrono::hours(48)).count();
  ASSERT_TRUE(site_->gate().allow_reissue(enrolment().card, {clock_.time_ms + 1000}));
  EXPECT_TRUE(site_->gate().enrol(second));
}

TEST_F(GateTest, EnrolmentTopUpAndHotList) {
  Gate& gate = site_->gate();
  EXPECT_EQ(gate.enrol(enrolment()).error().code, Code::kAlreadyExists);
  EXPECT_EQ(gate.issue_nonce(id_of<CardId>(9)).error().code, Code::kNotFound);
  EXPECT_EQ(gate.issue_nonce(enrolment().card)->lowest_index.value, 1u);
  ASSERT_EQ(gate.enrolled({}, 5).size(), 1u);
  EXPECT_EQ(gate.enrolled({}, 5)[0], std::pair(enrolment().card, enrolment().person));
  EXPECT_TRUE(gate.enrolled(enrolment().card, 5).empty());
  ASSERT_TRUE(ask(new_grant(2)));
  EXPECT_EQ(gate.issue_nonce(enrolment().card)->lowest_index.value, 3u);
  // A first top-up that never reached the card is replaced by the second.
  ASSERT_TRUE(top_up(3, {{21}, 5}));
  const auto more = *top_up(4, {{21}, 8});
  EXPECT_EQ(more.count(), 8u);
  EXPECT_EQ(*gate.keys_left(enrolment().card), 16u + 8u);
  const Grant grant = new_grant(21);
  const Bytes bytes = *encode_grant(grant);
  const Evidence evidence{site_->name(), card::CardKind::kOneTimeMacEmulated,
                          tag_for(more, 0, bytes)};
  EXPECT_TRUE(gate.request_release(bytes, evidence, request_for(grant)));
  // A card that was never here can be put on the hot list, and then is not enrolled any more.
  const CardId lost = id_of<CardId>(0x77);
  ASSERT_TRUE(gate.revoke(lost));
  ASSERT_TRUE(gate.revoke(lost));
  ASSERT_TRUE(gate.revoke(enrolment().card));
  EXPECT_EQ(*gate.keys_left(enrolment().card), 0u);
  EXPECT_TRUE(gate.enrolled({}, 5).empty());
  Enrolment again = enrolment();
  again.card = lost;
  EXPECT_EQ(gate.enrol(again).error().code, Code::kRefused);
}

// Who was shown a grant, another site that was asked under it, cannot stop the person's restores.
TEST_F(GateTest, WrongTagsOfAGrantThatWasAcceptedHoldNobodyBack) {
  site_.reset();
  site_ = std::make_unique<TestSite>("lsa", dir_, clock_);
  keys_ = *site_->gate().enrol(enrolment());
  const Grant grant = new_grant();
  ASSERT_TRUE(ask(grant));
  const Bytes bytes = *encode_grant(grant);
  Evidence wrong = evidence_for(bytes);
  wrong.tag[0] ^= 1;
  for (int i = 0; i < 30; ++i) {
    EXPECT_FALSE(site_->gate().request_release(bytes, wrong, request_for(grant)));
    EXPECT_EQ(site_->last_event().second, "wrong_tag");
  }
  EXPECT_TRUE(ask(grant));
  EXPECT_TRUE(ask(new_grant(2)));
}

TEST_F(GateTest, TooManyWrongTagsHoldACardBackForAMinute) {
  site_.reset();
  site_ = std::make_unique<TestSite>("lsa", dir_, clock_);
  keys_ = *site_->gate().enrol(enrolment());
  const Grant grant = new_grant();
  const Bytes bytes = *encode_grant(grant);
  Evidence wrong = evidence_for(bytes);
  wrong.tag[0] ^= 1;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(site_->gate().request_release(bytes, wrong, request_for(grant)));
    EXPECT_EQ(site_->last_event().second, "wrong_tag");
    clock_.time_ms += 1000;
  }
  EXPECT_FALSE(ask(grant));
  EXPECT_EQ(site_->last_event().second, "held_back");
  clock_.time_ms += 59'000;
  EXPECT_TRUE(ask(grant));  // and nothing was burnt by the wrong ones
}

TEST_F(GateTest, TheWholeWayWithAnEmulatedCardAndTwoSites) {
  TestSite lsa("lsa", dir_, clock_);
  const auto emulated = *card::EmulatedCard::create(os::real_files(), dir_ + "/card");
  const auto session = *card::Session::open(*emulated);
  auto client = *card::ConsentCard::select(*session);
  card::Personalisation content{
      id_of<CardId>(0xD1), secret::Buffer::copy_of(as_bytes("2718")), {1}, {}};
  for (TestSite* site : {&lsa, site_.get()}) {
    // The person gets another card.
    const bool had_one = site->gate().revoke(enrolment().card).has_value() && site == site_.get();
    clock_.time_ms += std::chrono::milliseconds(std::chrono::hours(48)).count();
    if (had_one) {
      ASSERT_TRUE(site->gate().allow_reissue(enrolment().card, {clock_.time_ms + 1000}));
    }
    content.sites.push_back(*site->gate().enrol(
        {content.card, id_of<Pseudonym>(0xB1), card::CardKind::kOneTimeMacEmulated, {{1}, 5}}));
  }
  ASSERT_TRUE(client.personalise(content));
  const auto identity = *client.identity();
  Grant grant = grant_for(lsa.name(), lsa.gate().issue_nonce(identity.card)->nonce,
                          identity.keys.first, clock_.now());
  grant.card = identity.card;
  grant.sites.push_back({site_->name(), site_->gate().issue_nonce(identity.card)->nonce});
  grant.text_digest = text_digest(consent_text(grant, {"佐藤花子", "全ゲノム"}));
  const Bytes bytes = *encode_grant(grant);
  ASSERT_TRUE(client.verify_pin(as_bytes("2718")));
  const auto tags = *client.authorise(bytes);
  const Evidence first{lsa.name(), identity.kind(), tags[0]};
  const Evidence second{site_->name(), identity.kind(), tags[1]};
  EXPECT_TRUE(lsa.gate().request_release(bytes, first, request_for(grant)));
  // One site's tag is worth nothing at another.
  EXPECT_FALSE(site_->gate().request_release(bytes, {site_->name(), identity.kind(), tags[0]},
                                             request_for(grant)));
  EXPECT_TRUE(site_->gate().request_release(bytes, second, request_for(grant)));
}

}  // namespace
}  // namespace warifu::consent
