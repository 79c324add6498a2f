// One gate on a simulated disk, and what the person allowed.
#include "testing/gate_runs.h"

#include <algorithm>
#include <optional>
#include <set>

#include "consent/gate.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::sim {
namespace {

using namespace consent;

constexpr std::uint32_t kKeys = 40;
constexpr std::uint64_t kSteps = 40;
constexpr std::chrono::milliseconds kNonceLife = std::chrono::minutes(15);

bool is_self_test(const Inquiry& inquiry) {
  return inquiry.site.text() == "self";
}

// The true decision about an inquiry that hides something from it.
template <GateBug kBug>
Decision decide_wrongly(const Inquiry& inquiry) {
  if (is_self_test(inquiry) || inquiry.record == nullptr) return decide(inquiry);
  const auto grant = parse_grant(inquiry.grant);
  CardRecord record = *inquiry.record;
  ReleaseRequest request = inquiry.request;
  os::UnixMs now = inquiry.now;
  if (kBug == GateBug::kForgetsWithdrawals) record.withdrawn.clear();
  if (kBug == GateBug::kAnyUses) {
    for (AcceptedGrant& accepted : record.grants) accepted.sessions.push_back(request.session);
  }
  if (kBug == GateBug::kAnyPurpose && grant) request.purpose = grant->purpose;
  if (kBug == GateBug::kAnyTime && grant) now.value = std::min(now.value, grant->expiry.value - 1);
  return decide({inquiry.site, inquiry.root, &record, inquiry.grant, inquiry.evidence, request, now,
                 inquiry.nonce_life, inquiry.is_held_back, inquiry.owner});
}

DecideFunction decision_of(GateBug bug) {
  switch (bug) {
    case GateBug::kForgetsWithdrawals: return decide_wrongly<GateBug::kForgetsWithdrawals>;
    case GateBug::kAnyUses: return decide_wrongly<GateBug::kAnyUses>;
    case GateBug::kAnyPurpose: return decide_wrongly<GateBug::kAnyPurpose>;
    case GateBug::kAnyTime: return decide_wrongly<GateBug::kAnyTime>;
    default: return decide;
  }
}

struct Given {
  Grant grant;
  Bytes bytes;
  Evidence evidence;
  bool withdrawn = false;  // the gate has confirmed it
  std::set<JobId> sessions;
};

class GateRun {
 public:
  GateRun(std::uint64_t seed, GateBug bug) : seed_(seed), dice_(seed), random_(seed ^ 0x5eed) {
    options_.nonce_life = kNonceLife;
    options_.failures_allowed = 1'000'000;
    options_.decide = decision_of(bug);
    if (bug == GateBug::kNothingDurable) {
      lies_ = {.sync_does_nothing = true, .sync_dir_does_nothing = true};
    }
    random_.fill(root_.bytes());
    open();
    card_ = os::random_id<CardId>(random_);
    person_ = os::random_id<Pseudonym>(random_);
    auto keys = gate_->enrol({card_, person_, card::CardKind::kOneTimeMac, {{1}, kKeys}});
    WARIFU_CHECK(keys.has_value());
    keys_ = std::move(*keys);
  }

  GateTally run() {
    tally_.runs = 1;
    for (std::uint64_t i = 0; i < kSteps && tally_.violations == 0; ++i) {
      ++tally_.steps;
      if (dice_.one_in(4)) disk_->crash_at(dice_.between(1, 12));
      try {
        step();
        disk_->clear_faults();
      } catch (const SimCrash&) {
        ++tally_.crashes;
        recover();
      }
    }
    look_at_log();
    return tally_;
  }

 private:
  void open() {
    if (!disk_) disk_ = std::make_unique<SimDisk>();
    // A log does not stand garbage in its last line, and says so (docs/threat-model.md).
    disk_->spare_garbage([](const std::string& path) { return path.ends_with("audit.log"); });
    disk_->lie(lies_);
    const os::System system{*disk_, clock_, random_};
    auto log = audit::Log::open(system, "/audit.log", site_);
    if (!log) return violate("the log does not open: " + log.error().message);
    log_ = std::move(*log);
    auto gate = Gate::open(system, "/gate", site_, root_, *log_, options_);
    if (!gate) return violate("the gate does not open: " + gate.error().message);
    gate_ = std::move(*gate);
  }

  void recover() {
    {
      const SimDisk::Quiet quiet(*disk_);
      gate_.reset();
      log_.reset();
    }
    disk_ = disk_->crash_image(dice_.next());
    open();
    // What the terminal was not told is unknown to it, and is done again.
    if (pending_withdrawal_ && gate_ != nullptr) withdraw(*pending_withdrawal_);
    if (revoking_ && gate_ != nullptr) revoke();
  }

  void violate(const std::string& what) {
    ++tally_.violations;
    if (tally_.first_violation.empty()) {
      tally_.first_violation = "seed " + std::to_string(seed_) + ": " + what;
    }
  }

  void step() {
    switch (dice_.below(16)) {
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
      default: return restart();
    }
  }

  void restart() {
    gate_.reset();
    log_.reset();
    disk_ = disk_->kill_image();
    open();
  }

  void give() {
    if (next_index_ > kKeys) return;
    const auto challenge = gate_->issue_nonce(card_);
    if (!challenge) return;  // revoked
    Given given;
    given.grant = {
        .card = card_,
        .object = object_of(dice_.below(3)),
        .purpose = static_cast<Purpose>(dice_.between(1, 3)),
        .uses = static_cast<std::uint16_t>(dice_.between(1, 3)),
        .grantee = {GranteeKind::kPerson, "Dr. Sato", {}},
        .destination = destination_,
        .not_before = {clock_.now().value - 1000},
        .expiry = {clock_.now().value + static_cast<std::int64_t>(dice_.between(1, 60)) * 60'000},
        .index = {next_index_},
        .locale = Locale::kEnglish,
        .terminal = "desk",
        .text_digest = {},
        .sites = {{site_, challenge->nonce}}};
    // Now and then a copied card gives an index twice.
    if (!dice_.one_in(5)) ++next_index_;
    given.bytes = *encode_grant(given.grant);
    given.evidence = {site_, card::CardKind::kOneTimeMac, tag(given.grant.index, given.bytes)};
    given_.push_back(std::move(given));
  }

  mac::Tag tag(card::KeyIndex index, ByteView bytes) const {
    const ByteView key =
        ByteView(keys_.keys.bytes())
            .subspan((index.value - 1) * card::kOneTimeKeyBytes, card::kOneTimeKeyBytes);
    return mac::one_time_tag(mac::Key(key.first(16)), bytes, key.last(16));
  }

  Given* any_given() { return given_.empty() ? nullptr : &given_[dice_.below(given_.size())]; }

  ReleaseRequest request_of(const Given& given, const JobId& session) const {
    return {.object = given.grant.object,
            .owner = person_,
            .destination = given.grant.destination,
            .purpose = given.grant.purpose,
            .session = session,
            .grantee = given.grant.grantee,
            .stated = {},
            .scope = {}};
  }

  void show(bool again) {
    Given* given = any_given();
    if (given == nullptr) return;
    JobId session = os::random_id<JobId>(random_);
    if (again && !given->sessions.empty()) session = *given->sessions.begin();
    const auto permit =
        gate_->request_release(given->bytes, given->evidence, request_of(*given, session));
    if (!permit) {
      ++tally_.refusals;
      return;
    }
    ++tally_.permits;
    judge(*given, *permit, session);
  }

  void judge(Given& given, const Permit& permit, const JobId& session) {
    const Grant& grant = given.grant;
    given.sessions.insert(session);
    if (given.withdrawn) violate("a withdrawn consent was used");
    if (revoked_) violate("a consent of a revoked card was used");
    if (clock_.now() >= grant.expiry) violate("an expired consent was used");
    if (given.sessions.size() > grant.uses) violate("a consent was used more often than it says");
    if (permit.object() != grant.object || permit.destination() != grant.destination ||
        permit.expiry() != grant.expiry || permit.session() != session) {
      violate("a permit is wider than its consent");
    }
    const auto same_index = [&](const Given& other) {
      return &other != &given && other.grant.index == grant.index && !other.sessions.empty();
    };
    if (std::ranges::any_of(given_, same_index)) violate("one index was used for two consents");
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
    switch (dice_.below(9)) {
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
        wider.purpose != given->grant.purpose) {
      bytes = *encode_grant(wider);
      request.purpose = wider.purpose;
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
    const auto done = gate_->withdraw(card_, grant_id(given.bytes), given.grant.expiry);
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

  void look_at_log() {
    if (log_ == nullptr) return;
    const auto records = log_->read(1, audit::kMaxRead);
    if (!records) return violate("the log cannot be read: " + records.error().message);
    const auto released = static_cast<std::uint64_t>(
        std::ranges::count(*records, std::string("release"), &audit::Record::event));
    if (released < tally_.permits) violate("a permit is not in the log");
  }

  static ObjectId object_of(std::uint64_t number) {
    ObjectId object;
    object.bytes.fill(static_cast<Byte>(number + 1));
    return object;
  }

  const std::uint64_t seed_;
  Dice dice_;
  SimRandom random_;
  SimClock clock_;
  Lies lies_;
  GateOptions options_;
  std::unique_ptr<SimDisk> disk_;
  const SiteName site_ = *SiteName::parse("lsa");
  const SiteName destination_ = *SiteName::parse("tommo");
  secret::Buffer root_{crypto::kSealKeyBytes};
  CardId card_;
  Pseudonym person_;
  card::SiteKeys keys_;
  std::uint32_t next_index_ = 1;
  std::vector<Given> given_;
  std::optional<std::size_t> pending_withdrawal_;
  bool revoking_ = false, revoked_ = false;
  GateTally tally_;
  std::unique_ptr<audit::Log> log_;
  std::unique_ptr<Gate> gate_;
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
  violations += other.violations;
  if (first_violation.empty()) first_violation = other.first_violation;
}

GateTally run_gate(std::uint64_t seed, GateBug bug) {
  return GateRun(seed, bug).run();
}

}  // namespace warifu::sim
