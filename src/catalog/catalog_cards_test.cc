// Withdrawals, revoked cards, who has still to be told, records in safekeeping.
#include <gtest/gtest.h>

#include "catalog/catalog_test_support.h"

namespace warifu::catalog {
namespace {

class CardsTest : public testing::Test, protected CatalogHome {
 protected:
  const std::vector<SiteName> sites_ = {site_of("tommo"), site_of("lsa"), site_of("tuh")};

  Grant add_grant(Byte number) {
    Grant grant;
    grant.grant = id_of<GrantId>(number);
    grant.object = kObject;
    grant.person_id = "P-000123";
    grant.grant_bytes = Bytes(300, 0);
    grant.evidence = {0, 1, 0};
    grant.created = {100};
    grant.expiry = {200};
    grant.sealed_secret = {9, 9};
    WARIFU_CHECK(catalog_->add_grant(grant).has_value());
    return grant;
  }
  RevokedCard revoked() { return {sample_person().card, "P-000123", {1'795'000'002'000}, "lost"}; }
};

TEST_F(CardsTest, AWithdrawnGrantIsToldToEverySiteOnce) {
  store_and_cut();
  const Grant grant = add_grant(1);
  const CardId card = sample_person().card;
  ASSERT_TRUE(catalog_->withdraw_grant(grant.grant, card, sites_, {150}));
  ASSERT_TRUE(catalog_->withdraw_grant(grant.grant, card, sites_, {160}));
  reopen();
  EXPECT_EQ(catalog_->grant(grant.grant)->state, GrantState::kWithdrawn);
  EXPECT_TRUE(catalog_->grant(grant.grant)->sealed_secret.empty());
  auto orders = *catalog_->card_orders();
  ASSERT_EQ(orders.size(), 3u);
  EXPECT_EQ(orders[1].site, site_of("lsa"));
  EXPECT_EQ(orders[1].kind, CardOrderKind::kWithdraw);
  EXPECT_EQ(orders[1].card, card);
  EXPECT_EQ(orders[1].grant, grant.grant);
  EXPECT_EQ(orders[1].expiry, grant.expiry);
  EXPECT_EQ(orders[1].created.value, 150);
  ASSERT_TRUE(catalog_->finish_card_order(orders[1].number));
  ASSERT_TRUE(catalog_->finish_card_order(orders[1].number));
  orders = *catalog_->card_orders();
  ASSERT_EQ(orders.size(), 2u);
  EXPECT_EQ(orders[1].site, site_of("tuh"));
}

TEST_F(CardsTest, OrdersAboutAPersonWaitUntilEachSiteHasConfirmed) {
  store_and_cut();
  std::vector<PersonOrder> orders;
  for (const SiteName& site : sites_) {
    orders.push_back({.person_id = "P-000123",
                      .method = 85,
                      .body = {1, 2, static_cast<Byte>(orders.size())},
                      .site = site,
                      .created = {150}});
  }
  ASSERT_TRUE(catalog_->add_person_orders(orders));
  reopen();
  auto left = *catalog_->person_orders();
  ASSERT_EQ(left.size(), 3u);
  for (std::size_t i = 0; i < left.size(); ++i) {
    PersonOrder told = left[i];
    told.number = 0;
    EXPECT_EQ(told, orders[i]);
  }
  ASSERT_TRUE(catalog_->finish_person_order(left[1].number));
  ASSERT_TRUE(catalog_->finish_person_order(left[1].number));
  left = *catalog_->person_orders();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[1].site, site_of("tuh"));
  // All or none: the second is about nobody.
  orders[1].person_id = "P-none";
  EXPECT_TRUE(is_error(catalog_->add_person_orders(orders), Code::kNotFound, "P-none"));
  orders[1] = orders[0];
  orders[1].body.clear();
  EXPECT_TRUE(is_error(catalog_->add_person_orders(orders), Code::kInvalidArgument, "request"));
  EXPECT_EQ(catalog_->person_orders()->size(), 2u);
}

TEST_F(CardsTest, OnlyAnOpenGrantIsWithdrawn) {
  store_and_cut();
  const Grant grant = add_grant(1);
  const CardId card = sample_person().card;
  EXPECT_TRUE(is_error(catalog_->withdraw_grant(id_of<GrantId>(7), card, sites_, {1}),
                       Code::kNotFound, "not known"));
  EXPECT_TRUE(is_error(catalog_->withdraw_grant(grant.grant, card, {}, {1}), Code::kInvalidArgument,
                       "needs a site"));
  EXPECT_EQ(catalog_->grant(grant.grant)->state, GrantState::kGiven);  // all or nothing
  ASSERT_TRUE(catalog_->set_grant_state(grant.grant, GrantState::kExpired));
  EXPECT_TRUE(is_error(catalog_->withdraw_grant(grant.grant, card, sites_, {1}),
                       Code::kInvalidArgument, "is expired"));
  EXPECT_TRUE(catalog_->card_orders()->empty());
}

TEST_F(CardsTest, ARevokedCardTakesItsConsentsWithIt) {
  store_and_cut();
  const Grant open = add_grant(1), used = add_grant(2);
  ASSERT_TRUE(catalog_->set_grant_state(used.grant, GrantState::kUsedUp));
  ASSERT_TRUE(catalog_->revoke_card(revoked(), sites_));
  ASSERT_TRUE(catalog_->revoke_card(revoked(), sites_));
  reopen();
  EXPECT_EQ(*catalog_->revoked_cards("P-000123"), std::vector{revoked()});
  EXPECT_EQ(catalog_->grant(open.grant)->state, GrantState::kWithdrawn);
  EXPECT_EQ(catalog_->grant(used.grant)->state, GrantState::kUsedUp);
  const auto orders = *catalog_->card_orders();
  ASSERT_EQ(orders.size(), 3u);
  EXPECT_EQ(orders[2].kind, CardOrderKind::kRevoke);
  EXPECT_EQ(orders[2].site, site_of("tuh"));
  EXPECT_TRUE(orders[2].grant.is_zero());
  RevokedCard stranger = revoked();
  stranger.person_id = "P-9";
  stranger.card = id_of<CardId>(3);
  EXPECT_TRUE(is_error(catalog_->revoke_card(stranger, sites_), Code::kNotFound, "P-9"));
}

TEST_F(CardsTest, RecordsThatAreNotKeptAreFoundInJobsAndGrants) {
  store_and_cut();
  auto unkept = *catalog_->unkept_records(10);
  ASSERT_EQ(unkept.size(), 1u);
  EXPECT_EQ(unkept[0].object, kObject);
  EXPECT_EQ(unkept[0].sealed_secret, (Bytes{1, 2, 3}));
  ASSERT_TRUE(catalog_->set_job_secret(kJob, {}));
  EXPECT_TRUE(catalog_->unkept_records(10)->empty());
  add_grant(1);
  unkept = *catalog_->unkept_records(10);
  ASSERT_EQ(unkept.size(), 1u);
  EXPECT_EQ(unkept[0].sealed_secret, (Bytes{9, 9}));

  EXPECT_FALSE(*catalog_->is_record_kept(kObject));
  ASSERT_TRUE(catalog_->set_record_kept(kObject, {5}));
  ASSERT_TRUE(catalog_->set_record_kept(kObject, {6}));
  EXPECT_TRUE(
      is_error(catalog_->set_record_kept(id_of<ObjectId>(9), {6}), Code::kNotFound, "object"));
  reopen();
  EXPECT_TRUE(*catalog_->is_record_kept(kObject));
  EXPECT_EQ(*catalog_->kept_records(), 1u);
  EXPECT_TRUE(catalog_->unkept_records(10)->empty());
  ASSERT_TRUE(catalog_->forget_kept_records());
  EXPECT_EQ(catalog_->unkept_records(10)->size(), 1u);
}

TEST_F(CardsTest, RecordsOfDeletedObjectsAreToBeForgotten) {
  store_and_cut();
  ASSERT_TRUE(catalog_->set_record_kept(kObject, {5}));
  EXPECT_TRUE(catalog_->kept_records_of_deleted(10)->empty());
  ASSERT_TRUE(catalog_->delete_object(kObject));
  EXPECT_EQ(*catalog_->kept_records_of_deleted(10), std::vector{kObject});
  ASSERT_TRUE(catalog_->forget_kept_record(kObject));
  ASSERT_TRUE(catalog_->forget_kept_record(kObject));
  EXPECT_EQ(*catalog_->kept_records(), 0u);
}

TEST_F(CardsTest, AnotherCardHasNoRecordYet) {
  store_and_cut();
  ASSERT_TRUE(catalog_->set_card_record(kObject, CardRecordState::kOnCard));
  ASSERT_TRUE(catalog_->replace_card("P-000123", sample_person().card));
  EXPECT_EQ(catalog_->object(kObject)->card_record, CardRecordState::kOnCard);
  ASSERT_TRUE(catalog_->replace_card("P-000123", id_of<CardId>(5)));
  EXPECT_EQ(catalog_->object(kObject)->card_record, CardRecordState::kPending);
}

}  // namespace
}  // namespace warifu::catalog
