// Requests for consents: what becomes of them, and that no crash leaves one between two states.
#include <gtest/gtest.h>

#include "catalog/catalog_test_support.h"

namespace warifu::catalog {
namespace {

class RequestsTest : public testing::Test, protected CatalogHome {
 protected:
  static constexpr os::UnixMs kBefore{150}, kAfter{300};

  static Request sample(Byte number = 1) {
    return {.request = id_of<RequestId>(number),
            .object = kObject,
            .person_id = "P-000123",
            .terms = R"({"purpose": "medicine"})",
            .asked_by = "sato",
            .note = "for Tuesday 火曜日",
            .created = {100},
            .expires = {200}};
  }
  void add_grant(Byte number) {
    WARIFU_CHECK(catalog_
                     ->add_grant({.grant = id_of<GrantId>(number),
                                  .object = kObject,
                                  .person_id = "P-000123",
                                  .grant_bytes = Bytes(300, 0),
                                  .evidence = {0, 1, 0},
                                  .created = {160},
                                  .expiry = {500},
                                  .sealed_secret = {9}})
                     .has_value());
  }
  RequestState state(os::UnixMs now = kBefore) {
    return state_at(*catalog_->request(id_of<RequestId>(1)), now);
  }
};

TEST_F(RequestsTest, IsKeptAsItWasAsked) {
  store_and_cut();
  ASSERT_TRUE(catalog_->add_request(sample()));
  reopen();
  EXPECT_EQ(*catalog_->request(id_of<RequestId>(1)), sample());
  EXPECT_TRUE(is_error(catalog_->add_request(sample()), Code::kAlreadyExists, "already known"));
  EXPECT_EQ(state(), RequestState::kAsked);
  EXPECT_EQ(state({200}), RequestState::kExpired);
}

TEST_F(RequestsTest, IsGivenByTheGrantThatWasMadeForIt) {
  store_and_cut();
  ASSERT_TRUE(catalog_->add_request(sample()));
  // The first one was prepared, but the card never proved it.
  ASSERT_TRUE(catalog_->offer_grant(id_of<RequestId>(1), id_of<GrantId>(7), kBefore));
  ASSERT_TRUE(catalog_->offer_grant(id_of<RequestId>(1), id_of<GrantId>(8), kBefore));
  EXPECT_EQ(state(), RequestState::kAsked);
  add_grant(8);
  reopen();
  EXPECT_EQ(state(), RequestState::kGiven);
  EXPECT_EQ(state(kAfter), RequestState::kGiven);
  EXPECT_EQ(catalog_->request(id_of<RequestId>(1))->grant, id_of<GrantId>(8));
  EXPECT_TRUE(is_error(catalog_->offer_grant(id_of<RequestId>(1), id_of<GrantId>(9), kBefore),
                       Code::kRefused, "is given"));
  EXPECT_TRUE(
      is_error(catalog_->decide_request(id_of<RequestId>(1), RequestState::kRefused, "", kBefore),
               Code::kRefused, "is given"));
  const std::vector<SiteName> sites = {site_of("tommo")};
  ASSERT_TRUE(catalog_->withdraw_grant(id_of<GrantId>(8), sample_person().card, sites, kBefore));
  EXPECT_EQ(state(), RequestState::kWithdrawn);
}

TEST_F(RequestsTest, IsDecidedOnce) {
  store_and_cut();
  ASSERT_TRUE(catalog_->add_request(sample()));
  const RequestId id = id_of<RequestId>(1);
  EXPECT_TRUE(is_error(catalog_->decide_request(id, RequestState::kGiven, "", kBefore),
                       Code::kInvalidArgument, "refused or cancelled"));
  ASSERT_TRUE(catalog_->decide_request(id, RequestState::kRefused, "not now", kBefore));
  ASSERT_TRUE(catalog_->decide_request(id, RequestState::kRefused, "again", kAfter));
  EXPECT_TRUE(is_error(catalog_->decide_request(id, RequestState::kCancelled, "", kBefore),
                       Code::kRefused, "is refused"));
  EXPECT_TRUE(is_error(catalog_->offer_grant(id, id_of<GrantId>(8), kBefore), Code::kRefused,
                       "is refused"));
  const Request found = *catalog_->request(id);
  EXPECT_EQ(found.why, "not now");
  EXPECT_EQ(found.decided_at, kBefore);
  EXPECT_EQ(state(kAfter), RequestState::kRefused);
}

TEST_F(RequestsTest, NobodyIsAskedForMoreThanSomebodyCanRead) {
  store_and_cut();
  for (std::size_t i = 0; i < kMaxOpenRequests; ++i) {
    Request one = sample();
    one.request.bytes[3] = static_cast<Byte>(i + 1);
    ASSERT_TRUE(catalog_->add_request(one));
  }
  EXPECT_TRUE(is_error(catalog_->add_request(sample(9)), Code::kBusy, "to decide already"));
  Request later = sample(9);
  later.created = {200};  // the others have expired by then
  later.expires = {400};
  EXPECT_TRUE(catalog_->add_request(later));
  EXPECT_EQ(catalog_->list_requests({.person_id = "P-000123"}, {.count = 3})->size(), 3U);
  EXPECT_EQ(catalog_->list_requests({.person_id = "P-1"}, {})->size(), 0U);
  EXPECT_EQ(catalog_->list_requests({.object = kObject}, {.count = 1})->at(0).request,
            id_of<RequestId>(9));
}

TEST_F(RequestsTest, WhatCannotBeARequestIsRefused) {
  store_and_cut();
  Request bad = sample();
  bad.terms = "{";
  EXPECT_TRUE(is_error(catalog_->add_request(bad), Code::kInvalidArgument, "terms"));
  bad = sample();
  bad.expires = bad.created;
  EXPECT_TRUE(is_error(catalog_->add_request(bad), Code::kInvalidArgument, "ends before"));
  bad = sample();
  bad.note = "a\nb";
  EXPECT_TRUE(is_error(catalog_->add_request(bad), Code::kInvalidArgument, "note"));
  bad = sample();
  bad.object = id_of<ObjectId>(0x77);
  EXPECT_EQ(catalog_->add_request(bad).error().code, Code::kNotFound);
  EXPECT_EQ(catalog_->request(id_of<RequestId>(1)).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace warifu::catalog
