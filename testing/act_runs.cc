// The person's card, the officers' cards, and what may be.
#include "testing/act_runs.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "testing/gate_life.h"

namespace warifu::sim {
namespace {

using namespace consent;

constexpr std::uint32_t kFirstKeys = 6;     // of the person's card
constexpr std::uint32_t kOfficerKeys = 60;  // more than a run needs
constexpr std::size_t kPerson = 4;          // who is no officer of the own data
constexpr std::int64_t kMinute = 60'000;

using OneTimeKey = std::array<Byte, card::kOneTimeKeyBytes>;

struct Holder {
  CardId card;
  Pseudonym person;
  std::map<std::uint32_t, OneTimeKey> keys;  // that are on the card
  std::uint32_t next = 1, end = 1;           // of its indices
  bool is_revoked = false;                   // the gate has confirmed it
};

struct Proof {
  Grant grant;
  Bytes bytes;
  Evidence evidence;
  std::optional<JointId> hidden;  // an emergency of which it does not tell the person
  std::size_t holder = kPerson;
  bool is_withdrawn = false;  // the gate has confirmed it
  std::set<JobId> sessions;
};

struct Leave {
  ObjectId object;
  os::UnixMs until;
};

class ActRun final : public GateLife {
 public:
  ActRun(std::uint64_t seed, GateBug bug) : GateLife(seed, bug) {
    for (Holder& holder : holders_) {
      holder.card = os::random_id<CardId>(random_);
      holder.person = os::random_id<Pseudonym>(random_);
    }
    set_rule(true);
    open();
    for (Holder& holder : holders_) {
      const std::uint32_t count = &holder == &person() ? kFirstKeys : kOfficerKeys;
      const auto keys =
          gate_->enrol({holder.card, holder.person, card::CardKind::kOneTimeMac, {{1}, count}});
      WARIFU_CHECK(keys.has_value());
      install(holder, {{1}, count}, *keys);
    }
  }

 private:
  void step() override {
    switch (dice_.below(22)) {
      case 0:
      case 1: return top_up();
      case 2: return top_up_again();
      case 3: return use_dead_key();
      case 4:
      case 5: return consent();
      case 6: return consent_again();
      case 7:
      case 8:
      case 9: return allow();
      case 10: return dice_.one_in(2) ? forbid(some_object()) : hear_of_others();
      case 11: return clock_.advance(std::chrono::milliseconds(dice_.below(10 * kMinute)));
      case 12: return change_site();
      case 13: return dice_.one_in(4) ? revoke_one() : withdraw_one();
      case 14: return show_bent();
      case 15:
      case 16:
      case 17: return open_object();
      default: return show();
    }
  }

  void after_power() override {
    // Power failed while a proof was looked at: the gate may have noted of what it tells, or not.
    told_.insert(telling_.begin(), telling_.end());
    telling_.clear();
    if (leave_) tell_leave();
    if (forbidden_) forbid(*forbidden_);
    if (withdrawing_ != nullptr) withdraw(*withdrawing_);
    if (revoking_ != nullptr) revoke(*revoking_);
  }

  void at_end() override {
    if (logged("emergency_release") < released_) violate("a permit is not in the log");
  }

  Holder& person() { return holders_[kPerson]; }

  // Three officers of the site's, and the person, who may not be one for the own data; the fourth
  // holder is nobody here.
  void set_rule(bool is_on) {
    options_.break_glass.reset();
    if (!is_on) return;
    options_.break_glass = BreakGlass{{}, static_cast<std::uint8_t>(dice_.between(2, 3))};
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{2}, kPerson}) {
      options_.break_glass->officers.push_back(holders_[i].card);
    }
  }
  void change_site() {
    set_rule(!dice_.one_in(4));
    restart();
  }

  ObjectId some_object() {
    ObjectId object;
    const std::uint64_t which = dice_.below(4);
    if (which > 0) object.bytes.fill(static_cast<Byte>(which % 2 + 1));
    return object;  // one of two, or zero: all
  }

  // --- what a card proves ---

  Grant base(const ObjectId& object) {
    return {.object = object,
            .grantee = {GranteeKind::kPerson, "Dr. Ito", {}},
            .destination = destination_,
            .not_before = {clock_.now().value - 1000},
            .expiry = {clock_.now().value + 60 * kMinute},
            .terminal = "desk"};
  }

  std::optional<Proof> prove(std::size_t who, Grant grant) {
    Holder& holder = holders_[who];
    const auto key = holder.keys.find(holder.next);
    if (key == holder.keys.end()) return std::nullopt;
    const auto challenge = gate_->issue_nonce(holder.card);
    if (!challenge) return std::nullopt;  // revoked
    Proof proof;
    proof.holder = who;
    if (grant.capacity == Capacity::kOwn) {
      for (const Emergency& one : challenge->untold) grant.shown.push_back(one.id);
      if (!grant.shown.empty() && dice_.one_in(5)) {
        proof.hidden = grant.shown.back();
        grant.shown.pop_back();
      }
      std::ranges::sort(grant.shown);
    }
    grant.card = holder.card;
    grant.index = {holder.next++};
    grant.sites = {{site_, challenge->nonce}};
    telling_ = grant.shown;
    proof.grant = std::move(grant);
    proof.bytes = *encode_grant(proof.grant);
    proof.evidence = {site_, card::CardKind::kOneTimeMac, tag_under(key->second, proof.bytes)};
    return proof;
  }

  // The gate has taken a proof of the person's own card, or refused it.
  bool took(const Proof& proof, bool is_taken, const std::string& what) {
    telling_.clear();
    if (is_taken && proof.hidden) violate("an emergency was hidden from the person");
    if (!is_taken && !proof.hidden) violate("a good proof was refused: " + what);
    if (is_taken) tally_.told += proof.grant.shown.size();
    if (is_taken) told_.insert(proof.grant.shown.begin(), proof.grant.shown.end());
    return is_taken;
  }

  // A proof that was refused, or cut off, before: it counts now.
  void took_late(const Proof& proof) {
    // Perhaps the person was told since by another one, which came first; and what share control
    // told of may have been pushed out by more of the same.
    const bool is_own = proof.hidden && own_.contains(*proof.hidden);
    if (is_own && !told_.contains(*proof.hidden)) violate("an emergency was hidden");
    told_.insert(proof.grant.shown.begin(), proof.grant.shown.end());
  }

  // --- more keys ---

  static void install(Holder& holder, card::KeyRange range, const card::SiteKeys& keys) {
    for (std::uint32_t i = 0; i < range.count; ++i) {
      copy_bytes(holder.keys[range.first.value + i], key_of(keys, i));
    }
    holder.end = range.end().value;
  }
  static ByteView key_of(const card::SiteKeys& keys, std::size_t i) {
    return ByteView(keys.keys.bytes()).subspan(i * card::kOneTimeKeyBytes, card::kOneTimeKeyBytes);
  }

  void top_up() {
    Grant act = base({});
    act.top_up = card::KeyRange{{person().end}, static_cast<std::uint32_t>(dice_.between(1, 6))};
    auto proof = prove(kPerson, act);
    if (!proof) return;
    top_ups_.push_back({*proof, false});
    const auto keys = gate_->top_up(proof->bytes, proof->evidence);
    if (!took(*proof, keys.has_value(), "top-up")) return;
    top_ups_.back().second = true;
    take_keys(*proof->grant.top_up, *keys, dice_.one_in(3));
  }

  // On the card, or the card was torn away and somebody kept them.
  void take_keys(card::KeyRange range, const card::SiteKeys& keys, bool is_torn) {
    ++tally_.top_ups;
    // What was drawn for these indices before counts no more.
    dead_.insert(dead_.end(), stray_.begin(), stray_.end());
    stray_.clear();
    if (!is_torn) return install(person(), range, keys);
    for (std::uint32_t i = 0; i < range.count; ++i) {
      copy_bytes(stray_.emplace_back(range.first.value + i, OneTimeKey{}).second, key_of(keys, i));
    }
  }

  void top_up_again() {
    if (top_ups_.empty()) return;
    auto& [proof, was_given] = top_ups_[dice_.below(top_ups_.size())];
    ++tally_.acts_again;
    const auto keys = gate_->top_up(proof.bytes, proof.evidence);
    if (!keys) return;
    if (was_given) return violate("keys were handed out twice for one proof");
    was_given = true;  // power had failed before the gate had done anything
    took_late(proof);
    take_keys(*proof.grant.top_up, *keys, true);
  }

  // Somebody kept keys of a top-up that another one has replaced.
  void use_dead_key() {
    if (dead_.empty()) return;
    const auto& [index, key] = dead_[dice_.below(dead_.size())];
    const auto challenge = gate_->issue_nonce(person().card);
    if (!challenge) return;
    Grant grant = base(object_of(1));
    for (const Emergency& one : challenge->untold) grant.shown.push_back(one.id);
    std::ranges::sort(grant.shown);
    grant.card = person().card;
    grant.index = {index};
    grant.sites = {{site_, challenge->nonce}};
    const Bytes bytes = *encode_grant(grant);
    ++tally_.bent;
    const Evidence evidence{site_, card::CardKind::kOneTimeMac, tag_under(key, bytes)};
    if (gate_->request_release(bytes, evidence, request_of(grant))) {
      violate("two keys of one index counted");
    }
  }

  // --- the person's consents ---

  static ObjectId object_of(std::uint64_t number) {
    ObjectId object;
    object.bytes.fill(static_cast<Byte>(number));
    return object;
  }
  ReleaseRequest request_of(const Grant& grant) {
    return {.object = grant.object,
            .owner = person().person,
            .destination = grant.destination,
            .purpose = grant.purpose,
            .session = os::random_id<JobId>(random_),
            .grantee = grant.grantee,
            .stated = {},
            .scope = grant.scope};
  }

  void consent() {
    Grant grant = base(object_of(dice_.between(1, 2)));
    grant.uses = static_cast<std::uint16_t>(dice_.between(1, 2));
    auto proof = prove(kPerson, grant);
    if (!proof) return;
    given_.push_back(std::move(*proof));
    Proof& given = given_.back();
    const ReleaseRequest request = request_of(given.grant);
    const auto permit = gate_->request_release(given.bytes, given.evidence, request);
    if (took(given, permit.has_value(), "consent")) judge_use(given, request.session);
  }
  void consent_again() {
    if (given_.empty()) return;
    Proof& given = given_[dice_.below(given_.size())];
    ReleaseRequest request = request_of(given.grant);
    request.use = static_cast<std::uint16_t>(given.sessions.size() + 1);
    if (!gate_->request_release(given.bytes, given.evidence, request)) {
      ++tally_.refusals;
      return;
    }
    took_late(given);
    judge_use(given, request.session);
  }
  void judge_use(Proof& given, const JobId& session) {
    ++tally_.permits;
    given.sessions.insert(session);
    if (given.is_withdrawn) violate("a withdrawn consent was used");
    if (clock_.now() >= given.grant.expiry) violate("an expired consent was used");
    if (given.sessions.size() > given.grant.uses) violate("a consent was used too often");
  }
  // --- leave for emergencies ---

  void allow() {
    Grant act = base(some_object());
    act.emergency_until =
        os::UnixMs{clock_.now().value + static_cast<std::int64_t>(dice_.between(1, 60)) * kMinute};
    leave_ = prove(kPerson, act);
    if (!leave_) return;
    leaves_.push_back({act.object, *act.emergency_until});  // perhaps, whatever fails
    tell_leave();
  }
  void tell_leave() {
    const Proof proof = *leave_;
    const auto said = gate_->take_act(proof.bytes, proof.evidence);
    leave_.reset();
    const Leave fresh{proof.grant.object, *proof.grant.emergency_until};
    std::erase_if(leaves_, [&](const Leave& one) {
      return said ? one.object == fresh.object
                  : one.object == fresh.object && one.until == fresh.until;
    });
    if (!took(proof, said.has_value(), "leave")) return;
    leaves_.push_back(fresh);
    ++tally_.leaves;
  }
  void forbid(const ObjectId& object) {
    forbidden_ = object;
    const auto done = gate_->take_order({.id = os::random_id<OrderId>(random_),
                                         .kind = PersonOrderKind::kForbidEmergency,
                                         .person = person().person,
                                         .at = clock_.now(),
                                         .object = object});
    if (!done) return violate("what was allowed could not be forbidden");
    forbidden_.reset();
    std::erase_if(leaves_,
                  [&](const Leave& one) { return object.is_zero() || one.object == object; });
  }

  // --- emergencies ---

  void open_object() {
    Grant grant = base(object_of(dice_.between(1, 2)));
    grant.purpose = Purpose::kMedicine;
    grant.capacity = Capacity::kEmergency;
    grant.together = static_cast<std::uint8_t>(dice_.between(2, 3));
    grant.joint = os::random_id<JointId>(random_);
    grant.reason = "unconscious";
    std::vector<Proof> together;
    std::size_t who = dice_.below(4);
    for (std::uint8_t i = 0; i < grant.together; ++i) {
      auto proof = prove(dice_.one_in(12) ? kPerson : who % 4, grant);
      if (proof) together.push_back(std::move(*proof));
      if (!dice_.one_in(8)) ++who;  // now and then one of them twice
    }
    if (!together.empty()) openings_.push_back(std::move(together));
  }

  void show() {
    if (openings_.empty()) return;
    // Most tries are with the latest: the others are used up or too old.
    const std::size_t which =
        dice_.one_in(3) ? dice_.below(openings_.size()) : openings_.size() - 1;
    std::vector<Proof>& together = openings_[which];
    std::vector<Presented> presented;
    for (const Proof& proof : together) presented.push_back({proof.bytes, proof.evidence});
    if (presented.size() > 1 && dice_.one_in(8)) presented.pop_back();
    const Grant& first = together.front().grant;
    const std::span shown(together.data(), presented.size());
    if (dice_.one_in(4)) {
      if (gate_->may_give_record(presented, first.object, person().person)) judge_opening(shown);
      return;
    }
    const ReleaseRequest request = request_of(first);
    if (!gate_->request_release(presented, request)) {
      ++tally_.refusals;
      return;
    }
    ++tally_.by_officers;
    judge_opening(shown);
    together.front().sessions.insert(request.session);
    if (together.front().sessions.size() > 1) violate("an emergency was used twice");
    released_ += presented.size();
  }

  void judge_opening(std::span<const Proof> shown) {
    const Grant& first = shown.front().grant;
    const auto& rule = options_.break_glass;
    if (!rule || shown.size() < rule->needed) violate("the site's rule does not open this");
    if (shown.size() != first.together) violate("fewer officers than belong together");
    std::set<std::size_t> who;
    for (const Proof& proof : shown) {
      who.insert(proof.holder);
      if (proof.holder > 2) violate("somebody is no officer here");
      if (proof.is_withdrawn) violate("a withdrawn grant opened an object");
      if (holders_[proof.holder].is_revoked) violate("a revoked card opened an object");
      if (clock_.now() >= proof.grant.expiry) violate("an emergency was over");
    }
    if (who.size() != shown.size()) violate("one officer counted twice");
    const auto covers = [&](const Leave& one) {
      return (one.object.is_zero() || one.object == first.object) && clock_.now() < one.until;
    };
    if (std::ranges::none_of(leaves_, covers)) violate("the person has not allowed it");
    own_.insert(first.joint);
    look_for_own();
  }

  // What this gate has opened is noted until the person was told.
  void look_for_own() {
    const auto known = gate_->emergencies({0});
    for (const JointId& id : own_) {
      const auto is_it = [&](const auto& one) { return one.second.id == id; };
      if (!told_.contains(id) && std::ranges::none_of(known, is_it)) {
        violate("an emergency was forgotten before the person was told");
      }
    }
  }

  void hear_of_others() {
    for (std::uint64_t i = dice_.between(1, 40); i > 0; --i) {
      const auto noted = gate_->note_emergency(person().person, {os::random_id<JointId>(random_),
                                                                 object_of(1),
                                                                 clock_.now(),
                                                                 {},
                                                                 {holders_[0].card},
                                                                 "made up"});
      if (!noted) return violate("an emergency could not be noted");
    }
    look_for_own();
  }

  void show_bent() {
    if (openings_.empty()) return;
    const std::vector<Proof>& together = openings_.back();
    std::vector<Presented> presented;
    for (const Proof& proof : together) presented.push_back({proof.bytes, proof.evidence});
    Grant bent = together.front().grant;
    ReleaseRequest request = request_of(bent);
    switch (dice_.below(5)) {
      case 0: bent.reason += "!"; break;
      case 1: bent.object = request.object = object_of(9); break;
      case 2: bent.expiry.value += kMinute; break;
      case 3: request.object = object_of(9); break;
      default: presented.front().evidence.tag[dice_.below(16)] ^= 4; break;
    }
    if (bent != together.front().grant) {
      // Not past what an emergency may last.
      const auto bytes = encode_grant(bent);
      if (bytes) presented.front().grant = *bytes;
    }
    ++tally_.bent;
    if (gate_->request_release(presented, request)) violate("a bent emergency was let through");
  }

  // --- taking away ---

  void withdraw_one() {
    const bool of_officers = !openings_.empty() && dice_.one_in(2);
    if (!of_officers && given_.empty()) return;
    if (!of_officers) return withdraw(given_[dice_.below(given_.size())]);
    std::vector<Proof>& together = openings_[dice_.below(openings_.size())];
    withdraw(together[dice_.below(together.size())]);
  }
  void withdraw(Proof& proof) {
    withdrawing_ = &proof;
    const auto done = gate_->withdraw(proof.grant.card, grant_id(proof.bytes), proof.grant.expiry);
    withdrawing_ = nullptr;
    if (!done) return violate("a withdrawal failed: " + done.error().message);
    proof.is_withdrawn = true;
    ++tally_.withdrawals;
  }
  void revoke_one() { revoke(holders_[dice_.below(3)]); }
  void revoke(Holder& holder) {
    revoking_ = &holder;
    const auto done = gate_->revoke(holder.card);
    revoking_ = nullptr;
    if (!done) return violate("a revocation failed: " + done.error().message);
    holder.is_revoked = true;
    ++tally_.revocations;
  }

  std::array<Holder, 5> holders_;
  std::vector<std::pair<Proof, bool>> top_ups_;  // whether its keys were handed out
  std::vector<std::pair<std::uint32_t, OneTimeKey>> stray_, dead_;  // keys that no card has
  std::vector<Proof> given_;
  std::vector<Leave> leaves_;  // of which each may hold
  std::optional<Proof> leave_;
  std::optional<ObjectId> forbidden_;
  std::vector<std::vector<Proof>> openings_;
  std::set<JointId> own_, told_;  // told, or perhaps: see after_power()
  std::vector<JointId> telling_;  // by the proof that is on its way to the gate
  std::uint64_t released_ = 0;    // lines that the log must have
  Proof* withdrawing_ = nullptr;
  Holder* revoking_ = nullptr;
};

}  // namespace

GateTally run_acts(std::uint64_t seed, GateBug bug) {
  return ActRun(seed, bug).run();
}

}  // namespace warifu::sim
