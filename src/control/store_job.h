// The job that stores an object: plan, move the top shares, commit, re-share nested shares, finish.
//
// Steps, each durable in the catalog before the next begins:
//   plan     snapshot of all sites, cheapest legal placement; shares recorded as planned
//   move     chunk by chunk to all top shares at once (cutting.h)
//   commit   shares permanent at their sites, object committed, staged plaintext erased
//   reshare  gateways cut their share for its nested sites
//            the location record moves in one transaction, then the gateway deletes its copy
//   account  what each share travelled under, and the key spent, go into the catalog
// Every step may be repeated from its start after a crash.
#pragma once

#include "control/jobs.h"
#include "control/reshare.h"
#include "control/sealed_secret.h"
#include "control/staging.h"

namespace warifu::control {

class StoreJob {
 public:
  StoreJob(JobEngine& engine, const JobId& job) : engine_(engine), job_id_(job) {}

  // Runs to the end, or to an error; may_pass(error.code) says whether to call again.
  [[nodiscard]] Result<> run();
  // After an error that will not pass: takes everything back and records why.
  void roll_back(const Error& why);
  // True once the object is acknowledged, and when that cannot be told: then nothing is taken back.
  [[nodiscard]] bool is_committed() const;
  // Shows people what the job waits for.
  void note_trouble(const Error& why);

 private:
  Result<> load();
  Result<> plan();
  Result<> lease();
  Result<> move();
  Result<Cutting> prepare_cut();
  Result<> commit();
  Result<> reshare_all();
  Result<> reshare_one(const catalog::Share& parent);
  Result<> note_cut(const std::vector<catalog::Share>& shares, const CutReport& report);
  Result<> account();
  Result<> finish();

  [[nodiscard]] ShareSpec spec_of(const catalog::Share& share);
  [[nodiscard]] Result<std::vector<CutTarget>> top_targets();
  // The cut that made (top) or makes (of a share that is cut again) these shares.
  [[nodiscard]] sharing::Scheme scheme_of(const catalog::Share& share) const;
  [[nodiscard]] sharing::RecordLayout records_of(const catalog::Share& share) const;
  [[nodiscard]] std::uint8_t parent_index_of(const catalog::Share& share) const;
  [[nodiscard]] std::vector<catalog::Share> top_shares() const;
  [[nodiscard]] std::vector<catalog::Share> nested_of(const ShareId& parent) const;
  [[nodiscard]] std::vector<Sibling> siblings_of(const std::vector<catalog::Share>& shares) const;
  Result<> save(catalog::JobState state, const std::string& step);
  Result<> save_secrets();
  void show_progress(std::uint64_t bytes);
  channel::KeepWaiting keep_waiting();
  [[nodiscard]] std::string staging_path() const;

  JobEngine& engine_;
  JobId job_id_;
  catalog::Job job_;
  catalog::Object object_;
  std::vector<catalog::Share> shares_;
  std::map<SiteName, Pseudonym> pseudonyms_;
  ObjectSecrets secrets_;
  sharing::Chunking chunking_;
  std::optional<keypool::Entropy> cut_entropy_;  // when this run moved the top shares
  PolicyNode policy_;
  std::chrono::nanoseconds started_{0};
  std::uint64_t started_bytes_ = 0;
  std::chrono::nanoseconds last_saved_{0};
};

// Where the staged file of a job lies.
[[nodiscard]] std::string staging_path(const SiteConfig& config, const JobId& job);

}  // namespace warifu::control
