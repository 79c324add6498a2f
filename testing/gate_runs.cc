// One gate on a simulated disk, and what the person allowed.
#include "testing/gate_runs.h"

#include <algorithm>
#include <optional>
#include <set>

#include "testing/gate_life.h"
#include "testing/gate_scopes.h"
#include "testing/signing_card.h"

namespace warifu::sim {
namespace {

using namespace consent;

constexpr std::uint32_t kKeys = 40;

struct Given {
  Grant grant;
  Bytes bytes;
  Evidence evidence;
  Bytes signature;         // of a signature card
  bool proved = false;     // by it, and the gate has confirmed that
  bool withdrawn = false;  // the gate has confirmed it
  std::set<JobId> sessions;
  std::set<std::uint16_t> numbers;  // of the uses that these have taken
};

class GateRun final : public GateLife {
 public:
  GateRun(std::uint64_t seed, GateBug bug, GateCard kind)
      : GateLife(seed, bug), signs_(kind == GateCard::kSignature) {
    person_ = os::random_id<Pseudonym>(random_);
    if (signs_) {
      begin_signed();
      return;
    }
    open();
    card_ = os::random_id<CardId>(random_);
    auto keys = gate_->enrol({card_, person_, card::CardKind::kOneTimeMac, {{1}, kKeys}});
    WARIFU_CHECK(keys.has_value());
    keys_ = std::move(*keys);
    enrol_helper();
  }

 private:
  void begin_signed() {
    const SigningCard& card = signing_card();
    options_.signatures = card.trust(os::real_files());
    // The certificate begins today, whatever day that is.
    const os::UnixMs today = os::real_clock().now();
    if (clock_.now() < today) {
      clock_.advance(std::chrono::milliseconds(today.value - clock_.now().value));
    }
    open();
    card_ = signature_card_id(card.certificate);
    const Bytes statement = enrolment_statement(card_, clock_.now());
    WARIFU_CHECK(
        gate_->enrol_signature({person_, card.certificate, clock_.now(), card.sign(statement)})
            .has_value());
  }

  void after_power() override {
    if (pending_withdrawal_) withdraw(*pending_withdrawal_);
    if (revoking_) revoke();
    if (removing_) remove_proxy();
  }

  void step() override {
    switch (dice_.below(21)) {
      case 0:
      case 1:
      case 2:
      case 3: return give();
      case 4:
      case 5:
      case 6:
      case 7: return show(false);
      case 8:
      case 9: return show(true);
      case 10:
      case 11: return show_bent();
      case 12: return withdraw_one();
      case 13: return dice_.one_in(8) ? revoke() : show(true);
      case 14: return clock_.advance(std::chrono::milliseconds(dice_.below(20 * 60'000)));
      case 15: return restart();
      case 16: return name_proxy();
      case 17: return dice_.one_in(3) ? remove_proxy() : show(false);
      case 18: return give(Capacity::kProxy);
      default: return give(Capacity::kGuardian);
    }
  }

  // Somebody who may become the person's proxy and is guardian of a ward until a day soon.
  void enrol_helper() {
    helper_card_ = os::random_id<CardId>(random_);
    helper_ = os::random_id<Pseudonym>(random_);
    ward_ = os::random_id<Pseudonym>(random_);
    auto keys = gate_->enrol({helper_card_, helper_, card::CardKind::kOneTimeMac, {{1}, kKeys}});
    WARIFU_CHECK(keys.has_value());
    helper_keys_ = std::move(*keys);
    of_age_.value = clock_.now().value + static_cast<std::int64_t>(dice_.between(1, 60)) * 60'000;
    const PersonOrder order{.id = os::random_id<OrderId>(random_),
                            .kind = PersonOrderKind::kGuardians,
                            .person = ward_,
                            .at = clock_.now(),
                            .card = os::random_id<CardId>(random_),
                            .of_age = of_age_,
                            .needed = 1,
                            .guardians = {helper_card_}};
    WARIFU_CHECK(gate_->take_order(order).has_value());
    has_guardian_ = dice_.one_in(2);  // else no officer has allowed it
    if (has_guardian_) WARIFU_CHECK(gate_->allow_order(order.id).has_value());
  }

  void give(Capacity capacity = Capacity::kOwn) {
    const bool is_own = capacity == Capacity::kOwn;
    std::uint32_t& index = is_own ? next_index_ : helper_index_;
    if (index > kKeys && !(signs_ && is_own)) return;
    const auto challenge = gate_->issue_nonce(is_own ? card_ : helper_card_);
    if (!challenge) return;  // revoked
    Given given;
    given.grant = {
        .card = is_own ? card_ : helper_card_,
        .object = object_of(dice_.below(3)),
        .purpose = static_cast<Purpose>(dice_.between(1, 3)),
        .uses = static_cast<std::uint16_t>(dice_.between(1, 3)),
        .grantee = {GranteeKind::kPerson, "Dr. Sato", {}},
        .destination = destination_,
        .not_before = {clock_.now().value - 1000},
        .expiry = {clock_.now().value + static_cast<std::int64_t>(dice_.between(1, 60)) * 60'000},
        .index = {index},
        .locale = Locale::kEnglish,
        .terminal = "desk",
        .text_digest = {},
        .sites = {{site_, challenge->nonce}},
        .scope = some_scope(dice_),
        .capacity = capacity};
    // Now and then a copied card gives an index twice.
    if (!dice_.one_in(5)) ++index;
    given.bytes = *encode_grant(given.grant);
    given.evidence = {site_, card::CardKind::kSignatureEmulated, {}};
    if (signs_ && is_own) {
      given.signature = signing_card().sign(given.bytes);
    } else {
      given.evidence = {site_, card::CardKind::kOneTimeMac,
                        tag(is_own ? keys_ : helper_keys_, given.grant.index, given.bytes)};
    }
    given_.push_back(std::move(given));
    if (signs_ && is_own && !dice_.one_in(4)) prove(given_.back());
  }

  // Now and then twice, and again when a crash has taken the answer: the same receipt.
  void prove(Given& given) {
    const auto evidence = gate_->accept_signature(given.bytes, given.signature);
    if (!evidence) {
      ++tally_.refusals;
      if (given.proved && !given.withdrawn && !revoked_ && clock_.now() < given.grant.expiry) {
        violate("a proof that was confirmed is forgotten");
      }
      return;
    }
    if (given.proved && *evidence != given.evidence) violate("a second receipt for one consent");
    if (revoked_) violate("a revoked card has proved a consent");
    given.evidence = *evidence;
    given.proved = true;
  }

  void name_proxy() {
    if (signs_ || next_index_ > kKeys) return;  // by a one-time card
    const auto challenge = gate_->issue_nonce(card_);
    if (!challenge) return;  // revoked
    Mandate mandate{.purposes = static_cast<std::uint8_t>(dice_.between(1, 7))};
    mandate.until.value =
        clock_.now().value + static_cast<std::int64_t>(dice_.between(1, 40)) * 60'000;
    const Grant grant{.card = card_,
                      .grantee = {GranteeKind::kPerson, "Dr. Ito", {}},
                      .destination = destination_,
                      .not_before = {clock_.now().value - 1000},
                      .expiry = {clock_.now().value + 60'000},
                      .index = {next_index_++},
                      .locale = Locale::kEnglish,
                      .terminal = "desk",
                      .text_digest = {},
                      .sites = {{site_, challenge->nonce}},
                      .appointment = Appointment{helper_card_, mandate}};
    const Bytes bytes = *encode_grant(grant);
    mandates_.push_back(mandate);  // perhaps, whatever fails
    const auto named = gate_->take_act(
        bytes, {site_, card::CardKind::kOneTimeMac, tag(keys_, grant.index, bytes)});
    if (named) {
      mandates_ = {mandate};  // and no other
    } else {
      mandates_.pop_back();  // its index was a copied card's
    }
  }

  void remove_proxy() {
    removing_ = true;
    const auto removed = gate_->take_order({.id = os::random_id<OrderId>(random_),
                                            .kind = PersonOrderKind::kRemoveProxy,
                                            .person = person_,
                                            .at = clock_.now(),
                                            .card = helper_card_});
    if (!removed) return violate("a proxy could not be removed: " + removed.error().message);
    removing_ = false;
    mandates_.clear();
  }

  static mac::Tag tag(const card::SiteKeys& keys, card::KeyIndex index, ByteView bytes) {
    const ByteView key =
        ByteView(keys.keys.bytes())
            .subspan((index.value - 1) * card::kOneTimeKeyBytes, card::kOneTimeKeyBytes);
    return tag_under(key, bytes);
  }

  Given* any_given() { return given_.empty() ? nullptr : &given_[dice_.below(given_.size())]; }

  static std::uint16_t free_use(const Given& given) {
    std::uint16_t use = 1;
    while (given.numbers.contains(use)) ++use;
    return use;
  }

  ReleaseRequest request_of(const Given& given, const JobId& session) {
    return {.object = given.grant.object,
            .owner = given.grant.capacity == Capacity::kGuardian ? ward_ : person_,
            .destination = given.grant.destination,
            .purpose = given.grant.purpose,
            .session = session,
            .use = free_use(given),
            .grantee = given.grant.grantee,
            .stated = {},
            .scope = some_of(given.grant.scope, dice_)};
  }

  void show(bool again) {
    Given* given = any_given();
    if (given == nullptr) return;
    const bool is_signed = signs_ && given->grant.capacity == Capacity::kOwn;
    if (is_signed && (!given->proved || dice_.one_in(6))) prove(*given);
    JobId session = os::random_id<JobId>(random_);
    if (again && !given->sessions.empty()) session = *given->sessions.begin();
    ReleaseRequest request = request_of(*given, session);
    if (dice_.one_in(4)) request.use = static_cast<std::uint16_t>(dice_.between(1, 3));
    const auto permit = gate_->request_release(given->bytes, given->evidence, request);
    if (!permit) {
      ++tally_.refusals;
      return;
    }
    ++tally_.permits;
    judge(*given, *permit, request);
  }

  void judge(Given& given, const Permit& permit, const ReleaseRequest& request) {
    const Grant& grant = given.grant;
    const JobId& session = request.session;
    if (given.sessions.insert(session).second && !given.numbers.insert(request.use).second) {
      violate("one use went to two sessions");
    }
    if (given.withdrawn) violate("a withdrawn consent was used");
    if (revoked_ && grant.card == card_) violate("a consent of a revoked card was used");
    judge_capacity(grant, permit);
    if (clock_.now() >= grant.expiry) violate("an expired consent was used");
    if (given.sessions.size() > grant.uses) violate("a consent was used more often than it says");
    if (permit.object() != grant.object || permit.destination() != grant.destination ||
        permit.expiry() > grant.expiry || permit.session() != session) {
      violate("a permit is wider than its consent");
    }
    if (!keeps_to(grant.scope, permit)) violate("a permit is for other chunks");
    const auto same_index = [&](const Given& other) {
      return &other != &given && other.grant.card == grant.card &&
             other.grant.index == grant.index && !other.sessions.empty();
    };
    if (std::ranges::any_of(given_, same_index)) violate("one index was used for two consents");
  }

  void judge_capacity(const Grant& grant, const Permit& permit) {
    if (grant.capacity == Capacity::kProxy) {
      ++tally_.by_proxies;
      const auto holds = [&](const Mandate& mandate) {
        return mandate.covers(grant.purpose, grant.object) && clock_.now() < mandate.until;
      };
      if (std::ranges::none_of(mandates_, holds)) violate("a proxy consented beyond the mandate");
    }
    if (grant.capacity == Capacity::kGuardian) {
      ++tally_.by_guardians;
      if (!has_guardian_ || clock_.now() >= of_age_) violate("a guardian consented too late");
      if (permit.expiry() > of_age_) violate("a permit outlives the day of coming of age");
    }
  }

  // The request, the grant or the evidence is not what the card proved.
  void show_bent() {
    const Given* given = any_given();
    if (given == nullptr) return;
    ++tally_.bent;
    const JobId session = os::random_id<JobId>(random_);
    ReleaseRequest request = request_of(*given, session);
    Bytes bytes = given->bytes;
    Evidence evidence = given->evidence;
    Grant wider = given->grant;
    switch (dice_.below(13)) {
      case 12:
        request.object = object_of(7);
        if (given->grant.scope.is_whole()) break;
        request.object = given->grant.object;
        request.scope.chunks = {
            {static_cast<std::uint32_t>(given->grant.scope.chunks.back().end()), 1}};
        break;
      case 9: request.owner = request.owner == ward_ ? person_ : ward_; break;
      case 10: request.grantee.name += "."; break;
      case 11:
        wider.capacity = static_cast<Capacity>((static_cast<int>(wider.capacity) + 1) % 3);
        break;
      case 0: request.object = object_of(7); break;
      case 1: request.owner = os::random_id<Pseudonym>(random_); break;
      case 2: request.destination = site_; break;
      case 3:
        request.purpose = static_cast<Purpose>(1 + static_cast<int>(request.purpose) % 3);
        break;
      case 4: wider.uses = static_cast<std::uint16_t>(wider.uses + 1); break;
      case 5: wider.expiry.value += 3'600'000; break;
      case 6: wider.purpose = static_cast<Purpose>(1 + static_cast<int>(wider.purpose) % 3); break;
      case 7: evidence.tag[dice_.below(16)] ^= static_cast<Byte>(1U << dice_.below(8)); break;
      default: bytes[dice_.below(bytes.size())] ^= static_cast<Byte>(1U << dice_.below(8)); break;
    }
    if (wider.uses != given->grant.uses || wider.expiry != given->grant.expiry ||
        wider.purpose != given->grant.purpose || wider.capacity != given->grant.capacity) {
      bytes = *encode_grant(wider);
      request.purpose = wider.purpose;
    }
    const bool is_signed = signs_ && given->grant.capacity == Capacity::kOwn;
    if (is_signed && bytes != given->bytes && gate_->accept_signature(bytes, given->signature)) {
      violate("a signature counted for another grant");
    }
    if (is_signed && !given->proved && gate_->request_release(bytes, evidence, request)) {
      violate("a consent counted that was not proved");
    }
    if (gate_->request_release(bytes, evidence, request)) violate("what was bent was let through");
  }

  void withdraw_one() {
    if (given_.empty()) return;
    withdraw(dice_.below(given_.size()));
  }
  void withdraw(std::size_t which) {
    pending_withdrawal_ = which;
    Given& given = given_[which];
    const auto done = gate_->withdraw(given.grant.card, grant_id(given.bytes), given.grant.expiry);
    pending_withdrawal_.reset();
    if (!done) return violate("a withdrawal failed: " + done.error().message);
    given.withdrawn = true;
    ++tally_.withdrawals;
  }
  void revoke() {
    revoking_ = true;
    if (const auto done = gate_->revoke(card_); !done) {
      return violate("a revocation failed: " + done.error().message);
    }
    revoking_ = false;
    revoked_ = true;
    ++tally_.revocations;
  }

  void at_end() override {
    if (logged("release") < tally_.permits) violate("a permit is not in the log");
  }

  static ObjectId object_of(std::uint64_t number) {
    ObjectId object;
    object.bytes.fill(static_cast<Byte>(number + 1));
    return object;
  }

  const bool signs_;
  CardId card_;
  Pseudonym person_;
  card::SiteKeys keys_;
  std::uint32_t next_index_ = 1;
  std::vector<Given> given_;
  std::optional<std::size_t> pending_withdrawal_;
  bool revoking_ = false, revoked_ = false;
  CardId helper_card_;
  Pseudonym helper_, ward_;
  card::SiteKeys helper_keys_;
  std::uint32_t helper_index_ = 1;
  os::UnixMs of_age_;
  bool has_guardian_ = false, removing_ = false;
  std::vector<Mandate> mandates_;  // of which one may hold
};

}  // namespace

void GateTally::add(const GateTally& other) {
  runs += other.runs;
  steps += other.steps;
  permits += other.permits;
  refusals += other.refusals;
  crashes += other.crashes;
  withdrawals += other.withdrawals;
  revocations += other.revocations;
  bent += other.bent;
  by_proxies += other.by_proxies;
  by_guardians += other.by_guardians;
  by_officers += other.by_officers;
  top_ups += other.top_ups;
  acts_again += other.acts_again;
  leaves += other.leaves;
  told += other.told;
  violations += other.violations;
  if (first_violation.empty()) first_violation = other.first_violation;
}

GateTally run_gate(std::uint64_t seed, GateBug bug, GateCard card) {
  return GateRun(seed, bug, card).run();
}

}  // namespace warifu::sim
