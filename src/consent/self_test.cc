// The start-up self-test: a gate that lets something through which it must deny does not start.
#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "consent/decision.h"

namespace warifu::consent {
namespace {

// Counts up; nothing here protects anything.
class TestRandom final : public os::Random {
 public:
  void fill(MutableBytes out) override {
    for (Byte& b : out) b = next_++;
  }

 private:
  Byte next_ = 1;
};

template <typename Id>
Id id_of(Byte number) {
  Id id;
  id.bytes.fill(number);
  return id;
}

// A made-up request with everything that decide() looks at.
struct Case {
  SiteName site = *SiteName::parse("self");
  secret::Buffer root{crypto::kSealKeyBytes};
  secret::Buffer key{card::kOneTimeKeyBytes};
  CardRecord record;
  Grant grant;
  Evidence evidence;
  ReleaseRequest request;
  os::UnixMs now{1'000'000};
  bool is_held_back = false;
  std::optional<PersonRecord> owner;  // of the request's owner
  std::optional<BreakGlass> break_glass;
  Bytes bytes;

  Case() {
    TestRandom random;
    random.fill(root.bytes());
    random.fill(key.bytes());
    record.card = id_of<CardId>(2);
    record.person = id_of<Pseudonym>(3);
    record.last_used = {4};
    record.keys[5] = seal_key(root, record.card, {5}, key.bytes(), random);
    record.nonces = {{id_of<Nonce>(6), {now.value - 1000}}};
    grant = {.card = record.card,
             .object = id_of<ObjectId>(7),
             .purpose = Purpose::kResearch,
             .uses = 1,
             .grantee = {GranteeKind::kOrganisation, "self-test", "id-1"},
             .destination = *SiteName::parse("dest"),
             .not_before = {now.value - 5000},
             .expiry = {now.value + 5000},
             .index = {5},
             .locale = Locale::kEnglish,
             .terminal = "none",
             .text_digest = {},
             .sites = {{site, id_of<Nonce>(6)}},
             .data_uses = {{DataUseCode::kHealthMedicalBiomedical, {}},
                           {DataUseCode::kNonProfitOrganisationOnly, {}}},
             .scope = {"asm", {{"chr1", 100, 200, "gene"}}, {{0, 1}, {4, 3}}}};
    evidence = {site, card::CardKind::kOneTimeMac, {}};
    request = {.object = grant.object,
               .owner = record.person,
               .destination = grant.destination,
               .purpose = grant.purpose,
               .session = id_of<JobId>(8),
               .grantee = grant.grantee,
               .stated = {{StatementKind::kBiomedical, {}}, {StatementKind::kNonProfit, {}}},
               .scope = {"asm", {{"chr1", 120, 130, {}}}, {{4, 2}}}};
    sign();
  }
  // Encodes the grant again and tags it as the card would.
  void sign() {
    auto encoded = encode_grant(grant);
    WARIFU_CHECK(encoded.has_value());
    bytes = std::move(*encoded);
    const ByteView both = key.bytes();
    evidence.tag = mac::one_time_tag(mac::Key(both.first(16)), bytes, both.last(16));
  }
  // The card's holder consents in the place of somebody whose guardian it is until `of_age`.
  void act_for(Capacity capacity, os::UnixMs of_age) {
    grant.capacity = capacity;
    request.owner = id_of<Pseudonym>(50);
    owner = PersonRecord{
        .person = request.owner, .of_age = of_age, .needed = 1, .guardians = {record.person}};
    sign();
  }
  // The card's holder opens somebody's object as an officer, with all that this takes.
  void open_in_emergency() {
    grant.capacity = Capacity::kEmergency;
    grant.together = 2;
    grant.joint = id_of<JointId>(60);
    grant.reason = "self-test";
    grant.purpose = Purpose::kMedicine;
    grant.data_uses.clear();
    request.purpose = grant.purpose;
    request.stated.clear();
    request.owner = id_of<Pseudonym>(50);
    owner = PersonRecord{.person = request.owner,
                         .leaves = {{grant.object, id_of<CardId>(51), {1}, {now.value + 1}}}};
    break_glass = BreakGlass{{record.card, id_of<CardId>(52)}, 2};
    sign();
  }
  // What the card says of an act, with nothing that only uses have. Its object: zero, all of them.
  Case& act(Act wanted) {
    grant.object = {};
    grant.purpose = Purpose::kHealthManagement;
    grant.data_uses.clear();
    grant.scope = {};
    if (wanted == Act::kTopUp) grant.top_up = card::KeyRange{{6}, 3};
    if (wanted == Act::kEmergencyLeave) grant.emergency_until = os::UnixMs{now.value + 9000};
    if (wanted == Act::kAppoint) {
      grant.appointment = Appointment{id_of<CardId>(50), {.until = grant.expiry}};
    }
    request = {.owner = record.person};
    sign();
    return *this;
  }
  // Something was opened without the person's card before the nonce was given.
  void have_emergency() {
    owner = PersonRecord{.person = record.person};
    owner->emergencies = {{.id = id_of<JointId>(70),
                           .object = grant.object,
                           .at = {now.value - 2000},
                           .reason = "self-test"}};
  }
  [[nodiscard]] Inquiry inquiry() const {
    return {site,
            root,
            &record,
            bytes,
            evidence,
            request,
            now,
            std::chrono::minutes(15),
            is_held_back,
            owner ? &*owner : nullptr,
            break_glass ? &*break_glass : nullptr};
  }
  void accept() { apply({grant, Step::kAccept, 0}, inquiry(), record); }
};

struct Deny {
  Reason reason;
  std::function<void(Case&)> change;
};

// An emergency lacks one thing, or one is another.
std::vector<Deny> emergency_denies() {
  const auto but = [](Reason reason, std::function<void(Case&)> change) {
    return Deny{reason, [change = std::move(change)](Case& c) {
                  c.open_in_emergency();
                  change(c);
                }};
  };
  return {
      but(Reason::kEmergencyOff, [](Case& c) { c.break_glass.reset(); }),
      but(Reason::kEmergencyOff, [](Case& c) { c.break_glass->needed = 1; }),
      but(Reason::kNotOfficer, [](Case& c) { c.break_glass->officers[0] = id_of<CardId>(99); }),
      but(Reason::kNotOfficer, [](Case& c) { c.request.owner = c.record.person; }),
      but(Reason::kNotTogether, [](Case& c) { c.break_glass->needed = 3; }),
      but(Reason::kNotAllowedBefore, [](Case& c) { c.owner.reset(); }),
      but(Reason::kNotAllowedBefore, [](Case& c) { c.owner->leaves.clear(); }),
      but(Reason::kNotAllowedBefore, [](Case& c) { c.owner->leaves[0].until = c.now; }),
      but(Reason::kNotAllowedBefore,
          [](Case& c) { c.owner->leaves[0].object = id_of<ObjectId>(99); }),
      but(Reason::kDied, [](Case& c) { c.owner->died = {1}; }),
      but(Reason::kOtherObject, [](Case& c) { c.request.object = id_of<ObjectId>(99); }),
      but(Reason::kOtherGrantee, [](Case& c) { c.request.grantee.name += "s"; }),
      but(Reason::kWrongTag, [](Case& c) { c.evidence.tag[3] ^= 1; }),
      but(Reason::kMalformed, [](Case& c) { c.bytes.pop_back(); }),
  };
}

// Whatever is asked: the card must count here, say it now, and once; its person must be able to,
// and told.
std::vector<Deny> card_denies() {
  return {
      {Reason::kNotThisSite, [](Case& c) { c.evidence.site = *SiteName::parse("other"); }},
      {Reason::kUnknownCard,
       [](Case& c) {
         c.grant.card = id_of<CardId>(99);
         c.sign();
       }},
      {Reason::kRevoked, [](Case& c) { c.record.revoked = true; }},
      {Reason::kWrongKind, [](Case& c) { c.evidence.kind = card::CardKind::kOneTimeMacEmulated; }},
      {Reason::kHeldBack, [](Case& c) { c.is_held_back = true; }},
      {Reason::kWithdrawn,
       [](Case& c) { c.record.withdrawn = {{grant_id(c.bytes), {c.now.value + 5000}}}; }},
      {Reason::kUnknownNonce, [](Case& c) { c.record.nonces.clear(); }},
      {Reason::kNonceExpired, [](Case& c) { c.record.nonces[0].issued.value -= 3'600'000; }},
      {Reason::kIndexUsed, [](Case& c) { c.record.last_used = {5}; }},
      {Reason::kNoKey, [](Case& c) { c.record.keys.clear(); }},
      {Reason::kDied, [](Case& c) { c.owner = PersonRecord{.died = {1}}; }},
      {Reason::kUnderAge, [](Case& c) { c.owner = PersonRecord{.of_age = {c.now.value + 1}}; }},
      {Reason::kExpired, [](Case& c) { c.now = c.grant.expiry; }},
      {Reason::kNotTold, [](Case& c) { c.have_emergency(); }},
  };
}

// Besides: an act is said about the card itself, and no act is another.
std::vector<Deny> act_denies(Act wanted) {
  const Act other = wanted == Act::kTopUp ? Act::kEmergencyLeave : Act::kTopUp;
  std::vector<Deny> all = {
      {Reason::kMalformed, [](Case& c) { c.bytes.push_back(0); }},
      {Reason::kOtherAct, [](Case& c) { c = Case(); }},
      {Reason::kOtherAct,
       [other](Case& c) {
         c = Case();
         c.act(other);
       }},
      {Reason::kWrongTag, [](Case& c) { c.evidence.tag[7] ^= 1; }},
      {Reason::kWrongTag,
       [](Case& c) {
         c.accept();
         c.evidence.tag[7] ^= 1;
       }},
  };
  const bool is_top_up = wanted == Act::kTopUp;
  if (is_top_up) all.push_back({Reason::kUsedUp, [](Case& c) { c.accept(); }});
  for (const auto kind : {card::CardKind::kDesfire, card::CardKind::kSignature}) {
    all.push_back({is_top_up ? Reason::kWrongKind : Reason::kNotProven,
                   [kind](Case& c) { c.record.kind = c.evidence.kind = kind; }});
  }
  return all;
}

// Besides: a use is of one object, for one purpose, by one grantee, and what the consent covers.
std::vector<Deny> use_denies() {
  return {
      {Reason::kMalformed,
       [](Case& c) {
         c.bytes.back() = 0;
         c.bytes.push_back(0);
       }},
      {Reason::kWithdrawn,
       [](Case& c) {
         c.accept();
         c.record.withdrawn = {{grant_id(c.bytes), {c.now.value + 5000}}};
       }},
      {Reason::kTooManyGrants, [](Case& c) { c.record.grants.resize(kMaxAcceptedGrants); }},
      {Reason::kWrongTag, [](Case& c) { c.evidence.tag[0] ^= 1; }},
      {Reason::kOtherAct,
       [](Case& c) {
         c.grant.purpose = Purpose::kHealthManagement;
         c.grant.data_uses.clear();
         c.grant.scope = {};
         c.grant.appointment =
             Appointment{id_of<CardId>(50), {.object = c.grant.object, .until = c.grant.expiry}};
         c.sign();
       }},
      {Reason::kOfAge, [](Case& c) { c.act_for(Capacity::kGuardian, c.now); }},
      {Reason::kNotEntitled,
       [](Case& c) {
         c.act_for(Capacity::kGuardian, {c.now.value + 1});
         c.owner->needed = 2;
       }},
      {Reason::kNotEntitled, [](Case& c) { c.act_for(Capacity::kProxy, c.now); }},
      {Reason::kNotEntitled,
       [](Case& c) {
         c.act_for(Capacity::kProxy, c.now);
         c.owner.reset();
       }},
      {Reason::kWrongTag, [](Case& c) { c.evidence.tag.fill(0); }},
      {Reason::kOtherObject, [](Case& c) { c.request.object = id_of<ObjectId>(99); }},
      {Reason::kOtherPerson, [](Case& c) { c.request.owner = id_of<Pseudonym>(99); }},
      {Reason::kOtherDestination,
       [](Case& c) { c.request.destination = *SiteName::parse("other"); }},
      {Reason::kOtherPurpose, [](Case& c) { c.request.purpose = Purpose::kMedicine; }},
      {Reason::kOtherGrantee, [](Case& c) { c.request.grantee.kind = GranteeKind::kPerson; }},
      {Reason::kOtherGrantee, [](Case& c) { c.request.grantee.name += "s"; }},
      {Reason::kOtherGrantee, [](Case& c) { c.request.grantee.identifier.clear(); }},
      {Reason::kOtherGrantee, [](Case& c) { c.request.grantee = {}; }},
      {Reason::kOtherUse, [](Case& c) { c.request.stated.clear(); }},
      {Reason::kOtherUse, [](Case& c) { c.request.stated.pop_back(); }},
      {Reason::kOtherUse, [](Case& c) { c.request.stated[0].kind = StatementKind::kGeneral; }},
      {Reason::kOtherScope, [](Case& c) { c.request.scope = {}; }},
      {Reason::kOtherScope, [](Case& c) { c.request.scope.assembly = "other"; }},
      {Reason::kOtherScope, [](Case& c) { c.request.scope.regions[0].end = 201; }},
      {Reason::kOtherScope, [](Case& c) { c.request.scope.regions[0].reference = "chr2"; }},
      {Reason::kOtherScope, [](Case& c) { c.request.scope = {{}, {}, {{0, 1}}}; }},
      {Reason::kOtherScope,
       [](Case& c) {
         c.grant.scope = {{}, {}, {{0, 1}, {4, 3}}};
         c.sign();
       }},
      {Reason::kOtherChunks, [](Case& c) { c.request.scope.chunks.clear(); }},
      {Reason::kOtherChunks, [](Case& c) { c.request.scope.chunks = {{4, 4}}; }},
      {Reason::kOtherChunks, [](Case& c) { c.request.scope.chunks = {{0, 1}, {3, 1}}; }},
      {Reason::kOtherChunks,
       [](Case& c) {
         c.accept();
         c.request.scope.chunks = {{7, 1}};
       }},
      {Reason::kNotYet,
       [](Case& c) {
         c.grant.not_before = {c.now.value + 1};
         c.sign();
       }},
      {Reason::kUsedUp,
       [](Case& c) {
         c.accept();
         c.request.session = id_of<JobId>(9);
       }},
      {Reason::kUsedUp, [](Case& c) { c.request.use = 0; }},
      {Reason::kUsedUp, [](Case& c) { c.request.use = 2; }},
      {Reason::kUsedUp,
       [](Case& c) {
         c.grant.uses = 2;
         c.sign();
         c.accept();
         c.request.session = id_of<JobId>(9);
       }},
      {Reason::kWrongTag,
       [](Case& c) {
         c.accept();
         c.evidence.tag[15] ^= 0x80;
       }},
      {Reason::kExpired,
       [](Case& c) {
         c.accept();
         c.now = c.grant.expiry;
       }},
      {Reason::kNotTold,
       [](Case& c) {
         c.have_emergency();
         c.grant.shown = {id_of<JointId>(71)};
         c.sign();
       }},
      {Reason::kNotProven,
       [](Case& c) {
         c.record.kind = card::CardKind::kDesfire;
         c.evidence.kind = card::CardKind::kDesfire;
       }},
      {Reason::kNotProven,
       [](Case& c) {
         c.record.kind = card::CardKind::kSignature;
         c.evidence.kind = card::CardKind::kSignature;
       }},
  };
}

std::unexpected<Error> failed(std::string_view what) {
  return fail(Code::kRefused,
              "self-test of the consent gate: " + std::string(what) + "; the gate stays closed");
}

// That `decision` is a refusal for this reason.
Result<> expect_refused(const Decision& decision, Reason reason, const std::string& of) {
  const std::string name(reason_name(reason));
  if (decision) return failed("'" + name + "' was let through" + of);
  if (decision.error().reason != reason) return failed("'" + name + "' was not recognised" + of);
  return {};
}

// Of a person who was told what happened without the card.
Result<> test_told(DecideFunction decide) {
  Case told;
  told.have_emergency();
  told.grant.shown = {told.owner->emergencies.front().id};
  told.sign();
  if (!decide(told.inquiry())) return failed("a person who was told was not believed");
  return {};
}

Result<> test_acts(DecideActFunction decide_act) {
  for (const Act wanted : {Act::kAppoint, Act::kTopUp, Act::kEmergencyLeave}) {
    const std::string of = " as act " + std::to_string(static_cast<int>(wanted));
    Case good;
    good.act(wanted);
    const auto first = decide_act(good.inquiry(), wanted);
    if (!first || first->step != Step::kAccept) return failed("a good card was refused" + of);
    good.accept();
    const auto again = decide_act(good.inquiry(), wanted);
    const bool is_again = again && again->step == Step::kResume;
    if (wanted != Act::kTopUp && !is_again) return failed("what was told was not known" + of);
    std::vector<Deny> all = card_denies();
    std::ranges::move(act_denies(wanted), std::back_inserter(all));
    for (const Deny& deny : all) {
      Case changed;
      changed.act(wanted);
      deny.change(changed);
      TRY(expect_refused(decide_act(changed.inquiry(), wanted), deny.reason, of));
    }
  }
  const Case use;
  return expect_refused(decide_act(use.inquiry(), Act::kUse), Reason::kOtherAct, " as a use");
}

}  // namespace

Result<> self_test(DecideFunction decide, DecideActFunction decide_act) {
  Case good;
  if (const auto first = decide(good.inquiry()); !first || first->step != Step::kAccept) {
    return failed("a good grant was not accepted");
  }
  good.accept();
  if (const auto again = decide(good.inquiry()); !again || again->step != Step::kResume) {
    return failed("an accepted grant was not resumed");
  }
  Case guardian;
  guardian.act_for(Capacity::kGuardian, {guardian.now.value + 1});
  if (!decide(guardian.inquiry())) return failed("a guardian's good grant was not accepted");
  Case emergency;
  emergency.open_in_emergency();
  if (!decide(emergency.inquiry())) return failed("a good emergency was not accepted");
  const Pseudonym officers[] = {emergency.record.person, emergency.record.person};
  const Grant one_officer[] = {emergency.grant, emergency.grant};
  if (!why_not_together({one_officer, 1}, {officers, 1}) ||
      !why_not_together(one_officer, officers)) {
    return failed("one officer was let through as two");
  }
  const Pseudonym persons[] = {guardian.record.person, guardian.record.person};
  guardian.grant.together = 2;
  const Grant twice[] = {guardian.grant, guardian.grant};
  if (!why_not_together({twice, 1}, {persons, 1}) || !why_not_together(twice, persons)) {
    return failed("one guardian was let through as two");
  }
  std::vector<Deny> all = card_denies();
  std::ranges::move(use_denies(), std::back_inserter(all));
  std::ranges::move(emergency_denies(), std::back_inserter(all));
  for (const Deny& deny : all) {
    Case changed;
    deny.change(changed);
    const auto decision = decide(changed.inquiry());
    TRY(expect_refused(decision, deny.reason, ""));
  }
  TRY(test_told(decide));
  return test_acts(decide_act);
}

Result<> self_test_once(DecideFunction decide, DecideActFunction decide_act) {
  static std::mutex mutex;
  static std::vector<std::pair<DecideFunction, DecideActFunction>> passed;
  const std::lock_guard lock(mutex);
  const std::pair pair(decide, decide_act);
  if (std::ranges::find(passed, pair) != passed.end()) return {};
  TRY(self_test(decide, decide_act));
  passed.push_back(pair);
  return {};
}

}  // namespace warifu::consent
