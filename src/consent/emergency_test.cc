// Break-glass at one gate: everything that it takes, each thing missing in turn, and who is told.
#include <gtest/gtest.h>

#include "consent/gate_test_support.h"
#include "testing/temporary_folder.h"

namespace warifu::consent {
namespace {

using namespace test;

constexpr std::int64_t kDay = 24 * 3600 * 1000LL;

class EmergencyTest : public testing::Test {
 protected:
  void SetUp() override {
    open(BreakGlass{{id_of<CardId>(2), id_of<CardId>(3), id_of<CardId>(4)}, 2});
    person_ = enrol(1);
    for (Byte i = 2; i < 6; ++i) officers_.push_back(enrol(i));  // the last one is none here
  }
  void open(std::optional<BreakGlass> rule) {
    site_.reset();
    GateOptions options;
    options.failures_allowed = 1'000'000;
    options.break_glass = std::move(rule);
    site_ = std::make_unique<TestSite>("tommo", dir_, clock_, options);
  }
  Gate& gate() { return site_->gate(); }
  Holder enrol(Byte number) { return enrol_holder(gate(), number); }
  Presented present(Holder& holder, Grant grant) {
    return proved_by(holder, *site_, std::move(grant));
  }
  Grant terms(Byte joint = 0x77) {
    Grant grant = grant_for(site_->name(), {}, {1}, clock_.now());
    grant.purpose = Purpose::kMedicine;
    grant.uses = 1;
    grant.capacity = Capacity::kEmergency;
    grant.together = 2;
    grant.joint = id_of<JointId>(joint);
    grant.reason = "unconscious after an accident";
    return grant;
  }
  std::vector<Presented> by(std::size_t one, std::size_t other, const Grant& grant) {
    return {present(officers_[one], grant), present(officers_[other], grant)};
  }
  Result<Permit> ask(std::span<const Presented> presented, Byte session = 1) {
    ReleaseRequest request = request_for(parse_grant(presented[0].grant).value(), session);
    request.owner = person_.person;
    return gate().request_release(presented, request);
  }
  // As the person's terminal: tells what the gate says.
  std::vector<JointId> untold() {
    std::vector<JointId> ids;
    const Challenge challenge = *gate().issue_nonce(person_.card);
    for (const Emergency& one : challenge.untold) ids.push_back(one.id);
    std::ranges::sort(ids);
    return ids;
  }
  Result<> allow(const ObjectId& object, std::int64_t days = 30) {
    Grant grant = grant_for(site_->name(), {}, {1}, clock_.now());
    grant.uses = 1;
    grant.object = object;
    grant.emergency_until = os::UnixMs{clock_.time_ms + days * kDay};
    clock_.time_ms += 1;
    grant.shown = untold();
    const Presented said = present(person_, grant);
    return gate().take_act(said.grant, said.evidence);
  }
  std::string refused() { return site_->last_event().second; }

  sim::TemporaryFolder dir_;
  FakeClock clock_;
  std::unique_ptr<TestSite> site_;
  Holder person_;
  std::vector<Holder> officers_;
};

TEST_F(EmergencyTest, NothingOpensWithoutThePersonsLeave) {
  EXPECT_FALSE(ask(by(0, 1, terms())));
  EXPECT_EQ(refused(), "not_allowed_before");
  ASSERT_TRUE(allow(id_of<ObjectId>(0x0C)));  // another object
  EXPECT_FALSE(ask(by(0, 1, terms())));
  EXPECT_EQ(refused(), "not_allowed_before");
  ASSERT_TRUE(allow(terms().object, 1));
  const auto good = by(0, 1, terms());
  const auto permit = ask(good);
  ASSERT_TRUE(permit) << permit.error().message;
  EXPECT_TRUE(gate().still_permits(*permit));
  EXPECT_EQ(site_->last_event().first, "emergency_release");
  // One use, and no second one.
  EXPECT_TRUE(ask(good));
  EXPECT_FALSE(ask(good, 2));
  EXPECT_EQ(refused(), "used_up");
  // The person takes it back: what is under way ends too.
  ASSERT_TRUE(gate().take_order({.id = id_of<OrderId>(5),
                                 .kind = PersonOrderKind::kForbidEmergency,
                                 .person = person_.person}));
  EXPECT_EQ(gate().still_permits(*permit).error().reason, Reason::kNotAllowedBefore);
  EXPECT_FALSE(ask(by(0, 1, terms(2))));
  EXPECT_EQ(refused(), "not_allowed_before");
  ASSERT_TRUE(allow({}, 1));  // all objects, for a day
  EXPECT_TRUE(ask(by(0, 1, terms(3))));
  clock_.time_ms += kDay;
  EXPECT_FALSE(ask(by(0, 1, terms(4))));
  EXPECT_EQ(refused(), "not_allowed_before");
}

TEST_F(EmergencyTest, AllOfficersAndNobodyElse) {
  ASSERT_TRUE(allow({}));
  const auto good = by(0, 1, terms());
  EXPECT_FALSE(ask({good.data(), 1}));  // one alone
  EXPECT_EQ(refused(), "not_together");
  EXPECT_FALSE(ask(by(0, 0, terms())));  // the same one twice
  EXPECT_EQ(refused(), "not_together");
  EXPECT_FALSE(ask(by(0, 3, terms())));  // no officer here
  EXPECT_EQ(refused(), "not_officer");
  Grant other = terms();
  other.reason = "another reason";
  const std::vector<Presented> unlike = {present(officers_[0], terms()),
                                         present(officers_[1], other)};
  EXPECT_FALSE(ask(unlike));
  EXPECT_EQ(refused(), "not_together");
  // An officer's own data: others have to say so.
  person_.person = officers_[0].person;
  EXPECT_FALSE(ask(good));
  EXPECT_EQ(refused(), "not_officer");
}

TEST_F(EmergencyTest, SitesDecideForThemselves) {
  ASSERT_TRUE(allow({}));
  const auto two = by(0, 1, terms());
  open(BreakGlass{{id_of<CardId>(2), id_of<CardId>(3), id_of<CardId>(4)}, 3});
  EXPECT_FALSE(ask(two));
  EXPECT_EQ(refused(), "not_together");
  open({});
  EXPECT_FALSE(ask(two));
  EXPECT_EQ(refused(), "emergency_off");
  // The leave itself is kept: the site may be configured later.
  EXPECT_EQ(gate().person(person_.person)->leaves.size(), 1u);
}

TEST_F(EmergencyTest, OnlyThePersonsCardAllowsIt) {
  Grant grant = grant_for(site_->name(), {}, {1}, clock_.now());
  grant.uses = 1;
  grant.emergency_until = os::UnixMs{clock_.time_ms + kDay};
  Presented said = present(person_, grant);
  said.evidence.tag[5] ^= 1;
  EXPECT_FALSE(gate().take_act(said.grant, said.evidence));
  EXPECT_EQ(refused(), "wrong_tag");
  // An officer's card allows it for that officer's own data, and for nobody else's.
  said = present(officers_[0], grant);
  ASSERT_TRUE(gate().take_act(said.grant, said.evidence));
  ASSERT_TRUE(gate().take_act(said.grant, said.evidence));  // told again
  EXPECT_FALSE(ask(by(0, 1, terms())));
  EXPECT_EQ(refused(), "not_allowed_before");
  EXPECT_FALSE(
      gate().request_release(said.grant, said.evidence, request_for(*parse_grant(said.grant))));
  EXPECT_EQ(refused(), "other_act");
}

TEST_F(EmergencyTest, TheRecordGoesUnderTheSameProofAndTakesNoUse) {
  const Grant grant = terms();
  const auto both = by(0, 1, grant);
  EXPECT_FALSE(gate().may_give_record(both, grant.object, person_.person));
  EXPECT_EQ(refused(), "not_allowed_before");
  ASSERT_TRUE(allow({}));
  EXPECT_FALSE(gate().may_give_record({both.data(), 1}, grant.object, person_.person));
  EXPECT_FALSE(gate().may_give_record(both, id_of<ObjectId>(9), person_.person));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(gate().may_give_record(both, grant.object, person_.person));
  }
  EXPECT_EQ(gate().person(person_.person)->emergencies.size(), 1u);
  ASSERT_TRUE(ask(both));
  EXPECT_FALSE(ask(both, 2));
  EXPECT_EQ(refused(), "used_up");
  // Of other grants a card keeps its records itself.
  const Presented own = present(person_, grant_for(site_->name(), {}, {1}, clock_.now()));
  EXPECT_FALSE(gate().may_give_record({&own, 1}, grant.object, person_.person));
  EXPECT_EQ(refused(), "wrong_kind");
}

TEST_F(EmergencyTest, ThePersonIsToldOverRestarts) {
  ASSERT_TRUE(allow({}));
  ASSERT_TRUE(ask(by(0, 1, terms())));
  const Emergency told{id_of<JointId>(0x77), terms().object, clock_.now(), {}, {}, "x"};
  ASSERT_TRUE(gate().note_emergency(person_.person, told));  // known already
  Emergency elsewhere = told;
  elsewhere.id = id_of<JointId>(0x78);
  ASSERT_TRUE(gate().note_emergency(person_.person, elsewhere));
  open(BreakGlass{{id_of<CardId>(2), id_of<CardId>(3)}, 2});
  const auto known = gate().emergencies({0});
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known[0].first, person_.person);
  EXPECT_EQ(known[0].second.reason, terms().reason);
  EXPECT_EQ(known[0].second.officers, (std::vector{officers_[0].card, officers_[1].card}));
  EXPECT_EQ(known[1].second.told.value, 0);
  EXPECT_TRUE(gate().emergencies({clock_.time_ms + 1}).empty());
  clock_.time_ms += 1;
  EXPECT_EQ(untold(), (std::vector{told.id, elsewhere.id}));
  ASSERT_TRUE(gate().emergencies_told(person_.person, untold()));
  EXPECT_EQ(site_->last_event().first, "emergency_told");
  EXPECT_TRUE(untold().empty());
  EXPECT_NE(gate().emergencies({0})[1].second.told.value, 0);
  // So many that the oldest give way; those that were not told last.
  for (Byte i = 0; i < kMaxEmergencies; ++i) {
    elsewhere.id = id_of<JointId>(static_cast<Byte>(0x90 + i));
    ASSERT_TRUE(gate().note_emergency(person_.person, elsewhere));
  }
  EXPECT_EQ(gate().emergencies({0}).size(), kMaxEmergencies);
  for (const auto& [person, one] : gate().emergencies({0})) EXPECT_EQ(one.told.value, 0);
}

TEST_F(EmergencyTest, NoConsentBeforeThePersonWasTold) {
  ASSERT_TRUE(allow({}));
  const Grant own = grant_for(site_->name(), {}, {1}, clock_.now());
  const auto consent = [&](std::vector<JointId> shown, Byte session) {
    Grant grant = own;
    grant.shown = std::move(shown);
    const Presented said = present(person_, grant);
    ReleaseRequest request = request_for(grant, session);
    request.owner = person_.person;
    return gate().request_release({&said, 1}, request);
  };
  // One that was given before, and not used yet.
  const Presented before = present(person_, own);
  clock_.time_ms += 1;
  ASSERT_TRUE(ask(by(0, 1, terms())));
  clock_.time_ms += 1;
  ReleaseRequest request = request_for(own, 1);
  request.owner = person_.person;
  EXPECT_TRUE(gate().request_release({&before, 1}, request));
  EXPECT_FALSE(consent({}, 2));
  EXPECT_EQ(refused(), "not_told");
  EXPECT_FALSE(consent({id_of<JointId>(0x66)}, 3));
  EXPECT_EQ(refused(), "not_told");
  // Nor any act; naming it is enough, once.
  Grant leave = own;
  leave.uses = 1;
  leave.emergency_until = os::UnixMs{clock_.time_ms + kDay};
  const Presented said = present(person_, leave);
  EXPECT_FALSE(gate().take_act(said.grant, said.evidence));
  EXPECT_EQ(refused(), "not_told");
  EXPECT_EQ(untold(), std::vector{terms().joint});
  ASSERT_TRUE(consent(untold(), 4));
  EXPECT_TRUE(untold().empty());
  EXPECT_TRUE(consent({}, 5));
}

// A terminal that was taken over cannot make this site forget to tell: it needs the card's proof.
TEST_F(EmergencyTest, APersonWasToldByAProofAndByNoTerminalsWord) {
  ASSERT_TRUE(allow({}));
  ASSERT_TRUE(ask(by(0, 1, terms())));
  clock_.time_ms += 1;
  Grant grant = grant_for(site_->name(), {}, {1}, clock_.now());
  grant.shown = untold();
  ASSERT_EQ(grant.shown.size(), 1u);
  const Presented shown = present(person_, grant);
  Evidence forged = shown.evidence;
  forged.tag[0] ^= 1;
  EXPECT_FALSE(gate().told_under(shown.grant, forged));
  EXPECT_EQ(refused(), "wrong_tag");
  EXPECT_EQ(untold().size(), 1u);
  const std::uint32_t keys = *gate().keys_left(person_.card);
  ASSERT_TRUE(gate().told_under(shown.grant, shown.evidence));
  EXPECT_EQ(site_->last_event().first, "emergency_told");
  EXPECT_TRUE(untold().empty());
  EXPECT_EQ(*gate().keys_left(person_.card), keys) << "nothing is burnt";
  ReleaseRequest request = request_for(*parse_grant(shown.grant), 1);
  request.owner = person_.person;
  EXPECT_TRUE(gate().request_release({&shown, 1}, request));
  ASSERT_TRUE(gate().told_under(shown.grant, shown.evidence)) << "again";
}

TEST_F(EmergencyTest, WhatThisGateHasOpenedIsNotCoveredUp) {
  ASSERT_TRUE(allow({}));
  ASSERT_TRUE(ask(by(0, 1, terms())));
  clock_.time_ms += 1;
  // Share control tells of others, so many that the oldest give way.
  Emergency made_up{id_of<JointId>(1), terms().object, clock_.now(), {}, {}, "x"};
  for (Byte i = 0; i < 2 * kMaxEmergencies; ++i) {
    made_up.id = id_of<JointId>(static_cast<Byte>(0x80 + i));
    ASSERT_TRUE(gate().note_emergency(person_.person, made_up));
  }
  const auto known = gate().emergencies({0});
  EXPECT_EQ(known.size(), kMaxEmergencies);
  EXPECT_TRUE(
      std::ranges::any_of(known, [&](const auto& one) { return one.second.id == terms().joint; }));
  // Nor does an id of which the person was told before hide another opening.
  const std::vector<JointId> all = {terms().joint};
  ASSERT_TRUE(gate().emergencies_told(person_.person, all));
  ASSERT_TRUE(ask(by(1, 2, terms()), 2));
  clock_.time_ms += 1;
  const auto again = gate().emergencies({0});
  const auto it =
      std::ranges::find_if(again, [&](const auto& one) { return one.second.id == terms().joint; });
  ASSERT_NE(it, again.end());
  EXPECT_EQ(it->second.told.value, 0);
}

TEST_F(EmergencyTest, AFullDiskOpensNothing) {
  ASSERT_TRUE(allow({}));
  const auto good = by(0, 1, terms());
  for (const char* broken : {".card", ".person", "audit.log"}) {
    site_->files().broken = broken;
    EXPECT_FALSE(ask(good)) << broken;
    site_->files().broken.clear();
    site_->restart();
  }
  EXPECT_TRUE(ask(good));  // the same session: no use was lost
}

}  // namespace
}  // namespace warifu::consent
