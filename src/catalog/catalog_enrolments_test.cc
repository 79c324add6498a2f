// Enrolment orders: what becomes of them, and which card counts.
#include <gtest/gtest.h>

#include "catalog/catalog_test_support.h"

namespace warifu::catalog {
namespace {

class EnrolmentsTest : public testing::Test, protected CatalogHome {
 protected:
  static constexpr os::UnixMs kBefore{150}, kAfter{300};
  const EnrolmentId kOrder = id_of<EnrolmentId>(1);

  static EnrolmentOrder sample(Byte number = 1, const std::string& person = "P-000900") {
    return {.order = id_of<EnrolmentId>(number),
            .person_id = person,
            .name = "佐藤 葵",
            .card_type = "one-time",
            .keys_per_site = 64,
            .code = "7KQ2M" + std::string(1, static_cast<char>('A' + number)),
            .ordered_by = "sato",
            .created = {100},
            .expires = {200}};
  }
  EnrolmentCard begun(Byte card, os::UnixMs at = {120}) const {
    return {.order = kOrder,
            .card = id_of<CardId>(card),
            .terminal = "lobby",
            .begun = at,
            .pseudonyms = {{site_of("lsa"), id_of<Pseudonym>(50)},
                           {site_of("tommo"), id_of<Pseudonym>(51)}}};
  }
  Result<> enrol(Byte card) {
    return catalog_->enrol_person(
        {.person_id = "P-000900", .name = "佐藤 葵", .card = id_of<CardId>(card), .created = {130}},
        begun(card).pseudonyms);
  }
  EnrolmentState state(os::UnixMs now = kBefore) {
    return state_at(*catalog_->enrolment(kOrder), now);
  }
};

TEST_F(EnrolmentsTest, IsKeptAsItWasOrdered) {
  ASSERT_TRUE(catalog_->add_enrolment(sample()));
  reopen();
  EXPECT_EQ(*catalog_->enrolment(kOrder), sample());
  EXPECT_EQ(*catalog_->enrolment_by_code(sample().code, kBefore), sample());
  EXPECT_EQ(catalog_->list_enrolments({})->size(), 1u);
  EXPECT_TRUE(
      is_error(catalog_->enrolment_by_code(sample().code, kAfter), Code::kNotFound, "code"));
  EXPECT_EQ(state(), EnrolmentState::kWaiting);
  EXPECT_EQ(state(kAfter), EnrolmentState::kExpired);
}

TEST_F(EnrolmentsTest, IsDoneWhenThePersonHasACardThatWasBegunForIt) {
  ASSERT_TRUE(catalog_->add_enrolment(sample()));
  ASSERT_TRUE(catalog_->begin_enrolment(begun(7)));
  ASSERT_TRUE(catalog_->begin_enrolment(begun(8)));
  reopen();
  EXPECT_EQ(state(), EnrolmentState::kBegun);
  EXPECT_EQ(catalog_->enrolment(kOrder)->card, id_of<CardId>(8));
  EXPECT_EQ(*catalog_->enrolment_card(id_of<CardId>(7)), begun(7));
  ASSERT_TRUE(enrol(7));
  reopen();
  EXPECT_EQ(state(kAfter), EnrolmentState::kDone);
  EXPECT_EQ(catalog_->enrolment(kOrder)->card, id_of<CardId>(7));
  EXPECT_EQ(catalog_->pseudonyms("P-000900")->size(), 2u);
  EXPECT_TRUE(is_error(catalog_->begin_enrolment(begun(9)), Code::kRefused, "is done"));
  EXPECT_TRUE(is_error(catalog_->cancel_enrolment(kOrder, kBefore), Code::kRefused, "is done"));
  // It stays done when that card is lost later.
  const std::vector<SiteName> sites = {site_of("tommo")};
  ASSERT_TRUE(catalog_->revoke_card(
      {.card = id_of<CardId>(7), .person_id = "P-000900", .revoked = {400}, .why = "lost"}, sites));
  EXPECT_EQ(state(kAfter), EnrolmentState::kDone);
}

TEST_F(EnrolmentsTest, ALostCardIsNotWhatWasMadeInItsPlace) {
  ASSERT_TRUE(enrol(7));
  const std::vector<SiteName> sites = {site_of("tommo")};
  ASSERT_TRUE(catalog_->revoke_card(
      {.card = id_of<CardId>(7), .person_id = "P-000900", .revoked = {110}, .why = "lost"}, sites));
  EnrolmentOrder again = sample();
  again.again = true;
  ASSERT_TRUE(catalog_->add_enrolment(again));
  ASSERT_TRUE(catalog_->begin_enrolment(begun(7)));
  EXPECT_EQ(state(), EnrolmentState::kBegun);
  ASSERT_TRUE(catalog_->begin_enrolment(begun(8)));
  ASSERT_TRUE(catalog_->reissue_card("P-000900", id_of<CardId>(8), begun(8).pseudonyms));
  EXPECT_EQ(state(), EnrolmentState::kDone);
  EXPECT_EQ(catalog_->enrolment(kOrder)->card, id_of<CardId>(8));
}

TEST_F(EnrolmentsTest, NothingStandsInItsWay) {
  ASSERT_TRUE(catalog_->add_enrolment(sample()));
  EXPECT_TRUE(is_error(catalog_->add_enrolment(sample(2)), Code::kAlreadyExists, "waits already"));
  EnrolmentOrder other = sample(3, "P-000901");
  other.code = sample().code;
  EXPECT_TRUE(is_error(catalog_->add_enrolment(other), Code::kAlreadyExists, "code"));
  EnrolmentOrder again = sample(4, "P-000901");
  again.again = true;
  EXPECT_TRUE(is_error(catalog_->add_enrolment(again), Code::kNotFound, "not enrolled"));
  ASSERT_TRUE(catalog_->cancel_enrolment(kOrder, kBefore));
  ASSERT_TRUE(catalog_->cancel_enrolment(kOrder, kBefore));
  EXPECT_EQ(state(), EnrolmentState::kCancelled);
  EXPECT_TRUE(is_error(catalog_->begin_enrolment(begun(7)), Code::kRefused, "is cancelled"));
  ASSERT_TRUE(catalog_->add_enrolment(sample(2)));
  ASSERT_TRUE(enrol(9));
  EXPECT_TRUE(
      is_error(catalog_->add_enrolment(sample(5)), Code::kAlreadyExists, "already enrolled"));
}

TEST_F(EnrolmentsTest, APersonComesWithAllPseudonymsOrNotAtAll) {
  ASSERT_TRUE(enrol(7));
  const std::vector<SitePseudonym> taken = {{site_of("cloud1"), id_of<Pseudonym>(60)},
                                            {site_of("lsa"), id_of<Pseudonym>(50)}};
  EXPECT_TRUE(is_error(
      catalog_->enrol_person(
          {.person_id = "P-000901", .name = "B", .card = id_of<CardId>(9), .created = {130}},
          taken),
      Code::kAlreadyExists, "pseudonym"));
  EXPECT_EQ(catalog_->person("P-000901").error().code, Code::kNotFound);
}

TEST_F(EnrolmentsTest, WhatWentWrongIsTold) {
  ASSERT_TRUE(catalog_->add_enrolment(sample()));
  ASSERT_TRUE(catalog_->set_enrolment_trouble(kOrder, "the card was taken away"));
  EXPECT_EQ(catalog_->enrolment(kOrder)->trouble, "the card was taken away");
  EXPECT_TRUE(is_error(catalog_->set_enrolment_trouble(kOrder, std::string(2000, 'x')),
                       Code::kInvalidArgument, "more than"));
}

TEST_F(EnrolmentsTest, BadOnesAreRefused) {
  for (const auto& spoil : std::vector<std::function<void(EnrolmentOrder&)>>{
           [](EnrolmentOrder& one) { one.person_id = "no spaces"; },
           [](EnrolmentOrder& one) { one.name = ""; }, [](EnrolmentOrder& one) { one.code = ""; },
           [](EnrolmentOrder& one) { one.code = std::string(17, 'A'); },
           [](EnrolmentOrder& one) { one.card_type = ""; },
           [](EnrolmentOrder& one) { one.expires = one.created; }}) {
    EnrolmentOrder one = sample();
    spoil(one);
    EXPECT_EQ(catalog_->add_enrolment(one).error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace warifu::catalog
