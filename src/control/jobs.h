// Jobs: durable work of share control, one thread each, resumed after a restart.
//
// A job's state is in the catalog; a thread only carries it on. Trouble that may pass (a site that
// does not answer, no key) makes a job wait and try again; everything else makes it fail with a
// reason.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "catalog/catalog.h"
#include "control/network_view.h"

namespace warifu::control {

// True for trouble that may pass by itself.
[[nodiscard]] bool may_pass(Code code);

class JobEngine {
 public:
  JobEngine(SiteContext& site, ShareService& own, catalog::Catalog& catalog)
      : site_(site), own_(own), catalog_(catalog) {}
  ~JobEngine() { stop(); }

  // Carries on every unfinished store job. Call once, after the channel has started.
  [[nodiscard]] Result<> resume_all();
  // Carries on one job in a thread of its own.
  void start(const JobId& job);
  // Interrupts all jobs at their next step and waits for them; they stay resumable.
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_; }

  [[nodiscard]] SiteContext& site() { return site_; }
  [[nodiscard]] ShareService& own() { return own_; }
  [[nodiscard]] catalog::Catalog& catalog() { return catalog_; }
  // Sleeps, but not beyond stop().
  void pause(std::chrono::milliseconds duration);

 private:
  void carry_on(const JobId& job);

  SiteContext& site_;
  ShareService& own_;
  catalog::Catalog& catalog_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace warifu::control
