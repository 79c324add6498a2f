// Bodies come back as they were; whatever else is refused.
#include "custody/messages.h"

#include <gtest/gtest.h>

#include "testing/sim_random.h"

namespace warifu::custody {
namespace {

KeptShare some_share(os::Random& random) {
  KeptShare kept{.object = os::random_id<ObjectId>(random),
                 .owner = os::random_id<Pseudonym>(random),
                 .keeping = os::random_id<KeepingId>(random),
                 .made = {1'790'000'000'000},
                 .scheme = *sharing::Scheme::threshold_of(2, 3),
                 .index = sharing::ShareIndex::kC,
                 .share = secret::Buffer(160)};
  random.fill(kept.share.bytes());
  return kept;
}

TEST(CustodyMessagesTest, ComeBackAsTheyWere) {
  sim::SimRandom random(1);
  const KeptShare kept = some_share(random);
  const auto back = decode_kept(encode(kept));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->object, kept.object);
  EXPECT_EQ(back->owner, kept.owner);
  EXPECT_EQ(back->keeping, kept.keeping);
  EXPECT_EQ(back->made, kept.made);
  EXPECT_EQ(back->scheme, kept.scheme);
  EXPECT_EQ(back->index, kept.index);
  EXPECT_TRUE(std::ranges::equal(back->share.bytes(), kept.share.bytes()));

  const WithdrawOrder order{os::random_id<CardId>(random), os::random_id<GrantId>(random), {77}};
  const auto same = decode_withdraw(encode(order));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->card, order.card);
  EXPECT_EQ(same->grant, order.grant);
  EXPECT_EQ(same->expiry, order.expiry);
  EXPECT_EQ(*decode_card(encode(order.card)), order.card);
  EXPECT_EQ(*decode_object(encode(kept.object)), kept.object);
  EXPECT_EQ(*decode_count(encode_count(12)), 12u);
  const consent::LostCard lost{order.card, {70}, {80}, {90}};
  const auto found = decode_lost(encode(lost));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->card, lost.card);
  EXPECT_EQ(found->revoked, lost.revoked);
  EXPECT_EQ(found->from, lost.from);
  EXPECT_EQ(found->until, lost.until);
  EXPECT_FALSE(decode_lost(encode(order.card)));
  const auto wanted = decode_wanted(encode(WantedRecord{kept.object, order.card}));
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->card, order.card);
  const consent::Presented appointment{{1, 2, 3},
                                       {*SiteName::parse("lsa"), card::CardKind::kOneTimeMac, {4}}};
  const auto named = decode_act(encode(appointment));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->grant, appointment.grant);
  EXPECT_EQ(named->evidence, appointment.evidence);
}

TEST(CustodyMessagesTest, AccessesComeBackAsTheyWere) {
  sim::SimRandom random(3);
  const AccessPage page{{{7, {1'790'000'000'000}, "release", {{"grantee", "Dr. Sato"}, {"x", ""}}},
                         {9, {1'790'000'000'001}, "refused", {}}},
                        12,
                        true};
  const Bytes body = encode(page);
  const auto back = decode_access_page(body);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->seen, 12u);
  EXPECT_TRUE(back->more);
  ASSERT_EQ(back->accesses.size(), 2u);
  EXPECT_EQ(back->accesses[0].sequence, 7u);
  EXPECT_EQ(back->accesses[0].fields, page.accesses[0].fields);
  EXPECT_EQ(back->accesses[1].event, "refused");
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_access_page(ByteView(body).first(size))) << size;
  }
  const WantedAccesses wanted{os::random_id<Pseudonym>(random), 5};
  EXPECT_EQ(decode_wanted_accesses(encode(wanted))->after, 5u);
}

TEST(CustodyMessagesTest, OtherLengthsAndNonsenseAreRefused) {
  sim::SimRandom random(2);
  const KeptShare kept = some_share(random);
  const Bytes body = encode(kept);
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_kept(ByteView(body).first(size))) << size;
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_FALSE(decode_kept(longer));
  Bytes wrong = body;
  wrong[60] = 3;  // the index: as many as there are shares
  EXPECT_FALSE(decode_kept(wrong));
  EXPECT_FALSE(decode_card(Bytes(16)));
  EXPECT_FALSE(decode_withdraw(Bytes(40)));
}

TEST(CustodyMessagesTest, ARecordUnderAGrantComesBackWholeOnly) {
  sim::SimRandom random(3);
  const GrantedRecord granted{
      os::random_id<ObjectId>(random),
      {{Bytes(320, 7), {*SiteName::parse("lsa"), card::CardKind::kSignature, {1, 2}}},
       {Bytes(300, 8), {*SiteName::parse("lsa"), card::CardKind::kOneTimeMac, {3}}}}};
  const Bytes body = encode(granted);
  const auto back = decode_granted(body);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->object, granted.object);
  ASSERT_EQ(back->presented.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(back->presented[i].grant, granted.presented[i].grant);
    EXPECT_EQ(back->presented[i].evidence, granted.presented[i].evidence);
  }
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_granted(ByteView(body).first(size))) << size;
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_FALSE(decode_granted(longer));
}

TEST(CustodyMessagesTest, ANoteOfAnEmergencyComesBackWholeOnly) {
  sim::SimRandom random(4);
  const EmergencyNote note{os::random_id<Pseudonym>(random),
                           {os::random_id<consent::JointId>(random),
                            os::random_id<ObjectId>(random),
                            {77},
                            {},
                            {os::random_id<CardId>(random), os::random_id<CardId>(random)},
                            "unconscious"}};
  const Bytes body = encode(note);
  const auto back = decode_emergency(body);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(encode(*back), body);
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_emergency(ByteView(body).first(size))) << size;
  }
  EmergencyNote lonely = note;
  lonely.emergency.officers.pop_back();
  EXPECT_FALSE(decode_emergency(encode(lonely)));
  EmergencyNote silent = note;
  silent.emergency.reason.clear();
  EXPECT_FALSE(decode_emergency(encode(silent)));
}

}  // namespace
}  // namespace warifu::custody
