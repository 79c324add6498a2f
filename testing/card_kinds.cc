// The matrix.
#include "testing/card_kinds.h"

#include <algorithm>
#include <functional>
#include <memory>

#include "consent/gate.h"
#include "testing/signing_card.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::sim {
namespace {

using namespace consent;
using card::CardKind;

constexpr std::int64_t kHour = 3'600'000;

struct Holder {
  CardKind kind = CardKind::kOneTimeMac;
  CardId card;
  Pseudonym person;
  card::SiteKeys keys;   // of a one-time card
  secret::Buffer token;  // that a DESFire card carries
};

ObjectId some_object() {
  ObjectId object;
  object.bytes.fill(0x0B);
  return object;
}

// A gate with one holder of the kind, and two with one-time cards.
class Table {
 public:
  explicit Table(CardKind kind) {
    options_.signatures = signing_card().trust(os::real_files());
    // The certificate begins today.
    const std::int64_t ahead = os::real_clock().now().value - clock_.now().value;
    if (ahead > 0) clock_.advance(std::chrono::milliseconds(ahead));
    one_ = draw(kind);
    other_ = draw(CardKind::kOneTimeMac);
    helper_ = draw(CardKind::kOneTimeMac);
    options_.break_glass = BreakGlass{{one_.card, helper_.card}, 2};
    const os::System system{disk_, clock_, random_};
    log_ = *audit::Log::open(system, "/audit.log", site_);
    gate_ = *Gate::open(system, "/gate", site_, root_, *log_, options_);
    for (Holder* holder : {&one_, &other_, &helper_}) enrol(*holder);
  }

  Result<> own() { return use(one_.person, {present(one_, grant())}); }
  Result<> names_proxy() {
    Grant act = plain();
    act.appointment = Appointment{helper_.card, {.until = {clock_.now().value + kHour}}};
    return take(one_, act);
  }
  Result<> allows_emergency() {
    Grant act = plain();
    act.emergency_until = os::UnixMs{clock_.now().value + kHour};
    return take(one_, act);
  }
  Result<> proxy() {
    Grant act = plain();
    act.appointment = Appointment{one_.card, {.until = {clock_.now().value + kHour}}};
    TRY(take(other_, act));
    Grant by_proxy = grant();
    by_proxy.capacity = Capacity::kProxy;
    const auto shown = present(one_, by_proxy);
    if (one_.kind != CardKind::kOneTimeMac) TRY(record(other_.person, {shown}));
    return use(other_.person, {shown});
  }
  Result<> guardian() {
    const auto ward = os::random_id<Pseudonym>(random_);
    const PersonOrder order{
        .id = os::random_id<OrderId>(random_),
        .kind = PersonOrderKind::kGuardians,
        .person = ward,
        .at = clock_.now(),
        .card = os::random_id<CardId>(random_),
        .of_age = {clock_.now().value + kHour},
        .needed = 2,
        .guardians = {std::min(one_.card, helper_.card), std::max(one_.card, helper_.card)}};
    TRY(gate_->take_order(order));
    TRY(gate_->allow_order(order.id));
    return together(ward, Capacity::kGuardian);
  }
  Result<> officer() {
    Grant act = plain();
    act.emergency_until = os::UnixMs{clock_.now().value + kHour};
    TRY(take(other_, act));
    return together(other_.person, Capacity::kEmergency);
  }

 private:
  Holder draw(CardKind kind) {
    Holder holder{kind, os::random_id<CardId>(random_), os::random_id<Pseudonym>(random_), {}, {}};
    if (card::is_signature(kind)) holder.card = signature_card_id(signing_card().certificate);
    return holder;
  }

  void enrol(Holder& holder) {
    if (card::is_signature(holder.kind)) {
      const os::UnixMs now = clock_.now();
      const Bytes signature = signing_card().sign(enrolment_statement(holder.card, now));
      const auto kind =
          gate_->enrol_signature({holder.person, signing_card().certificate, now, signature});
      WARIFU_CHECK(kind.has_value());
      holder.kind = *kind;
      return;
    }
    if (card::is_relayed(holder.kind)) {
      auto start = gate_->begin_personalising({holder.card, holder.person, 2});
      WARIFU_CHECK(start && gate_->finish_personalising(holder.card, holder.kind));
      holder.token = std::move(start->secrets.token);
      return;
    }
    auto keys = gate_->enrol({holder.card, holder.person, holder.kind, {{1}, 20}});
    WARIFU_CHECK(keys.has_value());
    holder.keys = std::move(*keys);
  }

  Grant plain() {
    return {.grantee = {GranteeKind::kPerson, "Dr. Sato", {}},
            .destination = *SiteName::parse("tommo"),
            .not_before = {clock_.now().value - 1000},
            .expiry = {clock_.now().value + kHour},
            .terminal = "desk"};
  }
  Grant grant() {
    Grant grant = plain();
    grant.object = some_object();
    grant.purpose = Purpose::kMedicine;
    return grant;
  }

  // As the card proves it: tags, a dialogue, a signature.
  Presented present(Holder& holder, Grant grant) {
    const auto challenge = gate_->issue_nonce(holder.card);
    WARIFU_CHECK(challenge.has_value());
    grant.card = holder.card;
    grant.index = challenge->lowest_index;
    grant.sites = {{site_, challenge->nonce}};
    Presented shown{*encode_grant(grant), {site_, holder.kind, {}}};
    if (card::is_signature(holder.kind)) {
      const auto proved = gate_->accept_signature(shown.grant, signing_card().sign(shown.grant));
      if (proved) shown.evidence = *proved;
    } else if (card::is_relayed(holder.kind)) {
      if (!gate_->begin_proof(shown.grant)) return shown;
      auto fresh = gate_->renew_token(shown.grant, holder.token.bytes());
      if (!fresh) return shown;
      holder.token = std::move(*fresh);
      if (const auto proved = gate_->accept_proof(shown.grant)) shown.evidence = *proved;
    } else {
      const std::size_t at = (grant.index.value - 1) * card::kOneTimeKeyBytes;
      const ByteView key = ByteView(holder.keys.keys.bytes()).subspan(at, card::kOneTimeKeyBytes);
      shown.evidence.tag = mac::one_time_tag(mac::Key(key.first(16)), shown.grant, key.last(16));
    }
    return shown;
  }

  Result<> take(Holder& holder, const Grant& act) {
    const Presented said = present(holder, act);
    Evidence bent = said.evidence;
    bent.tag[0] ^= 1;
    if (gate_->take_act(said.grant, bent)) return fail(Code::kCorrupt, "a bent act was taken");
    return gate_->take_act(said.grant, said.evidence);
  }
  Result<> use(const Pseudonym& owner, std::vector<Presented> shown) {
    const Grant first = *parse_grant(shown.front().grant);
    const ReleaseRequest request{.object = first.object,
                                 .owner = owner,
                                 .destination = first.destination,
                                 .purpose = first.purpose,
                                 .session = os::random_id<JobId>(random_),
                                 .grantee = first.grantee};
    shown.front().evidence.tag[0] ^= 1;
    if (gate_->request_release(shown, request)) {
      return fail(Code::kCorrupt, "a bent proof opened it");
    }
    shown.front().evidence.tag[0] ^= 1;
    TRY(gate_->request_release(shown, request));
    return {};
  }
  Result<> record(const Pseudonym& owner, const std::vector<Presented>& shown) {
    return gate_->may_give_record(shown, some_object(), owner);
  }
  Result<> together(const Pseudonym& owner, Capacity capacity) {
    Grant terms = grant();
    terms.capacity = capacity;
    terms.together = 2;
    terms.joint = os::random_id<JointId>(random_);
    if (capacity == Capacity::kEmergency) terms.reason = "unconscious";
    const std::vector<Presented> shown = {present(one_, terms), present(helper_, terms)};
    TRY(record(owner, shown));
    if (record(owner, {shown.front()})) return fail(Code::kCorrupt, "one alone had the record");
    return use(owner, shown);
  }

  SimDisk disk_;
  SimClock clock_;
  SimRandom random_{1};
  GateOptions options_;
  const SiteName site_ = *SiteName::parse("lsa");
  secret::Buffer root_{crypto::kSealKeyBytes};
  Holder one_, other_, helper_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<Gate> gate_;
};

}  // namespace

std::vector<CardCell> try_card_kinds() {
  const std::pair<const char*, Result<> (Table::*)()> places[] = {
      {"own", &Table::own},
      {"names_proxy", &Table::names_proxy},
      {"allows_emergency", &Table::allows_emergency},
      {"proxy", &Table::proxy},
      {"guardian", &Table::guardian},
      {"officer", &Table::officer}};
  std::vector<CardCell> cells;
  for (const CardKind kind :
       {CardKind::kOneTimeMac, CardKind::kDesfireEmulated, CardKind::kSignatureEmulated}) {
    for (const auto& [place, attempt] : places) {
      Table table(kind);
      const auto passed = (table.*attempt)();
      cells.push_back({kind, place, passed ? "" : passed.error().message});
    }
  }
  return cells;
}

}  // namespace warifu::sim
