// Proxies, guardians, coming of age and death at one gate; orders and records as bytes.
#include <gtest/gtest.h>

#include "consent/gate_test_support.h"
#include "testing/temporary_folder.h"
#include "wire/wire_test_support.h"

namespace warifu::consent {
namespace {

using namespace test;

constexpr std::int64_t kDay = 24 * 3600 * 1000LL;

class PeopleTest : public testing::Test {
 protected:
  void SetUp() override {
    GateOptions options;
    options.reissue_delay = std::chrono::milliseconds(0);
    options.failures_allowed = 1'000'000;
    site_ = std::make_unique<TestSite>("tommo", dir_, clock_, options);
  }
  Gate& gate() { return site_->gate(); }

  Holder enrol(Byte number) { return enrol_holder(gate(), number); }
  Presented present(Holder& holder, Grant grant) {
    return proved_by(holder, *site_, std::move(grant));
  }
  // A grant on the owner's object, for research, for an hour from now.
  Grant terms(Capacity capacity, std::uint8_t together = 1) {
    Grant grant = grant_for(site_->name(), {}, {1}, clock_.now());
    grant.purpose = Purpose::kResearch;
    grant.capacity = capacity;
    grant.together = together;
    if (together > 1) grant.joint = id_of<JointId>(0x77);
    return grant;
  }
  Result<Permit> ask(const std::vector<Presented>& presented, const Pseudonym& owner,
                     Byte session = 1) {
    ReleaseRequest request = request_for(parse_grant(presented[0].grant).value(), session);
    request.owner = owner;
    return gate().request_release(presented, request);
  }
  Presented naming(Holder& person, const Holder& proxy, const Mandate& mandate) {
    Grant grant = grant_for(site_->name(), {}, {1}, clock_.now());
    grant.uses = 1;
    grant.object = mandate.object;
    grant.appointment = Appointment{proxy.card, mandate};
    return present(person, grant);
  }
  Result<> appoint(Holder& person, const Holder& proxy, const Mandate& mandate) {
    const Presented named = naming(person, proxy, mandate);
    return gate().take_act(named.grant, named.evidence);
  }
  Mandate mandate(std::int64_t days = 30) { return {.until = {clock_.time_ms + days * kDay}}; }

  PersonOrder guardians_of(const Pseudonym& ward, std::vector<CardId> cards, std::uint8_t needed) {
    return {.id = id_of<OrderId>(0x51),
            .kind = PersonOrderKind::kGuardians,
            .person = ward,
            .at = clock_.now(),
            .card = id_of<CardId>(0x99),
            .of_age = {clock_.time_ms + 100 * kDay},
            .needed = needed,
            .guardians = std::move(cards)};
  }
  std::string refused() { return site_->last_event().second; }

  sim::TemporaryFolder dir_;
  FakeClock clock_;
  std::unique_ptr<TestSite> site_;
};

TEST_F(PeopleTest, AProxyConsentsWithinTheMandateOnly) {
  Holder person = enrol(1), proxy = enrol(2), stranger = enrol(3);
  const Presented early = present(proxy, terms(Capacity::kProxy));
  EXPECT_FALSE(ask({early}, person.person));
  EXPECT_EQ(refused(), "not_entitled");
  Mandate research = mandate();
  research.purposes = 1U << 1;
  ASSERT_TRUE(appoint(person, proxy, research));
  EXPECT_TRUE(ask({early}, person.person));  // the same consent, now that it may
  // Another capacity, another holder, another purpose, another object.
  EXPECT_FALSE(ask({present(proxy, terms(Capacity::kOwn))}, person.person));
  EXPECT_EQ(refused(), "other_person");
  EXPECT_FALSE(ask({present(proxy, terms(Capacity::kGuardian))}, person.person));
  EXPECT_EQ(refused(), "not_entitled");
  EXPECT_FALSE(ask({present(stranger, terms(Capacity::kProxy))}, person.person));
  EXPECT_EQ(refused(), "not_entitled");
  Grant medicine = terms(Capacity::kProxy);
  medicine.purpose = Purpose::kMedicine;
  EXPECT_FALSE(ask({present(proxy, medicine)}, person.person));
  EXPECT_EQ(refused(), "not_entitled");
  EXPECT_FALSE(ask({present(proxy, terms(Capacity::kProxy))}, stranger.person));
  EXPECT_EQ(refused(), "not_entitled");
  // The person's own consent is untouched.
  EXPECT_TRUE(ask({present(person, terms(Capacity::kOwn))}, person.person));
}

TEST_F(PeopleTest, AMandateForOneObjectIsForNoOther) {
  Holder person = enrol(1), proxy = enrol(2);
  Mandate one = mandate();
  one.object = id_of<ObjectId>(0x0C);
  ASSERT_TRUE(appoint(person, proxy, one));
  EXPECT_FALSE(ask({present(proxy, terms(Capacity::kProxy))}, person.person));
  Grant of_it = terms(Capacity::kProxy);
  of_it.object = one.object;
  EXPECT_TRUE(ask({present(proxy, of_it)}, person.person));
}

TEST_F(PeopleTest, WhatAProxyConsentedToEndsWithTheMandate) {
  Holder person = enrol(1), proxy = enrol(2);
  ASSERT_TRUE(appoint(person, proxy, mandate(1)));
  Grant grant = terms(Capacity::kProxy);
  grant.expiry = {clock_.time_ms + 10 * kDay};
  const Presented given = present(proxy, grant);
  const auto permit = ask({given}, person.person);
  ASSERT_TRUE(permit);
  EXPECT_EQ(permit->expiry().value, clock_.time_ms + kDay);
  EXPECT_TRUE(gate().still_permits(*permit));
  ASSERT_TRUE(gate().take_order({.id = id_of<OrderId>(1),
                                 .kind = PersonOrderKind::kRemoveProxy,
                                 .person = person.person,
                                 .card = proxy.card}));
  EXPECT_FALSE(gate().still_permits(*permit));
  EXPECT_FALSE(ask({given}, person.person));
  ASSERT_TRUE(appoint(person, proxy, mandate(1)));
  EXPECT_TRUE(ask({given}, person.person));
  clock_.time_ms += kDay;
  EXPECT_FALSE(ask({given}, person.person));
  EXPECT_EQ(refused(), "not_entitled");
}

TEST_F(PeopleTest, OnlyThePersonsOwnProofNamesAProxy) {
  Holder person = enrol(1), proxy = enrol(2), stranger = enrol(3);
  Presented named = naming(person, proxy, mandate());
  // It allows no use, and a use names no proxy.
  EXPECT_FALSE(ask({named}, person.person));
  EXPECT_EQ(refused(), "other_act");
  const Presented use = present(person, terms(Capacity::kOwn));
  EXPECT_FALSE(gate().take_act(use.grant, use.evidence));
  for (std::size_t bit = 0; bit < named.grant.size() * 8; bit += 7) {
    Bytes bad = named.grant;
    bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_FALSE(gate().take_act(bad, named.evidence)) << bit;
  }
  Evidence wrong = named.evidence;
  wrong.tag[1] ^= 1;
  EXPECT_FALSE(gate().take_act(named.grant, wrong));
  ASSERT_TRUE(gate().take_act(named.grant, named.evidence));
  EXPECT_TRUE(gate().take_act(named.grant, named.evidence));  // told again
  EXPECT_EQ(gate().person(person.person)->proxies.size(), 1u);
  // Whom the stranger names is the stranger's proxy.
  ASSERT_TRUE(appoint(stranger, proxy, mandate()));
  EXPECT_EQ(gate().person(person.person)->proxies.size(), 1u);
  EXPECT_FALSE(appoint(person, {id_of<CardId>(0x44), {}, {}}, mandate()));
  EXPECT_EQ(refused(), "not_entitled");
}

TEST_F(PeopleTest, AProxysNewCardGoesOn) {
  Holder person = enrol(1), proxy = enrol(2);
  ASSERT_TRUE(appoint(person, proxy, mandate()));
  ASSERT_TRUE(gate().revoke(proxy.card));
  ASSERT_TRUE(gate().allow_reissue(proxy.card, {clock_.time_ms + kDay}));
  Holder again{id_of<CardId>(0x22), proxy.person, {}};
  again.keys = *gate().enrol({again.card, again.person, card::CardKind::kOneTimeMac, {{1}, 30}});
  site_->restart();
  EXPECT_TRUE(ask({present(again, terms(Capacity::kProxy))}, person.person));
  EXPECT_TRUE(gate().may_give_records(again.card, person.person, id_of<ObjectId>(0x0B)));
}

TEST_F(PeopleTest, GuardiansConsentTogetherUntilTheDay) {
  Holder mother = enrol(1), father = enrol(2), aunt = enrol(3);
  const Pseudonym ward = id_of<Pseudonym>(0xEE);
  const PersonOrder order = guardians_of(ward, {mother.card, father.card}, 2);
  ASSERT_TRUE(gate().take_order(order));
  const auto both = [&] {
    return std::vector{present(mother, terms(Capacity::kGuardian, 2)),
                       present(father, terms(Capacity::kGuardian, 2))};
  };
  EXPECT_FALSE(ask(both(), ward));  // nobody here has allowed it
  EXPECT_EQ(refused(), "not_entitled");
  ASSERT_EQ(gate().waiting_orders().size(), 1u);
  site_->restart();
  ASSERT_TRUE(gate().allow_order(order.id));
  EXPECT_TRUE(gate().waiting_orders().empty());
  ASSERT_TRUE(gate().take_order(order));  // told again: it waits no more
  EXPECT_TRUE(gate().waiting_orders().empty());
  const auto given = both();
  const auto permit = ask(given, ward);
  ASSERT_TRUE(permit) << permit.error().message;
  // One alone, one twice, one of them and somebody else, not the same terms.
  EXPECT_FALSE(ask({given[0]}, ward));
  EXPECT_EQ(refused(), "not_together");
  EXPECT_FALSE(ask({given[0], given[0]}, ward, 2));
  EXPECT_EQ(refused(), "not_together");
  EXPECT_FALSE(ask({given[0], present(aunt, terms(Capacity::kGuardian, 2))}, ward, 3));
  EXPECT_EQ(refused(), "not_entitled");
  EXPECT_FALSE(ask({present(mother, terms(Capacity::kGuardian))}, ward, 3));
  EXPECT_EQ(refused(), "not_entitled");
  Grant wider = terms(Capacity::kGuardian, 2);
  wider.uses = 9;
  EXPECT_FALSE(ask({given[0], present(father, wider)}, ward, 3));
  EXPECT_EQ(refused(), "not_together");
  // Two uses, for both of them.
  EXPECT_TRUE(ask(given, ward, 2));
  EXPECT_FALSE(ask(given, ward, 3));
  EXPECT_EQ(refused(), "used_up");
  // A withdrawal by one ends it.
  EXPECT_TRUE(gate().still_permits(*permit));
  ASSERT_TRUE(gate().withdraw(father.card, grant_id(given[1].grant), {clock_.time_ms + kDay}));
  EXPECT_FALSE(gate().still_permits(*permit));
}

TEST_F(PeopleTest, FromTheDayOnGuardiansCountNoMoreAndTheWardGetsACard) {
  Holder mother = enrol(1);
  const Pseudonym ward = id_of<Pseudonym>(0xEE);
  const PersonOrder order = guardians_of(ward, {mother.card}, 1);
  ASSERT_TRUE(gate().take_order(order));
  ASSERT_TRUE(gate().allow_order(order.id));
  Grant grant = terms(Capacity::kGuardian);
  grant.expiry = {order.of_age.value + 10 * kDay};
  const Presented given = present(mother, grant);
  const Enrolment own{id_of<CardId>(0x55), ward, card::CardKind::kOneTimeMac, {{1}, 30}};
  ASSERT_TRUE(gate().allow_reissue(order.card, {order.of_age.value + kDay}));
  EXPECT_FALSE(gate().enrol(own));  // under age
  clock_.time_ms = order.of_age.value - 1;
  const auto permit = ask({present(mother, grant)}, ward);
  ASSERT_TRUE(permit);
  EXPECT_EQ(permit->expiry(), order.of_age);
  EXPECT_TRUE(gate().still_permits(*permit));
  clock_.time_ms = order.of_age.value;
  EXPECT_EQ(gate().still_permits(*permit).error().reason, Reason::kOfAge);
  EXPECT_FALSE(ask({present(mother, grant)}, ward, 2));
  EXPECT_EQ(refused(), "of_age");
  Holder grown{own.card, ward, *gate().enrol(own)};
  EXPECT_TRUE(ask({present(grown, terms(Capacity::kOwn))}, ward, 3));
}

TEST_F(PeopleTest, ADeathEndsEverythingButWhatWasLeftToATestamentaryProxy) {
  Holder person = enrol(1), proxy = enrol(2), heir = enrol(3);
  Mandate after = mandate();
  after.is_testamentary = true;
  ASSERT_TRUE(appoint(person, proxy, mandate()));
  ASSERT_TRUE(appoint(person, heir, after));
  EXPECT_FALSE(ask({present(heir, terms(Capacity::kProxy))}, person.person));  // not before
  const Presented own = present(person, terms(Capacity::kOwn));
  const Presented by_proxy = present(proxy, terms(Capacity::kProxy));
  const auto permit = ask({own}, person.person);
  ASSERT_TRUE(permit && ask({by_proxy}, person.person));
  const PersonOrder died{.id = id_of<OrderId>(9),
                         .kind = PersonOrderKind::kDied,
                         .person = person.person,
                         .at = clock_.now()};
  ASSERT_TRUE(gate().take_order(died));
  EXPECT_TRUE(gate().still_permits(*permit));  // an officer here has to say so
  ASSERT_TRUE(gate().allow_order(died.id));
  site_->restart();
  EXPECT_EQ(gate().still_permits(*permit).error().reason, Reason::kDied);
  EXPECT_FALSE(ask({own}, person.person));
  EXPECT_EQ(refused(), "died");
  EXPECT_FALSE(ask({by_proxy}, person.person));
  EXPECT_EQ(refused(), "died");
  EXPECT_FALSE(appoint(person, proxy, mandate()));
  EXPECT_EQ(refused(), "died");
  EXPECT_TRUE(ask({present(heir, terms(Capacity::kProxy))}, person.person));
  PersonOrder lives = died;
  lives.id = id_of<OrderId>(10);
  lives.kind = PersonOrderKind::kLives;
  ASSERT_TRUE(gate().take_order(lives));
  ASSERT_TRUE(gate().allow_order(lives.id));
  EXPECT_TRUE(ask({own}, person.person));
}

TEST_F(PeopleTest, OrdersThatMakeNoSenseHereAreRefused) {
  Holder mother = enrol(1);
  const Pseudonym ward = id_of<Pseudonym>(0xEE);
  PersonOrder order = guardians_of(ward, {mother.card, id_of<CardId>(0x70)}, 1);
  ASSERT_TRUE(gate().take_order(order));
  EXPECT_EQ(gate().allow_order(order.id).error().code, Code::kRefused);  // no such card here
  ASSERT_TRUE(gate().decline_order(order.id));
  EXPECT_EQ(gate().allow_order(order.id).error().code, Code::kNotFound);
  order = guardians_of(mother.person, {mother.card}, 1);
  order.id = id_of<OrderId>(2);
  ASSERT_TRUE(gate().take_order(order));
  EXPECT_EQ(gate().allow_order(order.id).error().code, Code::kRefused);  // of oneself
  for (Byte i = 1; i < kMaxWaitingOrders; ++i) {
    order.id = id_of<OrderId>(static_cast<Byte>(0x10 + i));
    EXPECT_TRUE(gate().take_order(order)) << int{i};
  }
  order.id = id_of<OrderId>(0x30);
  EXPECT_EQ(gate().take_order(order).error().code, Code::kNoSpace);
}

TEST_F(PeopleTest, OrdersAndRecordsGoRoundAndNothingElseParses) {
  const PersonOrder order = guardians_of(id_of<Pseudonym>(1), {id_of<CardId>(2)}, 1);
  EXPECT_EQ(*parse_order(encode_order(order)), order);
  EXPECT_EQ(wire::check_corruptions(encode_order(order), parse_order, encode_order), "");
  PersonRecord record;
  record.person = id_of<Pseudonym>(7);
  record.died = {5};
  record.proxies = {{id_of<Pseudonym>(8), id_of<CardId>(9), mandate(), {3}}};
  record.guardians = {id_of<Pseudonym>(4)};
  record.needed = 1;
  record.waiting = {{{6}, order}};
  record.done = {id_of<OrderId>(3)};
  record.leaves = {{id_of<ObjectId>(5), id_of<CardId>(6), {7}, {8}}};
  record.emergencies = {{id_of<JointId>(1),
                         id_of<ObjectId>(5),
                         {9},
                         {10},
                         {id_of<CardId>(2), id_of<CardId>(3)},
                         "accident"}};
  const Bytes bytes = encode_person(record);
  EXPECT_EQ(encode_person(*parse_person(bytes)), bytes);
  // Version 1 had neither leaves nor emergencies: two counts less, behind everything else.
  PersonRecord plain;
  plain.person = record.person;
  wire::Writer first;
  const Bytes second = encode_person(plain);
  first.raw(ByteView(second).first(second.size() - 4 - 2));
  Bytes old = first.take();
  old[4] = 1;
  wire::Writer whole;
  whole.raw(old);
  whole.checksum();
  ASSERT_TRUE(parse_person(whole.bytes()));
  EXPECT_EQ(encode_person(*parse_person(whole.bytes())), second);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes bad = bytes;
    bad[bit / 8] = static_cast<Byte>(bad[bit / 8] ^ (1U << (bit % 8)));
    const auto parsed = parse_person(bad);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Code::kCorrupt);
  }
}

}  // namespace
}  // namespace warifu::consent
