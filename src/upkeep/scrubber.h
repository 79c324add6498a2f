// Reading this site's shares over in the background, slowly, so that rot is found while the other
// shares can still make up for it.
//
// A pass reads every byte of every committed share (store/share_store.h, verify) at no more than
// the configured rate and begins anew each interval; it goes on where it stood after a restart.
// Damage that any reader meets, a restore or a repair too, is noted here: remembered, logged, told
// to share control until that has heard it, and forgotten when the share is gone or has been read
// whole without a fault. Thread-safe; one thread of its own between start() and stop().
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "control/share_service.h"
#include "upkeep/scrub_state.h"

namespace warifu::upkeep {

struct ScrubStatus {
  ScrubState state;
  std::uint64_t rate = 0;         // bytes a second; 0: only when asked for
  std::uint64_t total_bytes = 0;  // of all shares now
  bool running = false;
};

class Scrubber {
 public:
  // Tells share control of damaged shares of this site.
  using Tell = std::function<Result<>(const std::vector<ShareId>& shares)>;

  // Takes the store's reports of damage from here on. Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<Scrubber>> open(control::SiteContext& site,
                                                              const std::string& path, Tell tell);
  ~Scrubber() { stop(); }

  void start();
  void stop();
  // Every share is read from here on, at once and without regard to the rate.
  void hurry();
  [[nodiscard]] ScrubStatus status() const;
  // Shares that are here and damaged.
  [[nodiscard]] std::vector<ShareId> damaged() const;
  void note(const ShareId& share, const std::string& why);

 private:
  Scrubber(control::SiteContext& site, std::string path, Tell tell, ScrubState state);
  void run(const std::stop_token& stop);
  bool is_due();
  void pass(const std::stop_token& stop);
  // Reads one share on from where the state stands. False when it was stopped on the way.
  bool read_share(const ShareId& share, const std::stop_token& stop);
  void mend_header(const store::ShareReader& reader);
  void keep_pace(std::uint64_t bytes, const std::stop_token& stop);
  void note_unreadable(const std::vector<store::ShareProblem>& problems);
  void forget_gone(const std::vector<store::ShareSummary>& there);
  void tell_all();
  void save();

  control::SiteContext& site_;
  const std::string path_;
  const Tell tell_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  ScrubState state_;
  bool hurried_ = false;
  bool again_ = false;  // the pass under way does not count: it began before it was asked for
  std::atomic<bool> running_ = false;
  std::chrono::nanoseconds pace_{0};  // os::Clock::monotonic() up to which was read enough
  std::chrono::nanoseconds saved_{0};
  std::jthread thread_;
};

}  // namespace warifu::upkeep
