// The rules of turns.
#include "control/job_queue.h"

#include <algorithm>

namespace warifu::control {
namespace {

constexpr JobQueue::Pause kFirstPause(500);
constexpr JobQueue::Pause kLongestPause(10'000);
// Every attempt asks all sites how they are, which costs key: so many attempts a second in all.
constexpr JobQueue::Pause kPauseOfEach(50);
constexpr JobQueue::Pause kLongestOfMany(300'000);
constexpr JobQueue::Pause kTurn(15'000);

}  // namespace

int JobQueue::rank(const Entry& entry) {
  if (entry.order != Order::kNone) return static_cast<int>(catalog::JobPriority::kUrgent) + 1;
  return static_cast<int>(entry.priority);
}

bool JobQueue::is_ready(const Entry& entry, Time now) {
  return !entry.running && (entry.order != Order::kNone || entry.ready <= now);
}

bool JobQueue::add(const JobId& job, catalog::JobKind kind, catalog::JobPriority priority,
                   Order order, Time now) {
  return entries_
      .emplace(job, Entry{kind, priority, order, next_number_++, now, Time{}, kFirstPause})
      .second;
}

std::optional<JobId> JobQueue::take(Rule rule, Time now) {
  const auto comes_before = [&](const Entry& a, const Entry& b) {
    if (rank(a) != rank(b)) return rank(a) > rank(b);
    if (rule == Rule::kLongestUntried && a.tried != b.tried) return a.tried < b.tried;
    return a.number < b.number;
  };
  auto best = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    const Entry& entry = at->second;
    if (!is_ready(entry, now)) continue;
    if (rule == Rule::kUrgentOnly && rank(entry) < static_cast<int>(catalog::JobPriority::kUrgent))
      continue;
    if (best == entries_.end() || comes_before(entry, best->second)) best = at;
  }
  if (best == entries_.end()) return std::nullopt;
  best->second.running = true;
  best->second.tried = now;
  return best->first;
}

JobQueue::Time JobQueue::next_time(Time now) const {
  Time next = now + std::chrono::seconds(1);
  for (const auto& [job, entry] : entries_) {
    // Who is ready already was not for this worker.
    if (!entry.running && entry.ready > now) next = std::min(next, entry.ready);
  }
  return next;
}

void JobQueue::put_back(const JobId& job, Again again, Time now) {
  Entry& entry = entries_.at(job);
  entry.running = false;
  entry.ready = now;
  if (again == Again::kAtOnce) return;
  entry.ready += entry.pause;
  const auto longest = std::clamp(kPauseOfEach * static_cast<std::int64_t>(entries_.size()),
                                  kLongestPause, kLongestOfMany);
  entry.pause = std::min<Pause>(entry.pause * 2, longest);
}

void JobQueue::note_progress(const JobId& job) {
  if (const auto at = entries_.find(job); at != entries_.end()) at->second.pause = kFirstPause;
}

JobQueue::Order JobQueue::order(const JobId& job) const {
  const auto at = entries_.find(job);
  return at == entries_.end() ? Order::kNone : at->second.order;
}

void JobQueue::set_order(const JobId& job, Order order) {
  entries_.at(job).order = order;
}

void JobQueue::set_priority(const JobId& job, catalog::JobPriority priority) {
  if (const auto at = entries_.find(job); at != entries_.end()) at->second.priority = priority;
}

JobQueue::GivesWay JobQueue::gives_way(const JobId& job, Pause stood_still, bool workers_free,
                                       Time now) const {
  const auto at = entries_.find(job);
  if (at == entries_.end()) return GivesWay::kNo;
  const Entry& own = at->second;
  bool is_least = true, higher_waits = false, somebody_waits = false;
  for (const auto& [id, entry] : entries_) {
    if (id == job) continue;
    if (is_ready(entry, now)) {
      somebody_waits = true;
      higher_waits = higher_waits || rank(entry) > rank(own);
    }
    if (entry.running &&
        (rank(entry) < rank(own) || (rank(entry) == rank(own) && entry.number > own.number))) {
      is_least = false;
    }
  }
  if (higher_waits && is_least && !workers_free) return GivesWay::kToHigher;
  return stood_still >= kTurn && somebody_waits ? GivesWay::kToAnybody : GivesWay::kNo;
}

std::optional<std::size_t> JobQueue::before(const JobId& job) const {
  const auto at = entries_.find(job);
  if (at == entries_.end() || at->second.running) return std::nullopt;
  const Entry& own = at->second;
  return std::ranges::count_if(entries_, [&](const auto& other) {
    const Entry& entry = other.second;
    if (entry.running) return false;
    return rank(entry) > rank(own) || (rank(entry) == rank(own) && entry.number < own.number);
  });
}

}  // namespace warifu::control
