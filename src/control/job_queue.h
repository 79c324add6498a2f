// Whose turn it is: jobs that wait, and jobs that run.
//
// Who is ordered about (pause, cancel) comes first, then by priority. Within a priority half of the
// workers take the oldest job, so that the first to come is the first to end, and half take the one
// that was not tried for the longest time, so that a job whose links have key is found behind a
// thousand whose links have none. An urgent job never waits for a turn of others: one worker takes
// nothing else, and the least of the running jobs gives way when that one is busy.
// No clock and no threads of its own: times are handed in, the engine locks. Plain values.
#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "catalog/records.h"

namespace warifu::control {

class JobQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Pause = std::chrono::milliseconds;
  enum class Order : std::uint8_t { kNone, kPause, kCancel };
  // Which of the ready jobs of the highest priority a worker takes.
  enum class Rule : std::uint8_t { kOldest, kLongestUntried, kUrgentOnly };

  // Behind all others of its priority. False when it is here already.
  bool add(const JobId& job, catalog::JobKind kind, catalog::JobPriority priority, Order order,
           Time now);
  void remove(const JobId& job) { entries_.erase(job); }
  void clear() { entries_.clear(); }

  // The next job for a worker, which runs from here on; none when nobody is ready.
  [[nodiscard]] std::optional<JobId> take(Rule rule, Time now);
  // When to look again: a waiting job will be ready then. At most a second from now.
  [[nodiscard]] Time next_time(Time now) const;
  // After an attempt. Later: after a pause that grows with every attempt, and with the number of
  // those that wait.
  enum class Again : std::uint8_t { kAtOnce, kLater };
  void put_back(const JobId& job, Again again, Time now);
  // It has moved something: the next pause is short again.
  void note_progress(const JobId& job);

  [[nodiscard]] bool knows(const JobId& job) const { return entries_.contains(job); }
  [[nodiscard]] catalog::JobKind kind(const JobId& job) const { return entries_.at(job).kind; }
  [[nodiscard]] Order order(const JobId& job) const;
  void set_order(const JobId& job, Order order);
  void set_priority(const JobId& job, catalog::JobPriority priority);

  // Whether a running job gives way: it has stood still for a turn and somebody is ready; or
  // somebody of a higher priority is ready, no worker for him is free, and it is the least.
  enum class GivesWay : std::uint8_t { kNo, kToAnybody, kToHigher };
  [[nodiscard]] GivesWay gives_way(const JobId& job, Pause stood_still, bool workers_free,
                                   Time now) const;
  // How many jobs come before a waiting one; none when it runs or is not here.
  [[nodiscard]] std::optional<std::size_t> before(const JobId& job) const;

 private:
  struct Entry {
    catalog::JobKind kind;
    catalog::JobPriority priority;
    Order order;
    std::uint64_t number;  // in the order of coming
    Time ready;            // not tried before
    Time tried;
    Pause pause;
    bool running = false;
  };
  // Ordered ones above all priorities.
  [[nodiscard]] static int rank(const Entry& entry);
  [[nodiscard]] static bool is_ready(const Entry& entry, Time now);

  std::map<JobId, Entry> entries_;
  std::uint64_t next_number_ = 0;
};

}  // namespace warifu::control
