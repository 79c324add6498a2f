// The job that stores an object: plan, move the top shares, commit, re-share nested shares, finish.
//
// Steps, each durable in the catalog before the next begins:
//   plan     snapshot of all sites, cheapest legal placement; shares recorded as planned
//   move     chunk by chunk to all top shares at once (cutting.h)
//   commit   shares permanent at their sites, object committed, staged plaintext erased
//   reshare  every share that is cut again, from the top of the tree down (recut.h)
//   account  what each share travelled under, and the key spent, go into the catalog
// Every step may be repeated from its start after a crash.
#pragma once

#include "control/jobs.h"
#include "control/recut.h"
#include "control/sealed_secret.h"
#include "control/staging.h"

namespace warifu::control {

class StoreJob final : public Work {
 public:
  using Work::Work;

  Result<> run() override;
  void roll_back(const Error& why) override;
  // Once the object is acknowledged.
  bool is_committed() const override;

 private:
  Result<> load();
  Result<> plan();
  Result<> move();
  Result<Cutting> prepare_cut();
  Result<> commit();
  Result<> reshare_all();
  Result<> note_cut(const std::vector<catalog::Share>& shares, const CutReport& report);
  Result<> account();

  [[nodiscard]] Result<std::vector<CutTarget>> top_targets();
  Result<> save_secrets();
  Result<> forget_staging_key();
  [[nodiscard]] std::string staging_path() const;

  ShareTree tree_;
  ObjectSecrets secrets_;
  sharing::Chunking chunking_;
  std::optional<keypool::Entropy> cut_entropy_;  // when this run moved the top shares
};

// Where the staged file of a job lies.
[[nodiscard]] std::string staging_path(const config::SiteConfig& config, const JobId& job);

}  // namespace warifu::control
