// Rounds until everything is told apart that can be.
#include "upkeep/audit_desk.h"

#include <algorithm>

#include "base/log.h"
#include "control/consent_desk.h"
#include "control/share_tree.h"
#include "upkeep/audit_round.h"
#include "upkeep/share_hash.h"

namespace warifu::upkeep {
namespace {

constexpr std::size_t kMostRounds = 48;
constexpr std::size_t kMostTries = 3;  // of a round that broke off for no lasting reason
// A holder notices that a round was broken off after a second or two, a busy one later.
constexpr std::size_t kMostBusy = 20;
constexpr std::chrono::milliseconds kBusyPause(1500);
constexpr std::size_t kExtraSums = 12;

Finding finding_of(const Error& error) {
  if (error.code == Code::kCorrupt) return Finding::kRotten;
  if (error.code == Code::kNotFound) return Finding::kMissing;
  if (control::may_pass(error.code)) return Finding::kUnreachable;
  return Finding::kUnaudited;
}

// One audit from its first round to its verdict. Reports after every step.
class Audit {
 public:
  Audit(control::SiteContext& site, ShareAuditor& own, const control::ShareTree& tree,
        AuditReport& report, std::function<bool()> publish)
      : site_(site), own_(own), tree_(tree), report_(report), publish_(std::move(publish)) {}

  Result<> run(const std::vector<planner::ShareLocation>& shares) {
    shares_ = shares;
    for (std::size_t tries = 0; report_.rounds < kMostRounds;) {
      AuditPlanner plan(field());
      const bool first = report_.sums.empty();
      if (first) {
        plan.cover();
      } else {
        plan.tell_apart(report_.suspects, planned(), kExtraSums);
      }
      if (first) left_out_ = plan.left_out();
      if (plan.sums().empty()) break;
      const RoundResult result = go(plan);
      if (!publish_()) return fail(Code::kCancelled, "the site stops");
      if (!result.failures.empty()) {
        if (drop(result.failures, tries)) continue;
        break;
      }
      for (const SumOutcome& outcome : result.outcomes) report_.sums.push_back(outcome);
      report_.suspects = suspects_of(shares_, report_.sums);
      if (report_.suspects.size() < 2) break;
    }
    conclude();
    return {};
  }

 private:
  [[nodiscard]] AuditField field() const {
    AuditField field{.policy = tree_.policy,
                     .shares = {},
                     .links = site_.config.links,
                     .collector = site_.config.name};
    for (const planner::ShareLocation& share : shares_) {
      if (!out_.contains(share.letter())) field.shares.push_back(share);
    }
    return field;
  }
  [[nodiscard]] std::vector<PlannedSum> planned() const {
    std::vector<PlannedSum> sums;
    for (const SumOutcome& outcome : report_.sums) sums.push_back(outcome.planned);
    return sums;
  }
  RoundResult go(const AuditPlanner& plan) {
    ++report_.rounds;
    AuditRoundRun round(site_, own_, plan, field().shares);
    return round.run([this](std::uint64_t done, std::uint64_t total) {
      report_.done_bytes = done;
      report_.total_bytes = total;
      return publish_();
    });
  }
  // Goes on without who failed for good. False once nothing more is to be tried.
  bool drop(const std::vector<HolderFailure>& failures, std::size_t& tries) {
    for (const HolderFailure& failure : failures) {
      const Finding finding = finding_of(failure.error);
      if (failure.error.code == Code::kBusy && ++busy_ < kMostBusy) {
        site_.system.clock.sleep(kBusyPause);
        continue;
      }
      const bool lasting = failure.on_order || finding == Finding::kRotten || ++tries >= kMostTries;
      if (lasting) out_[failure.letter] = {finding, failure.error.message};
    }
    // What is known of sums stays true; but more can be said only over those that are still there.
    return out_.size() < shares_.size();
  }

  void conclude() {
    bool all_stand = true, damaged = false, spoilt = false;
    for (const SumOutcome& outcome : report_.sums) spoilt = spoilt || !outcome.holds;
    for (const planner::ShareLocation& share : shares_) {
      AuditedShare said{.letter = share.letter(), .site = share.site, .why = {}};
      if (const auto out = out_.find(share.letter()); out != out_.end()) {
        said.finding = out->second.first;
        said.why = out->second.second;
      } else {
        judge(share, said);
      }
      damaged = damaged || said.finding == Finding::kRotten || said.finding == Finding::kMissing;
      all_stand = all_stand && said.finding == Finding::kConsistent;
      report_.shares.push_back(std::move(said));
    }
    report_.verdict = spoilt                 ? Verdict::kInconsistent
                      : damaged              ? Verdict::kDamaged
                      : report_.sums.empty() ? Verdict::kUnaudited
                      : all_stand            ? Verdict::kConsistent
                                             : Verdict::kIncomplete;
  }
  void judge(const planner::ShareLocation& share, AuditedShare& said) const {
    bool in_good = false, in_bad = false;
    for (const SumOutcome& outcome : report_.sums) {
      if (!outcome.planned.letters.contains(share.letter())) continue;
      (outcome.holds ? in_good : in_bad) = true;
    }
    bool whole_cut = false;  // a share above it
    for (std::size_t steps = 1; steps < share.path.size(); ++steps) {
      whole_cut = whole_cut || report_.suspects.contains(share.path.above(steps).text());
    }
    if (report_.suspects.contains(share.letter())) {
      said.finding = Finding::kSuspect;
      said.why = report_.suspects.size() == 1 ? "it alone spoils the sums"
                                              : "one of several that may spoil the sums";
    } else if (in_good) {
      said.finding = Finding::kConsistent;
      if (whole_cut) said.why = "with its siblings; the share that was cut into them may be wrong";
    } else if (in_bad) {
      said.finding = Finding::kUnknown;
      said.why = "its sums are not zero";
    } else {
      const auto left = left_out_.find(share.letter());
      said.why = left == left_out_.end() ? "its sums could not be formed" : left->second;
    }
  }

  control::SiteContext& site_;
  ShareAuditor& own_;
  const control::ShareTree& tree_;
  AuditReport& report_;
  std::function<bool()> publish_;
  std::vector<planner::ShareLocation> shares_;
  std::map<std::string, std::pair<Finding, std::string>> out_;
  std::map<std::string, std::string> left_out_;
  std::size_t busy_ = 0;
};

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRunning: return "running";
    case Verdict::kConsistent: return "consistent";
    case Verdict::kIncomplete: return "incomplete";
    case Verdict::kInconsistent: return "inconsistent";
    case Verdict::kDamaged: return "damaged";
    case Verdict::kUnaudited: return "unaudited";
    default: return "failed";
  }
}

std::string_view finding_name(Finding finding) {
  switch (finding) {
    case Finding::kConsistent: return "consistent";
    case Finding::kSuspect: return "suspect";
    case Finding::kUnknown: return "unknown";
    case Finding::kRotten: return "rotten";
    case Finding::kMissing: return "missing";
    case Finding::kUnreachable: return "unreachable";
    default: return "unaudited";
  }
}

Result<JobId> AuditDesk::start(const ObjectId& object) {
  TRY_ASSIGN(const catalog::Object record, engine_.catalog().object(object));
  if (record.state != catalog::ObjectState::kCommitted) {
    return fail(Code::kInvalidArgument, "object " + object.text() + " is not stored");
  }
  AuditReport report{.audit = os::random_id<JobId>(engine_.site().system.random), .object = object};
  const std::lock_guard lock(mutex_);
  std::size_t running = 0;
  for (const auto& [id, known] : reports_) {
    if (known.verdict != Verdict::kRunning) continue;
    ++running;
    if (known.object == object) {
      return fail(Code::kBusy, "object " + object.text() + " is being audited already");
    }
  }
  if (running >= kMostAtOnce || stopping_) {
    return fail(Code::kBusy, "as many audits as may run at once are running");
  }
  while (order_.size() >= kKept) {
    const auto over = std::ranges::find_if(
        order_, [&](const JobId& id) { return reports_.at(id).verdict != Verdict::kRunning; });
    reports_.erase(*over);
    order_.erase(over);
  }
  reports_[report.audit] = report;
  order_.push_back(report.audit);
  // Whoever has published its verdict needs the mutex no more.
  for (auto entry = threads_.begin(); entry != threads_.end();) {
    const auto known = reports_.find(entry->first);
    if (known != reports_.end() && known->second.verdict == Verdict::kRunning) {
      ++entry;
      continue;
    }
    entry->second.join();
    entry = threads_.erase(entry);
  }
  threads_.emplace(report.audit, [this, report] { run(report); });
  return report.audit;
}

void AuditDesk::run(AuditReport report) {
  control::SiteContext& site = engine_.site();
  const auto audited = [&]() -> Result<> {
    TRY_ASSIGN(const auto tree, control::ShareTree::read(engine_.catalog(), report.object));
    TRY_ASSIGN(const auto shares, control::locate_shares(engine_.catalog(), report.object));
    report.blocks = audit_blocks(sharing::RecordLayout(tree.chunking()));
    Audit audit(site, own_, tree, report, [&] {
      publish(report);
      return !stopping_.load();
    });
    TRY(audit.run(shares));
    TRY_ASSIGN(const auto now, engine_.catalog().object(report.object));
    if (now.generation == tree.object.generation) return {};
    return fail(Code::kBusy, "the object was refreshed meanwhile; audit it again");
  }();
  if (!audited) {
    report.verdict = Verdict::kFailed;
    report.error = audited.error().message;
  }
  std::string suspects;
  for (const std::string& name : report.suspects) suspects += (suspects.empty() ? "" : ",") + name;
  const auto noted =
      site.log.append("object_audited", {{"object", report.object.text()},
                                         {"verdict", std::string(verdict_name(report.verdict))},
                                         {"suspects", suspects}});
  if (!noted) log_error(noted.error().message);
  publish(report);
}

void AuditDesk::publish(const AuditReport& report) {
  const std::lock_guard lock(mutex_);
  reports_[report.audit] = report;
}

Result<AuditReport> AuditDesk::report(const JobId& audit) const {
  const std::lock_guard lock(mutex_);
  const auto known = reports_.find(audit);
  if (known != reports_.end()) return known->second;
  return fail(Code::kNotFound, "there is no audit " + audit.text() +
                                   "; audits are forgotten when the site restarts");
}

bool AuditDesk::is_blamed(const ObjectId& object, const std::string& letter) const {
  const std::lock_guard lock(mutex_);
  for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
    const AuditReport& report = reports_.at(*id);
    if (report.object != object || report.verdict == Verdict::kRunning) continue;
    return report.suspects == std::set{letter};
  }
  return false;
}

void AuditDesk::stop() {
  stopping_ = true;
  std::map<JobId, std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    threads.swap(threads_);
  }
  for (auto& [audit, thread] : threads) thread.join();
}

}  // namespace warifu::upkeep
