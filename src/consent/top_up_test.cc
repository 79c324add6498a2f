// A top-up over two gates and an emulated card that is torn away at every APDU, and gates that
// crash at every write: the next touch works, and no index serves twice.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "card/card_test_support.h"
#include "consent/gate_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::consent {
namespace {

using card::test::TearingTransport;
using test::FakeClock;
using test::id_of;
using test::TestSite;

constexpr std::uint32_t kKeys = 6;
constexpr std::uint32_t kMore = 8;

class TopUpTest : public testing::Test {
 protected:
  void SetUp() override {
    GateOptions options;
    options.failures_allowed = 1'000'000;
    for (const char* name : {"lsa", "tommo"}) {
      sites_.push_back(std::make_unique<TestSite>(name, dir_, clock_, options));
    }
    emulated_ = *card::EmulatedCard::create(files_, dir_ + "/card");
    card::Personalisation content{.card = test::enrolment().card,
                                  .pin = secret::Buffer::copy_of(as_bytes(card::test::kPin)),
                                  .first_index = {1},
                                  .sites = {}};
    // Not in the order of a grant's sites.
    for (const std::size_t i : {1u, 0u}) {
      content.sites.push_back(*sites_[i]->gate().enrol(test::enrolment(kKeys)));
    }
    const auto session = *card::Session::open(*emulated_);
    auto client = *card::ConsentCard::select(*session);
    ASSERT_TRUE(client.personalise(content));
  }
  void TearDown() override {
    emulated_.reset();
    sites_.clear();
  }

  Grant grant_of(const card::CardIdentity& identity) {
    Grant grant = test::grant_for(sites_[0]->name(), {}, identity.keys.first, clock_.now());
    grant.uses = 1;
    grant.sites.clear();
    for (const auto& site : sites_) {
      grant.sites.push_back({site->name(), site->gate().issue_nonce(grant.card)->nonce});
    }
    return grant;
  }

  // As the terminal does it, through a reader that loses the card. Errors: torn, or a site failed.
  Result<> top_up(card::CardTransport& reader) {
    TRY_ASSIGN(const auto session, card::Session::open(reader));
    TRY_ASSIGN(auto client, card::ConsentCard::select(*session));
    TRY_ASSIGN(const card::CardIdentity identity, client.identity());
    TRY_ASSIGN(const auto order, client.list_sites());
    Grant grant = grant_of(identity);
    grant.object = {};
    grant.top_up = card::KeyRange{identity.keys.end(), kMore};
    const Bytes bytes = *encode_grant(grant);
    TRY(client.verify_pin(as_bytes(card::test::kPin)));
    TRY_ASSIGN(const auto tags, client.authorise(bytes));
    if (before_sites_) before_sites_();
    std::vector<card::SiteKeys> keys;
    for (const SiteName& name : order) {
      for (std::size_t i = 0; i < sites_.size(); ++i) {
        if (sites_[i]->name() != name) continue;
        TRY_ASSIGN(card::SiteKeys drawn, sites_[i]->gate().top_up(bytes, {name, kind_, tags[i]}));
        keys.push_back(std::move(drawn));
      }
    }
    return client.top_up(grant.top_up->first, keys);
  }

  // One consent, accepted by both gates; false: the card had no key left.
  bool consent() {
    const auto session = *card::Session::open(*emulated_);
    auto client = *card::ConsentCard::select(*session);
    const card::CardIdentity identity = *client.identity();
    if (identity.keys.count == 0) return false;
    EXPECT_TRUE(used_.insert(identity.keys.first.value).second) << "an index twice";
    const Grant grant = grant_of(identity);
    const Bytes bytes = *encode_grant(grant);
    EXPECT_TRUE(client.verify_pin(as_bytes(card::test::kPin)));
    const auto tags = client.authorise(bytes);
    EXPECT_TRUE(tags);
    for (std::size_t i = 0; tags && i < sites_.size(); ++i) {
      ReleaseRequest request = test::request_for(grant);
      const auto permit =
          sites_[i]->gate().request_release(bytes, {sites_[i]->name(), kind_, (*tags)[i]}, request);
      EXPECT_TRUE(permit) << permit.error().message;
    }
    return true;
  }
  std::uint32_t left() {
    const auto session = *card::Session::open(*emulated_);
    return (*card::ConsentCard::select(*session)).identity()->keys.count;
  }

  static constexpr card::CardKind kind_ = card::CardKind::kOneTimeMacEmulated;
  sim::TemporaryFolder dir_;
  FakeClock clock_;
  card::test::BreakableFiles files_;
  std::vector<std::unique_ptr<TestSite>> sites_;
  std::unique_ptr<card::EmulatedCard> emulated_;
  std::set<std::uint32_t> used_;
  std::function<void()> before_sites_;
};

TEST_F(TopUpTest, AllKeysThatItBringsAreGood) {
  ASSERT_TRUE(top_up(*emulated_));
  EXPECT_EQ(left(), kKeys - 1 + kMore);
  std::uint32_t consents = 0;
  while (consent()) ++consents;
  EXPECT_EQ(consents, kKeys - 1 + kMore);
}

TEST_F(TopUpTest, TornAfterEveryApduTheNextTouchWorks) {
  for (const auto tear :
       {TearingTransport::Tear::kBeforeCommand, TearingTransport::Tear::kAfterCommand}) {
    bool whole = false;
    for (int apdus = 0; !whole; ++apdus) {
      ASSERT_LT(apdus, 60);
      {
        TearingTransport reader(*emulated_, apdus, tear);
        whole = top_up(reader).has_value();
      }
      emulated_->reset();
      ASSERT_TRUE(consent()) << apdus;
      // What the sites drew for nothing gives way to the next one's keys.
      if (left() < 4) ASSERT_TRUE(top_up(*emulated_)) << apdus;
      while (left() > 2 * kMore) ASSERT_TRUE(consent());
    }
  }
  while (consent()) {
  }
}

TEST_F(TopUpTest, AGateThatFailsOrCrashesCostsOneConsentAtMost) {
  for (const char* broken : {".card", "audit.log"}) {
    for (const auto& site : sites_) {
      const std::uint32_t before = left();
      before_sites_ = [&] { site->files().broken = broken; };
      EXPECT_FALSE(top_up(*emulated_)) << broken;
      before_sites_ = nullptr;
      site->files().broken.clear();
      site->restart();
      ASSERT_EQ(left() + 1, before);
      ASSERT_TRUE(consent());
      ASSERT_TRUE(top_up(*emulated_)) << broken;
    }
  }
  while (consent()) {
  }
}

}  // namespace
}  // namespace warifu::consent
