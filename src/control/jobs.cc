// Threads of jobs and the retry rule.
#include "control/jobs.h"

#include <boost/json.hpp>

#include "base/log.h"

namespace warifu::control {
namespace {
constexpr std::chrono::milliseconds kFirstPause(500);
constexpr std::chrono::milliseconds kLongestPause(10'000);
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

void Work::note_trouble(const Error& why) {
  job_.error = why.message;
  const auto state =
      why.code == Code::kOutOfKey ? catalog::JobState::kWaitingKey : catalog::JobState::kRunning;
  if (const auto saved = save(state, job_.step); !saved) log_warning(saved.error().message);
}

Result<> Work::finish() {
  release_key(engine_.site(), job_id_);
  job_.progress_bytes = job_.total_bytes;
  job_.error.clear();
  job_.expected_end.reset();
  return save(catalog::JobState::kDone, "done");
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

void Work::give_up(const Error& why) {
  release_key(engine_.site(), job_id_);
  job_.error = why.message;
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
    start(job.job, job.kind);
  }
  return {};
}

void JobEngine::start(const JobId& job, catalog::JobKind kind) {
  begin(job, kind, Order::kNone);
}

void JobEngine::begin(const JobId& job, catalog::JobKind kind, Order order) {
  const WorkMaker& maker = makers_.at(kind);
  const std::lock_guard lock(mutex_);
  // While the site stops it is resumed at the next start.
  if (stopping_ || !running_.emplace(job, order).second) return;
  threads_.emplace_back([this, job, &maker] {
    carry_on(job, maker);
    const std::lock_guard ended(mutex_);
    running_.erase(job);
    wake_.notify_all();
  });
}

void JobEngine::stop() {
  stopping_ = true;
  {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  std::vector<std::thread> ending;
  {
    const std::lock_guard lock(mutex_);
    ending.swap(threads_);
  }
  for (std::thread& thread : ending) thread.join();
}

void JobEngine::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, duration, [this] { return stopping_.load(); });
}

JobEngine::Order JobEngine::order_of(const JobId& job) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(job);
  return found == running_.end() ? Order::kNone : found->second;
}

bool JobEngine::must_stop(const JobId& job) {
  return stopping_ || order_of(job) != Order::kNone;
}

void JobEngine::carry_on(const JobId& job, const WorkMaker& maker) {
  std::chrono::milliseconds wait = kFirstPause;
  while (!stopping_) {
    const std::unique_ptr<Work> work = maker(*this, job);
    const Result<> done = work->run();
    if (done) {
      log_info("job " + job.text() + " is done");
      return;
    }
    if (stopping_ || !goes_on(*work, job, done.error(), wait)) return;
    wait = std::min(wait * 2, kLongestPause);
  }
}

bool JobEngine::goes_on(Work& work, const JobId& job, const Error& why,
                        std::chrono::milliseconds wait) {
  const Order order = order_of(job);
  if (order == Order::kPause) {
    const auto rested = work.rest();
    if (!rested) log_error("job " + job.text() + " is not paused: " + rested.error().message);
    return false;
  }
  const bool is_committed = work.is_committed();
  if (order == Order::kCancel && !is_committed) {
    log_info("job " + job.text() + " is cancelled");
    work.roll_back({Code::kCancelled, "cancelled by an operator"});
    return false;
  }
  if (order == Order::kCancel) {
    const std::lock_guard lock(mutex_);
    running_[job] = Order::kNone;
    wake_.notify_all();
    return true;
  }
  // After the commit nothing may be given up: the job goes on trying, and says what is wrong.
  if (!may_pass(why.code) && !is_committed) {
    log_error("job " + job.text() + " failed: " + why.message);
    work.roll_back(why);
    return false;
  }
  log_warning("job " + job.text() + " waits: " + why.message);
  work.note_trouble(why);
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, wait, [&] { return stopping_ || running_[job] != Order::kNone; });
  return true;
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
  const auto found = running_.find(job);
  if (found == running_.end()) {
    return fail(Code::kBusy, "job " + job.text() + " is just beginning or ending; try again");
  }
  found->second = order;
  wake_.notify_all();
  (void)wake_.wait_for(lock, kHearing, [&] {
    const auto now = running_.find(job);
    return now == running_.end() || now->second != order;
  });
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
  begin(job, record.kind, Order::kNone);
  return {};
}

Result<> JobEngine::cancel_job(const JobId& job) {
  TRY_ASSIGN(const catalog::Job record, orderly(job));
  TRY(site_.log.append("job_cancelled", {{"job", job.text()}}));
  if (record.state == catalog::JobState::kPaused) begin(job, record.kind, Order::kNone);
  TRY(give_order(job, Order::kCancel));
  TRY_ASSIGN(const catalog::Job now, catalog_.job(job));
  if (now.state == catalog::JobState::kCancelled || order_of(job) == Order::kCancel) return {};
  return fail(Code::kRefused, "job " + job.text() +
                                  " has committed what it does and goes on to its end; nothing is "
                                  "cancelled");
}

}  // namespace warifu::control
