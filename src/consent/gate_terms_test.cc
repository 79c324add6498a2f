// What a gate makes of who asks, for which use and for how much.
#include <gtest/gtest.h>

#include <functional>

#include "consent/gate_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::consent {
namespace {

using namespace test;

class GateTermsTest : public testing::Test {
 protected:
  void SetUp() override {
    site_ = std::make_unique<TestSite>("tommo", dir_, clock_);
    keys_ = *site_->gate().enrol(enrolment());
  }
  // A grant for biomedical research by a not-for-profit organisation on two regions.
  Grant narrow_grant() {
    const auto challenge = *site_->gate().issue_nonce(enrolment().card);
    Grant grant = grant_for(site_->name(), challenge.nonce, {next_index_++}, clock_.now());
    grant.purpose = Purpose::kResearch;
    grant.grantee = {GranteeKind::kOrganisation, "ToMMo", "ror:1"};
    grant.data_uses = {{DataUseCode::kHealthMedicalBiomedical, {}},
                       {DataUseCode::kNonProfitOrganisationOnly, {}}};
    grant.scope = {"GRCh38",
                   {{"chr13", 100, 200, "BRCA2"}, {"chr17", 100, 200, "BRCA1"}},
                   {{0, 1}, {7, 2}, {40, 1}}};
    return grant;
  }
  ReleaseRequest fitting(const Grant& grant) {
    ReleaseRequest request = request_for(grant);
    request.stated = {{StatementKind::kBiomedical, {}}, {StatementKind::kNonProfit, {}}};
    return request;
  }
  Result<Permit> ask(const Grant& grant, const ReleaseRequest& request) {
    const Bytes bytes = *encode_grant(grant);
    const Evidence evidence{site_->name(), card::CardKind::kOneTimeMacEmulated,
                            tag_for(keys_, grant.index.value - 1, bytes)};
    return site_->gate().request_release(bytes, evidence, request);
  }
  sim::TemporaryFolder dir_;
  FakeClock clock_;
  std::unique_ptr<TestSite> site_;
  card::SiteKeys keys_;
  std::uint32_t next_index_ = 1;
};

TEST_F(GateTermsTest, ARequestThatFitsGetsAPermitOfItsOwnScope) {
  const Grant grant = narrow_grant();
  ReleaseRequest request = fitting(grant);
  request.scope = {"GRCh38", {{"chr17", 150, 160, {}}}, {{8, 1}}};
  const auto permit = ask(grant, request);
  ASSERT_TRUE(permit) << permit.error().message;
  EXPECT_EQ(permit->scope(), request.scope);
  EXPECT_TRUE(permit->covers_chunk(8));
  EXPECT_FALSE(permit->covers_chunk(7));  // of the grant, but not asked for
  const auto records = *site_->log().read(site_->log().head().sequence, 1);
  const auto has = [&](const std::string& name, const std::string& value) {
    return std::ranges::find(records.at(0).fields, std::pair(name, value)) !=
           records[0].fields.end();
  };
  EXPECT_TRUE(has("grantee", "ToMMo") && has("grantee_kind", "organisation"));
  EXPECT_TRUE(has("grantee_id", "ror:1") && has("data_use", "HMB, NPU"));
  EXPECT_TRUE(has("stated_use", "biomedical, non-profit"));
  EXPECT_TRUE(has("scope", "GRCh38:chr17:150-160 [chunks 8]"));
}

TEST_F(GateTermsTest, WhoAsksForMoreOrAsAnotherIsRefusedAndBurnsNothing) {
  const std::pair<const char*, std::function<void(ReleaseRequest&)>> cases[] = {
      {"other_grantee", [](ReleaseRequest& r) { r.grantee = {}; }},
      {"other_grantee", [](ReleaseRequest& r) { r.grantee.kind = GranteeKind::kPerson; }},
      {"other_grantee", [](ReleaseRequest& r) { r.grantee.name = "tommo"; }},
      {"other_grantee", [](ReleaseRequest& r) { r.grantee.identifier = "ror:2"; }},
      {"other_use", [](ReleaseRequest& r) { r.stated.clear(); }},
      {"other_use", [](ReleaseRequest& r) { r.stated.pop_back(); }},
      {"other_use", [](ReleaseRequest& r) { r.stated[0] = {StatementKind::kAncestry, {}}; }},
      {"other_scope", [](ReleaseRequest& r) { r.scope = {}; }},
      {"other_scope", [](ReleaseRequest& r) { r.scope.assembly = "GRCh37"; }},
      {"other_scope", [](ReleaseRequest& r) { r.scope.regions[0].start = 99; }},
      {"other_scope", [](ReleaseRequest& r) { r.scope.regions[1].reference = "chr18"; }},
      {"other_scope", [](ReleaseRequest& r) { r.scope = {{}, {}, {{0, 1}}}; }},
      {"other_chunks", [](ReleaseRequest& r) { r.scope.chunks.clear(); }},
      {"other_chunks", [](ReleaseRequest& r) { r.scope.chunks = {{7, 3}}; }},
      {"other_chunks", [](ReleaseRequest& r) { r.scope.chunks = {{1, 1}}; }},
      {"other_chunks", [](ReleaseRequest& r) { r.scope.chunks = {{6, 2}}; }},
      {"other_chunks", [](ReleaseRequest& r) { r.scope.chunks = {{0, 41}}; }}};
  const Grant grant = narrow_grant();
  for (const auto& [reason, change] : cases) {
    ReleaseRequest request = fitting(grant);
    change(request);
    const auto permit = ask(grant, request);
    ASSERT_FALSE(permit) << reason;
    EXPECT_EQ(permit.error().code, Code::kRefused);
    EXPECT_EQ(site_->last_event(), std::pair(std::string("refused"), std::string(reason)));
  }
  EXPECT_EQ(*site_->gate().keys_left(grant.card), 20u);
  EXPECT_TRUE(ask(grant, fitting(grant)));
}

// A grant that was accepted once is held to the same terms at every later use.
TEST_F(GateTermsTest, ALaterUseIsHeldToTheSameTerms) {
  const Grant grant = narrow_grant();
  ASSERT_TRUE(ask(grant, fitting(grant)));
  ReleaseRequest whole = fitting(grant);
  whole.scope = {};
  EXPECT_FALSE(ask(grant, whole));
  EXPECT_EQ(site_->last_event().second, "other_scope");
  ReleaseRequest other = fitting(grant);
  other.grantee.name = "LSA";
  EXPECT_FALSE(ask(grant, other));
  EXPECT_EQ(site_->last_event().second, "other_grantee");
}

// The index and regions are two consents: neither gives what the other does.
TEST_F(GateTermsTest, AConsentToTheIndexIsForItsChunksAndNothingElse) {
  Grant grant = narrow_grant();
  grant.scope = {{}, {}, {{0, 2}}};
  ReleaseRequest request = fitting(grant);
  EXPECT_TRUE(ask(grant, request));
  request.scope.chunks = {{1, 2}};
  EXPECT_FALSE(ask(grant, request));
  EXPECT_EQ(site_->last_event().second, "other_chunks");
  request.scope = {"GRCh38", {{"chr17", 150, 160, {}}}, {{0, 1}}};
  EXPECT_FALSE(ask(grant, request));
  EXPECT_EQ(site_->last_event().second, "other_scope");
  request.scope = {};
  EXPECT_FALSE(ask(grant, request));
  EXPECT_EQ(site_->last_event().second, "other_scope");
}

// Every bit of a grant's chunk ranges is under the card's tag.
TEST_F(GateTermsTest, AFlippedBitInTheChunkRangesIsRefused) {
  const Grant grant = narrow_grant();
  const Bytes good = *encode_grant(grant);
  const std::size_t ranges = 3 * 8 + 1;
  for (std::size_t bit = (good.size() - ranges) * 8; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
    const Evidence evidence{site_->name(), card::CardKind::kOneTimeMacEmulated,
                            tag_for(keys_, grant.index.value - 1, good)};
    ReleaseRequest request = fitting(grant);
    request.scope.chunks = {{0, 1}};
    ASSERT_FALSE(site_->gate().request_release(bad, evidence, request)) << bit;
    const std::string reason = site_->last_event().second;
    EXPECT_TRUE(reason == "wrong_tag" || reason == "malformed" || reason == "held_back") << reason;
  }
  clock_.time_ms += 61'000;  // so long the card is held back
  EXPECT_TRUE(ask(grant, fitting(grant)));
}

TEST_F(GateTermsTest, AGrantOfAnEarlierVersionIsRefusedByName) {
  const Grant grant = narrow_grant();
  Bytes bytes = *encode_grant(grant);
  bytes[3] = '2';
  bytes[4] = 2;
  const Evidence evidence{site_->name(), card::CardKind::kOneTimeMacEmulated,
                          tag_for(keys_, grant.index.value - 1, bytes)};
  const auto permit = site_->gate().request_release(bytes, evidence, fitting(grant));
  ASSERT_FALSE(permit);
  EXPECT_NE(permit.error().message.find("version 2"), std::string::npos);
  EXPECT_EQ(site_->last_event().second, "malformed");
}

// A gate of an earlier version goes on: what it had accepted is dropped, what it has burnt stays.
TEST_F(GateTermsTest, ARecordOfVersion3KeepsWhatIsBurntAndDropsOldGrants) {
  CardRecord record;
  record.card = enrolment().card;
  record.person = enrolment().person;
  record.last_used = {7};
  record.grants.push_back({.grant = Bytes(192, 1), .tag = {}, .uses_left = 1, .taken = {}});
  Bytes bytes = encode_record(record);
  bytes[4] = 3;
  bytes.resize(bytes.size() - 4 - 4);  // without checksum and certificate
  wire::Writer writer;
  writer.raw(bytes);
  writer.checksum();
  const auto old = parse_record(writer.bytes());
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->last_used.value, 7u);
  EXPECT_TRUE(old->grants.empty());
  EXPECT_FALSE(parse_record(encode_record(record)));  // of this version: not canonical
}

// What share control asks before it writes a consent down.
TEST_F(GateTermsTest, WhetherItWouldReleaseIsJudgedAndBurnsNothing) {
  const Grant grant = narrow_grant();
  const Bytes bytes = *encode_grant(grant);
  const Evidence good{site_->name(), card::CardKind::kOneTimeMacEmulated,
                      tag_for(keys_, grant.index.value - 1, bytes)};
  for (int i = 0; i < 3; ++i) {
    const auto judged = site_->gate().would_release({bytes, good}, enrolment().person);
    ASSERT_TRUE(judged) << judged.error().message;
  }
  EXPECT_EQ(*site_->gate().keys_left(grant.card), 20u);
  EXPECT_EQ(site_->gate().would_release({bytes, good}, id_of<Pseudonym>(9)).error().reason,
            Reason::kOtherPerson);
  // Once it was used up, it would release no more.
  ReleaseRequest request = fitting(grant);
  for (const Byte session : {Byte{1}, Byte{2}}) {
    request.session = id_of<JobId>(session);
    request.use = session;
    ASSERT_TRUE(ask(grant, request));
  }
  EXPECT_EQ(site_->gate().would_release({bytes, good}, enrolment().person).error().reason,
            Reason::kUsedUp);
}

TEST_F(GateTermsTest, AProofThatIsNoneIsRefusedLoggedAndCounted) {
  const Grant grant = narrow_grant();
  const Bytes bytes = *encode_grant(grant);
  const Evidence wrong{site_->name(), card::CardKind::kOneTimeMacEmulated, {}};
  Reason reason = Reason::kNone;
  for (std::size_t i = 0; i <= GateOptions().failures_allowed; ++i) {
    const auto judged = site_->gate().would_release({bytes, wrong}, enrolment().person);
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().code, Code::kRefused);
    reason = judged.error().reason;
    EXPECT_EQ(site_->last_event(),
              std::pair(std::string("refused"), std::string(reason_name(reason))));
    EXPECT_TRUE(i > 0 || reason == Reason::kWrongTag);
  }
  EXPECT_EQ(reason, Reason::kHeldBack);
}

}  // namespace
}  // namespace warifu::consent
