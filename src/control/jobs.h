// Jobs: durable work of share control, carried on by a few workers, resumed after a restart.
//
// A job's state is in the catalog; a worker only carries it on for a while. Whose turn it is says
// job_queue.h: a thousand jobs that wait for key cost no thread and hold nobody up. Trouble that
// may pass (a site that does not answer, no key) makes a job wait and try again; everything else
// makes it fail with a reason. An operator's pause or cancelling interrupts it at its next step; a
// paused job gives its leases of key back, stays paused over restarts, and goes on where it was.
// What is committed is not cancelled any more.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "catalog/catalog.h"
#include "control/job_queue.h"
#include "control/network_view.h"

namespace warifu::control {

// True for trouble that may pass by itself.
[[nodiscard]] bool may_pass(Code code);

class JobEngine;

// One attempt at a job, made anew for every attempt. Keeps up the job's record in the catalog.
class Work {
 public:
  Work(JobEngine& engine, const JobId& job) : engine_(engine), job_id_(job) {}
  virtual ~Work() = default;
  // Runs to the end, or to an error; may_pass(error.code) says whether to try again.
  [[nodiscard]] virtual Result<> run() = 0;
  // True once nothing may be taken back any more, and when that cannot be told.
  [[nodiscard]] virtual bool is_committed() const = 0;
  // After an error that will not pass: takes everything back and records why. While the record then
  // says that the job is not over, it is tried again later.
  virtual void roll_back(const Error& why) = 0;
  // True once all that is left of the job is to take back what it did.
  [[nodiscard]] virtual bool is_taking_back() const { return false; }
  // Shows people what the job waits for.
  void note_trouble(const Error& why);
  // Leases are given back; the record says that it is paused.
  [[nodiscard]] Result<> rest();
  // False: its record could not be read, so nothing is known of the job, and nothing may be
  // written.
  [[nodiscard]] bool is_loaded() const { return is_loaded_; }

 protected:
  // Into `job_`; before anything else here.
  [[nodiscard]] Result<> load_job();
  // Writes state and step with all that `job_` says.
  [[nodiscard]] Result<> save(catalog::JobState state, const std::string& step);
  // Replaces the plan in the record.
  [[nodiscard]] Result<> save_plan(const std::string& plan);
  // Shows people once a second which part is done; of nothing, that a site waits for key.
  void show_part(std::uint64_t done, std::uint64_t total);
  // Shows people twice a second how many bytes of all are done, and when the rest will be at the
  // rate since the first call. False: to end with kCancelled now.
  [[nodiscard]] bool show_bytes(std::uint64_t done);
  // Whether to go on waiting for key, which people are shown.
  [[nodiscard]] bool keep_waiting();
  // The job is done; its leases are given back.
  [[nodiscard]] Result<> finish();
  // The job has failed, or for kCancelled is cancelled; its leases are given back.
  void give_up(const Error& why);
  // Whether to end with kCancelled at the next good moment.
  [[nodiscard]] bool must_stop() const;
  // The same, for whoever has moved `done` bytes in this attempt, or knows nothing new (0): who has
  // stood still for a turn lets others go first.
  [[nodiscard]] bool must_stop_at(std::uint64_t done);

  JobEngine& engine_;
  const JobId job_id_;
  catalog::Job job_;

 private:
  bool is_loaded_ = false;
  std::chrono::nanoseconds shown_{0};
  // Of the first call of show_bytes() in this attempt.
  std::optional<std::pair<std::chrono::nanoseconds, std::uint64_t>> counted_from_;
  std::uint64_t moved_ = 0;
  std::chrono::steady_clock::time_point moved_at_ = std::chrono::steady_clock::now();
};
using WorkMaker = std::function<std::unique_ptr<Work>(JobEngine&, const JobId&)>;

class JobEngine {
 public:
  JobEngine(SiteContext& site, ShareService& own, catalog::Catalog& catalog)
      : site_(site), own_(own), catalog_(catalog) {}
  ~JobEngine() { stop(); }

  // Called by a worker whenever a job is done, after its record says so. Before resume_all() and
  // start(); several may watch.
  using DoneWatch = std::function<void(catalog::JobKind)>;
  void watch_done(DoneWatch watch) { done_.push_back(std::move(watch)); }
  // Who does jobs of a kind. Before resume_all() and start().
  void add_kind(catalog::JobKind kind, WorkMaker maker) { makers_[kind] = std::move(maker); }
  // Carries on every unfinished job of these kinds. Call once, after the channel has started.
  [[nodiscard]] Result<> resume_all();
  // Carries on one job of a known kind, which the catalog has, when its turn comes.
  void start(const JobId& job, catalog::JobKind kind);
  // Interrupts all jobs at their next step and waits for them; they stay resumable.
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_; }
  // How many jobs come before one that waits for its turn; none when it runs, or is no work.
  [[nodiscard]] std::optional<std::size_t> before(const JobId& job);

  // An operator's orders. They return when the job has heard them, or after some seconds, when its
  // record will tell. A cancelled job may still have to take back what it did, where sites are
  // away. Errors: kNotFound; kInvalidArgument (it is over, or not paused); kRefused for kinds that
  // are no work of the engine; the catalog's.
  [[nodiscard]] Result<> pause_job(const JobId& job);
  [[nodiscard]] Result<> resume_job(const JobId& job);
  [[nodiscard]] Result<> cancel_job(const JobId& job);
  // Written down, and heeded by everybody's queue from the job's next attempt on. Errors: as above.
  [[nodiscard]] Result<> set_priority(const JobId& job, catalog::JobPriority priority);
  [[nodiscard]] bool must_stop(const JobId& job);
  // Whether a job that has not moved for so long must let others go first.
  [[nodiscard]] bool gives_way(const JobId& job, std::chrono::milliseconds stood_still);
  // It has moved something.
  void note_progress(const JobId& job);

  [[nodiscard]] SiteContext& site() { return site_; }
  [[nodiscard]] ShareService& own() { return own_; }
  [[nodiscard]] catalog::Catalog& catalog() { return catalog_; }
  // Makes the share's last site delete it, and the catalog know it. Errors: those of the way there,
  // of that site, of the catalog.
  [[nodiscard]] Result<> delete_for_good(const catalog::Share& share);
  // Held by the sweep of deletions for each share, and by whoever is finding out what sites hold.
  [[nodiscard]] std::mutex& deletions() { return deletions_; }
  // Sleeps, but not beyond stop().
  void pause(std::chrono::milliseconds duration);

 private:
  using Order = JobQueue::Order;
  void begin(const catalog::Job& job, Order order);
  friend class Work;
  // A worker's life.
  void work(JobQueue::Rule rule);
  // One attempt; none: there is no other one; else when there is.
  [[nodiscard]] std::optional<JobQueue::Again> attempt(const JobId& job, const WorkMaker& maker);
  // Deals with an attempt that did not end well.
  std::optional<JobQueue::Again> after(Work& work, const JobId& job, const Error& why);
  [[nodiscard]] Order order_of(const JobId& job);
  // After a roll-back: none when the job is over.
  std::optional<JobQueue::Again> unless_over(const JobId& job);
  // Waits until the job has left the queue, or dropped the order.
  Result<> give_order(const JobId& job, Order order);
  // A job that may be ordered about.
  Result<catalog::Job> orderly(const JobId& job);

  std::vector<DoneWatch> done_;
  SiteContext& site_;
  ShareService& own_;
  catalog::Catalog& catalog_;
  std::map<catalog::JobKind, WorkMaker> makers_;
  std::atomic<bool> stopping_ = false;
  std::mutex deletions_;
  std::mutex mutex_;
  std::condition_variable wake_;   // for workers
  std::condition_variable heard_;  // for who gives orders
  JobQueue queue_;
  std::set<JobId> outranked_;  // they give way to a job of a higher priority
  enum class Cancelled : std::uint8_t { kNotNow, kTakesBack };
  std::map<JobId, Cancelled>
      cancelled_;         // what came of an order to cancel that did not end the job
  std::size_t idle_ = 0;  // workers without a job, but for the one of urgent jobs
  std::vector<std::thread> workers_;
};

}  // namespace warifu::control
