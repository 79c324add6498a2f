// Workers, and what becomes of an attempt.
#include "control/jobs.h"

#include <boost/json.hpp>

#include "base/log.h"
#include "base/reason.h"

namespace warifu::control {
namespace {
constexpr std::chrono::seconds kShowInterval(1);
constexpr std::chrono::milliseconds kShowBytesInterval(500);
constexpr std::chrono::seconds kHearing(10);  // an order waits so long to be heard
}  // namespace

bool may_pass(Code code) {
  switch (code) {
    case Code::kOutOfKey:
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kBusy:
    case Code::kProtocol:  // a connection that broke in the middle of a frame looks like this
    case Code::kUnknownOutcome:
    case Code::kCancelled: return true;
    default: return false;
  }
}

Result<> Work::load_job() {
  TRY_ASSIGN(job_, engine_.catalog().job(job_id_));
  is_loaded_ = true;
  return {};
}

Result<> Work::save(catalog::JobState state, const std::string& step) {
  job_.state = state;
  job_.step = step;
  return engine_.catalog().update_job(job_id_, {.state = state,
                                                .step = step,
                                                .progress_bytes = job_.progress_bytes,
                                                .total_bytes = job_.total_bytes,
                                                .error = job_.error,
                                                .result = job_.result,
                                                .updated = engine_.site().system.clock.now(),
                                                .expected_end = job_.expected_end});
}

Result<> Work::save_plan(const std::string& plan) {
  job_.plan = plan;
  return engine_.catalog().set_job_plan(job_id_, job_.plan);
}

void Work::show_part(std::uint64_t done, std::uint64_t total) {
  if (total == 0) return (void)keep_waiting();
  const auto now = engine_.site().system.clock.monotonic();
  if (now - shown_ < kShowInterval) return;
  shown_ = now;
  job_.progress_bytes = job_.total_bytes / total * done;
  (void)save(catalog::JobState::kRunning, job_.step);
}

bool Work::show_bytes(std::uint64_t done) {
  if (must_stop_at(done)) return false;
  os::Clock& clock = engine_.site().system.clock;
  const auto now = clock.monotonic();
  if (!counted_from_) counted_from_ = {now, done};
  if (now - shown_ < kShowBytesInterval) return true;
  shown_ = now;
  const auto [began, before] = *counted_from_;
  const double seconds = std::chrono::duration<double>(now - began).count();
  job_.progress_bytes = std::min(job_.total_bytes, done);
  if (seconds > 1 && done > before) {
    const double rate = static_cast<double>(done - before) / seconds;
    const double left = static_cast<double>(job_.total_bytes - job_.progress_bytes) / rate;
    job_.expected_end = os::UnixMs{clock.now().value + static_cast<std::int64_t>(left * 1000)};
  }
  job_.error.clear();
  (void)save(catalog::JobState::kRunning, job_.step);  // shown to people only
  return true;
}

bool Work::keep_waiting() {
  if (must_stop_at(0)) return false;
  if (job_.state != catalog::JobState::kWaitingKey) {
    (void)save(catalog::JobState::kWaitingKey, job_.step);  // shown to people only
  }
  return true;
}

void Work::note_trouble(const Error& why) {
  job_.error = error_text(why);
  const auto state =
      why.code == Code::kOutOfKey ? catalog::JobState::kWaitingKey : catalog::JobState::kRunning;
  if (const auto saved = save(state, job_.step); !saved) log_warning(saved.error().message);
}

Result<> Work::finish() {
  release_key(engine_.site(), job_id_);
  job_.progress_bytes = job_.total_bytes;
  job_.error.clear();
  job_.expected_end.reset();
  TRY(save(catalog::JobState::kDone, "done"));
  for (const auto& watch : engine_.done_) watch(job_.kind);
  return {};
}

Result<> Work::rest() {
  release_key(engine_.site(), job_id_);
  job_.error.clear();
  job_.expected_end.reset();
  return save(catalog::JobState::kPaused, job_.step);
}

bool Work::must_stop() const {
  return engine_.must_stop(job_id_);
}

bool Work::must_stop_at(std::uint64_t done) {
  const auto now = std::chrono::steady_clock::now();
  if (done > moved_) {
    moved_ = done;
    moved_at_ = now;
    engine_.note_progress(job_id_);
  }
  const auto stood = std::chrono::duration_cast<std::chrono::milliseconds>(now - moved_at_);
  return must_stop() || engine_.gives_way(job_id_, stood);
}

void Work::give_up(const Error& why) {
  release_key(engine_.site(), job_id_);
  job_.error = error_text(why);
  job_.result = boost::json::serialize(boost::json::object{{"code", code_name(why.code)}});
  const auto state =
      why.code == Code::kCancelled ? catalog::JobState::kCancelled : catalog::JobState::kFailed;
  if (const auto saved = save(state, job_.step); !saved) {
    log_error(saved.error().message);
  }
}

Result<> JobEngine::delete_for_good(const catalog::Share& share) {
  TRY(delete_share(site_, own_, share));
  return catalog_.mark_deleted(share.share);
}

Result<> JobEngine::resume_all() {
  TRY_ASSIGN(const std::vector<catalog::Job> jobs, catalog_.unfinished_jobs());
  for (const catalog::Job& job : jobs) {
    if (!makers_.contains(job.kind)) continue;  // a restore goes on when its reader comes back
    if (job.state == catalog::JobState::kPaused) continue;
    log_info("resuming job " + job.job.text());
    begin(job, Order::kNone);
  }
  return {};
}

void JobEngine::start(const JobId& job, catalog::JobKind kind) {
  catalog::Job known{.job = job, .kind = kind};
  // Who cannot be read now is tried as a usual one, and fails with a reason then.
  if (const auto found = catalog_.job(job)) known.priority = found->priority;
  begin(known, Order::kNone);
}

void JobEngine::begin(const catalog::Job& job, Order order) {
  WARIFU_CHECK(makers_.contains(job.kind));
  const std::lock_guard lock(mutex_);
  // While the site stops it is resumed at the next start.
  if (stopping_) return;
  if (!queue_.add(job.job, job.kind, job.priority, order, std::chrono::steady_clock::now())) return;
  if (workers_.empty()) {
    idle_ = site_.config.active_jobs;
    for (unsigned i = 0; i < site_.config.active_jobs; ++i) {
      const auto rule = i % 2 == 0 ? JobQueue::Rule::kOldest : JobQueue::Rule::kLongestUntried;
      workers_.emplace_back([this, rule] { work(rule); });
    }
    workers_.emplace_back([this] { work(JobQueue::Rule::kUrgentOnly); });
  }
  wake_.notify_all();
}

void JobEngine::stop() {
  stopping_ = true;
  std::vector<std::thread> ending;
  {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
    ending.swap(workers_);
  }
  for (std::thread& thread : ending) thread.join();
  const std::lock_guard lock(mutex_);
  queue_.clear();
  heard_.notify_all();
}

void JobEngine::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, duration, [this] { return stopping_.load(); });
}

JobEngine::Order JobEngine::order_of(const JobId& job) {
  const std::lock_guard lock(mutex_);
  return queue_.order(job);
}

bool JobEngine::must_stop(const JobId& job) {
  return stopping_ || order_of(job) != Order::kNone;
}

bool JobEngine::gives_way(const JobId& job, std::chrono::milliseconds stood_still) {
  const std::lock_guard lock(mutex_);
  const auto why = queue_.gives_way(job, stood_still, idle_ > 0, std::chrono::steady_clock::now());
  if (why == JobQueue::GivesWay::kToHigher) outranked_.insert(job);
  return why != JobQueue::GivesWay::kNo;
}

void JobEngine::note_progress(const JobId& job) {
  const std::lock_guard lock(mutex_);
  queue_.note_progress(job);
}

std::optional<std::size_t> JobEngine::before(const JobId& job) {
  const std::lock_guard lock(mutex_);
  return queue_.before(job);
}

void JobEngine::work(JobQueue::Rule rule) {
  const bool counts = rule != JobQueue::Rule::kUrgentOnly;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto job = queue_.take(rule, std::chrono::steady_clock::now());
    if (!job) {
      wake_.wait_until(lock, queue_.next_time(std::chrono::steady_clock::now()));
      continue;
    }
    const WorkMaker& maker = makers_.at(queue_.kind(*job));
    idle_ -= counts ? 1 : 0;
    lock.unlock();
    const auto again = attempt(*job, maker);
    lock.lock();
    idle_ += counts ? 1 : 0;
    outranked_.erase(*job);
    if (again) {
      queue_.put_back(*job, *again, std::chrono::steady_clock::now());
    } else {
      queue_.remove(*job);
      cancelled_.erase(*job);
    }
    heard_.notify_all();
    wake_.notify_all();
  }
}

std::optional<JobQueue::Again> JobEngine::attempt(const JobId& job, const WorkMaker& maker) {
  const std::unique_ptr<Work> work = maker(*this, job);
  const Result<> done = work->run();
  if (done) {
    log_info("job " + job.text() + " is done");
    return std::nullopt;
  }
  if (stopping_) return std::nullopt;
  return after(*work, job, done.error());
}

std::optional<JobQueue::Again> JobEngine::after(Work& work, const JobId& job, const Error& why) {
  if (!work.is_loaded()) {
    log_warning("job " + job.text() + " could not be read: " + why.message);
    return unless_over(job);
  }
  std::unique_lock lock(mutex_);
  const Order order = queue_.order(job);
  const bool is_outranked = outranked_.contains(job);
  lock.unlock();
  if (order == Order::kPause) {
    const auto rested = work.rest();
    if (!rested) log_error("job " + job.text() + " is not paused: " + rested.error().message);
    return std::nullopt;
  }
  const bool is_committed = work.is_committed();
  if (order == Order::kCancel && !is_committed) {
    log_info("job " + job.text() + " is cancelled");
    work.roll_back({Code::kCancelled, "cancelled by an operator", Reason::kByOperator});
    lock.lock();
    cancelled_[job] = work.is_taking_back() ? Cancelled::kTakesBack : Cancelled::kNotNow;
    lock.unlock();
    return unless_over(job);
  }
  if (order == Order::kCancel) {
    lock.lock();
    cancelled_.erase(job);
    queue_.set_order(job, Order::kNone);
    return JobQueue::Again::kAtOnce;
  }
  // After the commit nothing may be given up: the job goes on trying, and says what is wrong.
  if (!may_pass(why.code) && !is_committed) {
    log_error("job " + job.text() + " failed: " + why.message);
    work.roll_back(why);
    return unless_over(job);
  }
  if (is_outranked) {
    log_info("job " + job.text() + " lets a more urgent one go first");
    return JobQueue::Again::kAtOnce;
  }
  log_warning("job " + job.text() + " waits: " + why.message);
  work.note_trouble(why);
  return JobQueue::Again::kLater;
}

std::optional<JobQueue::Again> JobEngine::unless_over(const JobId& job) {
  const auto record = catalog_.job(job);
  const bool is_over =
      record ? catalog::is_finished(record->state) : record.error().code == Code::kNotFound;
  if (is_over) return std::nullopt;
  const std::lock_guard lock(mutex_);
  queue_.set_order(job, Order::kNone);  // it was carried out as far as it goes
  return JobQueue::Again::kLater;
}

Result<catalog::Job> JobEngine::orderly(const JobId& job) {
  TRY_ASSIGN(catalog::Job record, catalog_.job(job));
  if (!makers_.contains(record.kind)) {
    return fail(Code::kRefused, "job " + job.text() + " is a " +
                                    std::string(kind_name(record.kind)) +
                                    ": it goes on and ends with its reader");
  }
  if (catalog::is_finished(record.state)) {
    return fail(Code::kInvalidArgument,
                "job " + job.text() + " is " + std::string(state_name(record.state)) + " already");
  }
  return record;
}

Result<> JobEngine::give_order(const JobId& job, Order order) {
  std::unique_lock lock(mutex_);
  if (!queue_.knows(job)) {
    return fail(Code::kBusy, "job " + job.text() + " is just beginning or ending; try again");
  }
  queue_.set_order(job, order);
  wake_.notify_all();
  (void)heard_.wait_for(lock, kHearing,
                        [&] { return !queue_.knows(job) || queue_.order(job) != order; });
  return {};
}

Result<> JobEngine::set_priority(const JobId& job, catalog::JobPriority priority) {
  TRY(orderly(job));
  TRY(site_.log.append(
      "job_priority",
      {{"job", job.text()}, {"priority", std::string(catalog::priority_name(priority))}}));
  TRY(catalog_.set_job_priority(job, priority));
  const std::lock_guard lock(mutex_);
  queue_.set_priority(job, priority);
  wake_.notify_all();
  return {};
}

Result<> JobEngine::pause_job(const JobId& job) {
  TRY_ASSIGN(const catalog::Job record, orderly(job));
  if (record.state == catalog::JobState::kPaused) return {};
  TRY(site_.log.append("job_paused", {{"job", job.text()}}));
  return give_order(job, Order::kPause);
}

Result<> JobEngine::resume_job(const JobId& job) {
  TRY_ASSIGN(const catalog::Job record, orderly(job));
  if (record.state != catalog::JobState::kPaused) {
    return fail(Code::kInvalidArgument, "job " + job.text() + " is not paused");
  }
  TRY(site_.log.append("job_resumed", {{"job", job.text()}}));
  TRY(catalog_.update_job(job, {.state = catalog::JobState::kRunning,
                                .step = record.step,
                                .progress_bytes = record.progress_bytes,
                                .total_bytes = record.total_bytes,
                                .error = "",
                                .result = record.result,
                                .updated = site_.system.clock.now()}));
  begin(record, Order::kNone);
  return {};
}

Result<> JobEngine::cancel_job(const JobId& job) {
  TRY_ASSIGN(const catalog::Job record, orderly(job));
  TRY(site_.log.append("job_cancelled", {{"job", job.text()}}));
  if (record.state == catalog::JobState::kPaused) begin(record, Order::kCancel);
  TRY(give_order(job, Order::kCancel));
  TRY_ASSIGN(const catalog::Job now, catalog_.job(job));
  if (now.state == catalog::JobState::kCancelled || order_of(job) == Order::kCancel) return {};
  std::optional<Cancelled> what_came;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = cancelled_.find(job); found != cancelled_.end()) {
      what_came = found->second;
    }
  }
  if (what_came == Cancelled::kTakesBack) return {};
  if (what_came == Cancelled::kNotNow) {
    return fail(Code::kUnavailable, "job " + job.text() + " could not be cancelled: " + now.error +
                                        "; it goes on until it is cancelled again");
  }
  return fail(Code::kRefused, "job " + job.text() +
                                  " has committed what it does and goes on to its end; nothing is "
                                  "cancelled");
}

}  // namespace warifu::control
