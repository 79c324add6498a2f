// The profile's client against the emulated card: life of a card, PIN, keys, records, grants.
#include "card/consent_profile.h"

#include <gtest/gtest.h>

#include "card/card_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::card {
namespace {

using namespace test;

class ProfileTest : public testing::Test {
 protected:
  void SetUp() override {
    emulated_ = *EmulatedCard::create(os::real_files(), dir_ + "/card");
    start();
  }
  void start() {
    card_.reset();
    session_.reset();
    session_ = *Session::open(*emulated_);
    card_ = std::make_unique<ConsentCard>(*ConsentCard::select(*session_));
  }
  void activate(std::uint32_t count = 20) {
    ASSERT_TRUE(card_->personalise(personalisation({"lsa", "tommo"}, count)));
  }
  sim::TemporaryFolder dir_;
  std::unique_ptr<EmulatedCard> emulated_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<ConsentCard> card_;
};

TEST_F(ProfileTest, LifeOfACard) {
  EXPECT_FALSE(card_->identity()->is_active);
  activate();
  const auto identity = *card_->identity();
  EXPECT_TRUE(identity.is_active);
  EXPECT_TRUE(identity.is_emulated);
  EXPECT_EQ(identity.kind(), CardKind::kOneTimeMacEmulated);
  EXPECT_EQ(identity.card, card_id());
  EXPECT_EQ(identity.keys.first.value, 1u);
  EXPECT_EQ(identity.keys.count, 20u);
  EXPECT_EQ(identity.site_count, 2);

  const auto content = personalisation({"lsa", "tommo"}, 20);
  for (std::uint32_t index = 1; index <= 3; ++index) {
    ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
    const Bytes grant = card_grant(card_id(), {index}, {"lsa", "tommo"});
    const auto tags = card_->authorise(grant);
    ASSERT_TRUE(tags) << tags.error().message;
    EXPECT_EQ(tags->at(0), expected_tag(content.sites[0], index - 1, grant));
    EXPECT_EQ(tags->at(1), expected_tag(content.sites[1], index - 1, grant));
    EXPECT_EQ(card_->identity()->keys.first.value, index + 1);
    EXPECT_EQ(card_->identity()->keys.count, 20 - index);
  }
  EXPECT_EQ(as_text(ByteView(session_->atr()).subspan(4, 13)), "emulated card");
}

TEST_F(ProfileTest, AnActiveCardIsNotPersonalisedAgain) {
  activate();
  const auto again = card_->personalise(personalisation({"lsa"}, 3));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kRefused);
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  EXPECT_FALSE(card_->personalise(personalisation({"lsa"}, 3)));
}

TEST_F(ProfileTest, BadPersonalisationsAreRefusedByTheClient) {
  auto no_site = personalisation({}, 3);
  EXPECT_EQ(card_->personalise(no_site).error().code, Code::kInvalidArgument);
  auto twice = personalisation({"lsa", "lsa"}, 3);
  EXPECT_EQ(card_->personalise(twice).error().code, Code::kInvalidArgument);
  auto uneven = personalisation({"lsa", "tommo"}, 3);
  uneven.sites[1] = site_keys("tommo", 4, 9);
  EXPECT_EQ(card_->personalise(uneven).error().code, Code::kInvalidArgument);
  auto letters = personalisation({"lsa"}, 3);
  letters.pin = secret::Buffer::copy_of(as_bytes("12ab"));
  EXPECT_EQ(card_->personalise(letters).error().code, Code::kInvalidArgument);
  auto zero_index = personalisation({"lsa"}, 3);
  zero_index.first_index = {0};
  EXPECT_EQ(card_->personalise(zero_index).error().code, Code::kInvalidArgument);
  EXPECT_FALSE(card_->identity()->is_active);
}

TEST_F(ProfileTest, WrongPinsCountDownToBlocked) {
  activate();
  auto wrong = card_->verify_pin(as_bytes("000000"));
  EXPECT_EQ(wrong.error().code, Code::kRefused);
  EXPECT_EQ(wrong.error().message, "wrong PIN: 2 tries left");
  EXPECT_FALSE(card_->verify_pin(as_bytes("31415")));  // a prefix of the PIN
  EXPECT_EQ(card_->identity()->pin_tries_left, 1);
  // The last try is not spent unless somebody says so; the counter survives a new session.
  start();
  EXPECT_NE(card_->verify_pin(as_bytes(kPin)).error().message.find("nothing was sent"),
            std::string::npos);
  EXPECT_EQ(card_->identity()->pin_tries_left, 1);
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin), LastTry::kAllow));
  EXPECT_EQ(card_->identity()->pin_tries_left, 3);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(card_->verify_pin(as_bytes("111111"), LastTry::kAllow));
  const auto blocked = card_->verify_pin(as_bytes(kPin), LastTry::kAllow);
  ASSERT_FALSE(blocked);
  EXPECT_NE(blocked.error().message.find("blocked"), std::string::npos);
  EXPECT_FALSE(card_->list_objects());
}

TEST_F(ProfileTest, OnePinEntryAllowsOneGrant) {
  activate();
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  ASSERT_TRUE(card_->authorise(card_grant(card_id(), {1}, {"lsa"})));
  EXPECT_EQ(card_->authorise(card_grant(card_id(), {2}, {"lsa"})).error().code, Code::kRefused);
  EXPECT_TRUE(card_->list_objects());  // reading stays allowed until the ceremony ends
  start();
  EXPECT_EQ(card_->list_objects().error().code, Code::kRefused);
}

TEST_F(ProfileTest, GrantsThatAreNotForThisCardAreRefusedAndCostNothing) {
  activate();
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  CardId other = card_id();
  other.bytes[5] = 1;
  EXPECT_EQ(card_->authorise(card_grant(other, {1}, {"lsa"})).error().code, Code::kRefused);
  EXPECT_EQ(card_->authorise(card_grant(card_id(), {2}, {"lsa"})).error().code, Code::kRefused);
  EXPECT_EQ(card_->authorise(card_grant(card_id(), {1}, {"cloud1"})).error().code, Code::kRefused);
  Bytes cut = card_grant(card_id(), {1}, {"lsa", "tommo"});
  cut.resize(cut.size() - 32);
  EXPECT_EQ(card_->authorise(cut).error().code, Code::kInvalidArgument);
  EXPECT_EQ(card_->identity()->keys.first.value, 1u);
  EXPECT_TRUE(card_->authorise(card_grant(card_id(), {1}, {"lsa"})));
}

TEST_F(ProfileTest, KeysRunOutAndAreToppedUp) {
  activate(2);
  for (std::uint32_t index = 1; index <= 2; ++index) {
    ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
    ASSERT_TRUE(card_->authorise(card_grant(card_id(), {index}, {"lsa"})));
  }
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  EXPECT_FALSE(card_->authorise(card_grant(card_id(), {3}, {"lsa"})));
  std::vector<SiteKeys> more;
  more.push_back(site_keys("lsa", 9, 31));
  more.push_back(site_keys("tommo", 9, 32));
  start();
  EXPECT_EQ(card_->top_up({3}, more).error().code, Code::kRefused);  // no PIN
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  EXPECT_EQ(card_->top_up({4}, more).error().code, Code::kRefused);  // a gap
  ASSERT_TRUE(card_->top_up({3}, more));
  EXPECT_EQ(card_->identity()->keys.count, 9u);
  const Bytes grant = card_grant(card_id(), {3}, {"tommo"});
  EXPECT_EQ(card_->authorise(grant)->at(0), expected_tag(more[1], 0, grant));
}

TEST_F(ProfileTest, KeysOfASiteThatLostThemAreRenewed) {
  activate(5);
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  ASSERT_TRUE(card_->authorise(card_grant(card_id(), {1}, {"lsa"})));
  std::vector<SiteKeys> other;
  other.push_back(site_keys("lsa", 4, 41));
  start();
  EXPECT_EQ(card_->renew({2}, other).error().code, Code::kRefused);  // no PIN
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  EXPECT_EQ(card_->renew({1}, other).error().code, Code::kRefused);  // an index that is used
  EXPECT_EQ(card_->renew({3}, other).error().code, Code::kRefused);
  std::vector<SiteKeys> stranger;
  stranger.push_back(site_keys("kyoto", 4, 42));
  EXPECT_EQ(card_->renew({2}, stranger).error().code, Code::kRefused);
  EXPECT_FALSE(card_->may_renew({{2}, 5}, other[0].site));
  ASSERT_TRUE(card_->may_renew({{2}, 4}, other[0].site));
  ASSERT_TRUE(card_->renew({2}, other));
  const auto before = personalisation({"lsa", "tommo"}, 5);
  const Bytes grant = card_grant(card_id(), {2}, {"lsa", "tommo"});
  const auto tags = card_->authorise(grant);
  ASSERT_TRUE(tags) << tags.error().message;
  EXPECT_EQ(tags->at(0), expected_tag(other[0], 0, grant));
  EXPECT_EQ(tags->at(1), expected_tag(before.sites[1], 1, grant));
  EXPECT_EQ(card_->identity()->keys.count, 3u);
}

TEST_F(ProfileTest, ObjectRecords) {
  activate();
  EXPECT_EQ(card_->put_object(object_record(1)).error().code, Code::kRefused);
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  // More records than one short answer holds: the list comes through GET RESPONSE.
  for (Byte i = 0; i < 40; ++i) ASSERT_TRUE(card_->put_object(object_record(i)));
  ASSERT_TRUE(card_->put_object(object_record(7)));
  auto changed = object_record(7);
  changed.length.value = 1;
  EXPECT_EQ(card_->put_object(changed).error().code, Code::kAlreadyExists);
  const auto objects = card_->list_objects();
  ASSERT_TRUE(objects) << objects.error().message;
  ASSERT_EQ(objects->size(), 40u);
  EXPECT_EQ(objects->at(39), object_record(39).object);
  const auto record = card_->get_object(object_record(5).object);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->tag, object_record(5).tag);
  EXPECT_EQ(record->hash_key.bytes()[3], 5);
  EXPECT_EQ(record->chunk_count, 5u);
  EXPECT_EQ(record->length.value, 5000u);
  EXPECT_EQ(card_->get_object(object_record(99).object).error().code, Code::kNotFound);
  start();
  EXPECT_EQ(card_->get_object(object_record(5).object).error().code, Code::kRefused);
}

TEST_F(ProfileTest, ALongLivedGrantIsChained) {
  auto content = personalisation({"a", "b", "c", "d", "e", "f", "g"}, 3);
  ASSERT_TRUE(card_->personalise(content));
  ASSERT_TRUE(card_->verify_pin(as_bytes(kPin)));
  const Bytes grant = card_grant(card_id(), {1}, {"a", "b", "c", "d", "e", "f", "g"});
  EXPECT_GT(grant.size(), Session::kChainBytes);
  const auto tags = card_->authorise(grant);
  ASSERT_TRUE(tags);
  ASSERT_EQ(tags->size(), 7u);
  EXPECT_EQ(tags->at(6), expected_tag(content.sites[6], 0, grant));
}

}  // namespace
}  // namespace warifu::card
