// Refreshes that begin by themselves, out of key that nobody else needs.
//
// One object at a time, the one whose shares are oldest first, once they are older than the
// interval. A refresh begins only when every link of its plan has the reserve left after it, above
// floors, emergency reserves and all leases; its job has priority `low`, so everybody else draws
// and works first; it is an ordinary job, which can be paused and cancelled. When the oldest one
// cannot begin, for whatever reason, the next get their turn (refresh_turns.h), so that one site
// that is away holds up nothing else. The age of an object's shares is the time of its last
// refresh, or else of its store; a failed refresh rests for a day, or for the interval if that is
// shorter. Thread-safe; one thread of its own between start() and stop(). The desk must outlive it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "upkeep/refresh_turns.h"
#include "upkeep/upkeep_desk.h"

namespace warifu::upkeep {

struct RefreshSettings {
  std::chrono::seconds interval{0};  // 0: no refresh begins by itself
  std::uint64_t reserve = 0;         // bytes that stay on every link and direction
};

// What is to be done at the present rates, from the last look at everything.
struct RefreshOutlay {
  std::uint64_t objects = 0;    // that are stored
  std::uint64_t due = 0;        // whose shares are older than the interval
  std::uint64_t key_bytes = 0;  // that one refresh of every object takes, on all links together
  std::optional<os::UnixMs> oldest;
  // So long an epoch is when all key that comes in now goes into it; none: never, or not known.
  std::optional<double> epoch_seconds;
  std::string slowest_link;  // that makes it so long
};

struct RefreshStatus {
  RefreshSettings settings;
  RefreshOutlay outlay;
  std::optional<JobId> job;  // under way
  std::uint64_t begun = 0;   // since the start of the site
  std::string waits_for;     // why none is under way
};

// Bytes of every object on every link and direction, in proportion to those of one plan.
[[nodiscard]] RefreshOutlay outlay_of(const RefreshPreview& sample, std::uint64_t sample_bytes,
                                      std::uint64_t all_bytes);
// The link and direction of a plan that would have less than `reserve` left, in words; none: all
// have that.
[[nodiscard]] std::optional<std::string> short_link(const RefreshPreview& preview,
                                                    std::uint64_t reserve);

class RefreshScheduler {
 public:
  RefreshScheduler(control::JobEngine& engine, UpkeepDesk& desk, const RefreshSettings& settings)
      : engine_(engine), desk_(desk), settings_(settings) {}
  ~RefreshScheduler() { stop(); }

  void start();
  void stop();
  // Looks at everything anew when the last look is older than a minute.
  [[nodiscard]] RefreshStatus status();

 private:
  using Candidate = RefreshCandidate;
  void run(const std::stop_token& stop);
  // Begins one refresh if there is one to begin.
  void step();
  // Begins that one. Errors: why not.
  [[nodiscard]] Result<JobId> begin(const Candidate& candidate);
  // All objects, the oldest shares first.
  [[nodiscard]] Result<std::vector<Candidate>> look() const;
  void count(const std::vector<Candidate>& all);
  // Any refresh, also one that somebody asked for, but for a paused one.
  [[nodiscard]] bool is_under_way();
  void note(const std::string& why);

  control::JobEngine& engine_;
  UpkeepDesk& desk_;
  const RefreshSettings settings_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  RefreshStatus status_;
  std::optional<std::chrono::steady_clock::time_point> counted_at_;
  // For step() alone: what it found last, for a while; a million objects take seconds to list.
  std::vector<Candidate> known_;
  std::optional<std::chrono::steady_clock::time_point> looked_at_;
  RefreshTurns turns_;
  std::jthread thread_;
};

}  // namespace warifu::upkeep
