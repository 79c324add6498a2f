// Loss of the control site, as share control offers it to operators: where copies of the catalog
// stand, and rebuilding. Thread-safe; what the constructor takes must outlive it.
#pragma once

#include "recovery/copy_maker.h"
#include "recovery/rebuild_job.h"

namespace warifu::recovery {

class RecoveryDesk {
 public:
  // `copies`: none when the configuration names no holders.
  RecoveryDesk(control::JobEngine& engine, CopyMaker* copies) : engine_(engine), copies_(copies) {}

  struct Rebuild {
    JobId job;
    std::optional<os::UnixMs> copy_made;  // none: from the shares alone
    std::vector<SiteName> wrong;          // holders whose shares of the copy do not fit
  };
  // An empty catalog first takes over the newest copy, unless `from_shares`; secrets get this
  // site's seal, and jobs that ran at the lost site end. Then a job settles everything with what
  // the sites hold. Errors: those of take_copy(), of the catalog; kBusy while such a job runs.
  [[nodiscard]] Result<Rebuild> rebuild(bool from_shares);

  [[nodiscard]] CopyMaker* copies() { return copies_; }

 private:
  Result<> take_over(Rebuild& rebuild);
  Result<> end_jobs(catalog::Catalog& catalog);

  control::JobEngine& engine_;
  CopyMaker* copies_;
  std::mutex mutex_;
};

}  // namespace warifu::recovery
