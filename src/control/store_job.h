// The job that stores an object: plan, move the top shares, commit, re-share nested shares, finish.
//
// Steps, each durable in the catalog before the next begins:
//   plan     snapshot of all sites, cheapest legal placement; shares recorded as planned
//   move     chunk by chunk to all top shares at once (cutting.h)
//   commit   shares permanent at their sites, object committed, staged plaintext erased
//   reshare  every share that is cut again, from the top of the tree down: its holder cuts it for
//            the sites of its parts; when all of these have it durably the location record moves in
//            one transaction, then the holder deletes it
//            A share that its holder has lost is waited for: a repair makes it anew beside this
//            job. When a part is lost while others are permanent, all of them are planned anew
//   account  what each share travelled under, and the key spent, go into the catalog
// Every step may be repeated from its start after a crash.
#pragma once

#include "control/jobs.h"
#include "control/reshare.h"
#include "control/sealed_secret.h"
#include "control/share_tree.h"
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
  Result<> lease();
  Result<> move();
  Result<Cutting> prepare_cut();
  Result<> commit();
  Result<> reshare_all();
  Result<> reshare_one(const catalog::Share& parent);
  Error plan_parts_anew(const catalog::Share& parent);
  Result<CutReport> order_reshare(const catalog::Share& parent,
                                  const std::vector<catalog::Share>& nested);
  Result<> note_cut(const std::vector<catalog::Share>& shares, const CutReport& report);
  Result<> account();

  [[nodiscard]] Result<std::vector<CutTarget>> top_targets();
  Result<> save_secrets();
  Result<> forget_staging_key();
  void show_progress(std::uint64_t bytes);
  [[nodiscard]] std::string staging_path() const;

  ShareTree tree_;
  ObjectSecrets secrets_;
  sharing::Chunking chunking_;
  std::optional<keypool::Entropy> cut_entropy_;  // when this run moved the top shares
  std::chrono::nanoseconds started_{0};
  std::uint64_t started_bytes_ = 0;
  std::chrono::nanoseconds last_saved_{0};
};

// Whether a job has only shares left to cut: such a share may be repaired beside it.
[[nodiscard]] bool is_cutting_again(const catalog::Job& job);

// Where the staged file of a job lies.
[[nodiscard]] std::string staging_path(const config::SiteConfig& config, const JobId& job);

}  // namespace warifu::control
