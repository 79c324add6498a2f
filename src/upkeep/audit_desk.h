// Share control's side of audits: do the shares of an object still belong together, found out
// without restoring and without anybody learning anything about a share.
//
// An audit goes in rounds. Each has fresh sums, a fresh hash key, drawn when the holders are fixed,
// and fresh masks (share_auditor.h). A round in which a holder fails says nothing and is repeated
// without it; where a sum is not zero, more sums are formed to tell who spoils them. Audits live in
// memory: one that a restart ends has changed nothing and is started anew. Thread-safe; each audit
// has a thread of its own. The engine and the auditor must outlive the desk.
#pragma once

#include <atomic>
#include <thread>

#include "control/jobs.h"
#include "upkeep/audit_plan.h"
#include "upkeep/share_auditor.h"

namespace warifu::upkeep {

enum class Verdict : std::uint8_t {
  kRunning,
  kConsistent,    // every share stands in a sum that is zero
  kIncomplete,    // what could be audited is consistent
  kInconsistent,  // a sum is not zero
  kDamaged,       // a holder says itself that its share has rotted or is gone
  kUnaudited,     // no sum could be formed
  kFailed,        // the audit itself could not be carried out
};
[[nodiscard]] std::string_view verdict_name(Verdict verdict);

enum class Finding : std::uint8_t {
  kConsistent,
  kSuspect,  // explains alone why sums are not zero
  kUnknown,  // stands only in sums that are not zero, but does not explain all alone
  kRotten,   // its holder says so
  kMissing,  // its holder does not have it
  kUnreachable,
  kUnaudited,
};
[[nodiscard]] std::string_view finding_name(Finding finding);

struct AuditedShare {
  std::string letter;
  SiteName site;
  Finding finding = Finding::kUnaudited;
  std::string why;
};

struct AuditReport {
  JobId audit;
  ObjectId object;
  Verdict verdict = Verdict::kRunning;
  std::vector<AuditedShare> shares;
  std::set<std::string> suspects;
  std::vector<SumOutcome> sums;
  std::uint64_t blocks = 0;  // each sum misses a wrong share with at most blocks / 2^128
  std::uint64_t rounds = 0;
  std::uint64_t done_bytes = 0, total_bytes = 0;  // of this round
  std::string error;
};

class AuditDesk {
 public:
  AuditDesk(control::JobEngine& engine, ShareAuditor& own) : engine_(engine), own_(own) {}
  ~AuditDesk() { stop(); }

  // Starts an audit in a thread of its own. Errors: the catalog's; kInvalidArgument when the object
  // is not stored; kBusy while it is audited already, or too many audits run.
  [[nodiscard]] Result<JobId> start(const ObjectId& object);
  // Errors: kNotFound; reports of the latest kKept audits are kept until the site stops.
  [[nodiscard]] Result<AuditReport> report(const JobId& audit) const;
  // Whether the latest audit of the object names this share alone.
  [[nodiscard]] bool is_blamed(const ObjectId& object, const std::string& letter) const;
  // Ends all audits and waits for them.
  void stop();

  static constexpr std::size_t kKept = 1000;
  static constexpr std::size_t kMostAtOnce = 4;

 private:
  void run(AuditReport report);
  void publish(const AuditReport& report);

  control::JobEngine& engine_;
  ShareAuditor& own_;
  mutable std::mutex mutex_;
  std::map<JobId, AuditReport> reports_;
  std::vector<JobId> order_;  // oldest first
  std::map<JobId, std::thread> threads_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace warifu::upkeep
